"""The llama.cpp backend without llama.cpp: what is refused, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from steelyard import plugins
from steelyard.api import BuildRequest, Label, SessionSpec
from steelyard.backends import llamacpp
from steelyard.recipes.gguf_llamacpp import GgufLlamaCpp


def spec(session: str = "decoder") -> SessionSpec:
    labels = (Label(id="a", words="a"), Label(id="b", words="b"))
    return SessionSpec(artifact="/nowhere", session=session, threads=1, labels=labels, options={})


def test_without_the_extra_it_is_refused_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(llamacpp, "find_spec", lambda _: None)

    said = llamacpp.LlamaCpp().refuse(spec())

    assert said == (
        "llama-cpp-python, tokenizers not installed\ntry: pip install 'steelyard[llamacpp]'"
    )


def test_an_unknown_session_is_told_the_known_ones() -> None:
    said = llamacpp.LlamaCpp().refuse(spec("encoder"))

    assert said == "backend 'llamacpp' has no session 'encoder'; it has: decoder, writer"


def test_the_plan_finds_it_by_its_name() -> None:
    assert isinstance(plugins.load("backends", "llamacpp"), llamacpp.LlamaCpp)
    # It is opened for the CPU only: the plan refuses other devices by itself.
    assert getattr(llamacpp.LlamaCpp, "devices", ("cpu",)) == ("cpu",)


@pytest.mark.parametrize(
    ("files", "options", "said"),
    [
        (("one.gguf", "two.gguf"), {}, "needs one .gguf file in the card"),
        (("model.safetensors",), {}, "needs one .gguf file in the card"),
        (("one.gguf",), {"precision": "int8"}, "options: unknown precision; known: none"),
    ],
)
def test_the_recipe_takes_one_file_and_no_option(
    files: tuple[str, ...], options: dict[str, Any], said: str
) -> None:
    request = BuildRequest(files={name: Path(name) for name in files}, options=options, threads=1)

    assert said in str(GgufLlamaCpp().refuse(request))
