"""A tiny GGUF made on the spot, opened by llama.cpp: what onnxruntime scores on the same file."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.integration.tiny_gguf import PROMPT, TEXTS, WORDS, write_gguf

from steelyard.api import (
    BuildRequest,
    DescribedSession,
    GeneratorSession,
    Label,
    RenderedPrompt,
    SessionSpec,
)
from steelyard.backends.llamacpp import LlamaCpp
from steelyard.backends.ort import OnnxRuntime
from steelyard.card import Option
from steelyard.errors import Refusal, WorkerError
from steelyard.recipes.decoder import GgufDecoder
from steelyard.recipes.gguf_llamacpp import GgufLlamaCpp

NEEDED = ("torch", "transformers", "accelerate", "gguf", "onnx", "onnxruntime", "tokenizers")
if importlib.util.find_spec("llama_cpp") is None:
    pytest.skip("needs llama-cpp-python (the extra llamacpp)", allow_module_level=True)
for needed in NEEDED:
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"needs {needed}", allow_module_level=True)

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # of torch and transformers

LABELS = tuple(Label(id=word.upper(), words=word) for word in WORDS)
EXACT: dict[str, Option] = {"cache": "fp32", "flash_attention": False}


def build(recipe: Any, home: Path, out: Path, **options: Option) -> Path:
    files = {path.name: path for path in home.iterdir()}
    request = BuildRequest(files=files, options=options, threads=1)
    assert recipe.refuse(request) is None
    out.mkdir()
    recipe.build(request, out)
    return out


def spec(folder: Path, **changes: Any) -> SessionSpec:
    values: dict[str, Any] = {
        "artifact": str(folder),
        "session": "decoder",
        "threads": 1,
        "labels": LABELS,
        "options": EXACT,
        "prompt": PROMPT,
        **changes,
    }
    return SessionSpec(**values)


def opened(folder: Path, **changes: Any) -> Any:
    asked = spec(folder, **changes)
    assert LlamaCpp().refuse(asked) is None
    return LlamaCpp().open(asked)


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp(request.param)
    (folder / "gguf").mkdir()
    write_gguf(request.param, folder / "gguf" / "tiny.gguf")
    build(GgufLlamaCpp(), folder / "gguf", folder / "llamacpp")
    build(GgufDecoder(), folder / "gguf", folder / "onnx", precision="fp32")
    return folder


@pytest.fixture(scope="module")
def onnx(home: Path) -> Iterator[Any]:
    session: Any = OnnxRuntime().open(spec(home / "onnx", options={}))
    yield session
    session.close()


@pytest.mark.parametrize("together", [512, 3, 1])
def test_label_log_likelihoods_are_those_of_onnxruntime(
    home: Path, onnx: Any, together: int
) -> None:
    session = opened(home / "llamacpp", options={**EXACT, "together": together})

    for text in (*TEXTS, *reversed(TEXTS)):
        expected = onnx.label_log_likelihoods(text)
        found = session.label_log_likelihoods(text)
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3)
    session.close()


def test_labels_side_by_side_score_as_one_token_after_the_other(home: Path) -> None:
    session = opened(home / "llamacpp")

    inputs = session.encode("crude rose")
    alone = [session._alone(inputs, answer) for answer in session._answers]

    np.testing.assert_allclose(session.infer(inputs), alone, rtol=0, atol=1e-4)


def test_the_default_cache_of_halves_scores_nearly_the_same(home: Path, onnx: Any) -> None:
    session = opened(home / "llamacpp", options={})

    for text in TEXTS:
        expected = onnx.label_log_likelihoods(text)
        np.testing.assert_allclose(session.label_log_likelihoods(text), expected, atol=0.1)


def test_a_text_that_parts_from_the_shared_beginning_leaves_the_next_as_it_was(
    home: Path,
) -> None:
    session = opened(home / "llamacpp")
    before = session.label_log_likelihoods("wheat")
    held = session._prefix._held

    session._prefix.hold(3)
    session._network.run(3, [5, 6, 7])

    np.testing.assert_allclose(session.label_log_likelihoods("wheat"), before, atol=1e-4)
    assert session._prefix._held == held > 3


def test_normalisation_and_priors_turn_sums_into_scores(home: Path) -> None:
    priors = (0.5, -1.0, 2.0, 0.25)
    prompt = msgspec.structs.replace(PROMPT, normalisation="mean", priors=priors)
    session = opened(home / "llamacpp", prompt=prompt)

    answer = session.decode(session.infer(session.encode("crude rose")))

    sums, lengths = session.label_log_likelihoods("crude rose"), session.label_lengths()
    expected = [s / n - p for s, n, p in zip(sums, lengths, priors, strict=True)]
    assert answer.scores == pytest.approx(expected, abs=1e-4)
    assert answer.label == WORDS[int(np.argmax(expected))].upper()


def test_free_generation_is_onnxruntime_s_greedy_one(home: Path, onnx: Any) -> None:
    session = opened(home / "llamacpp")
    assert isinstance(session, GeneratorSession)

    found = list(session.generate("crude rose", 12))

    assert found == list(onnx.generate("crude rose", 12))
    assert found == list(session.generate("crude rose", 12))
    assert session.prompt_tokens("crude rose") == onnx.prompt_tokens("crude rose")


def test_generation_that_is_left_early_disturbs_no_later_answer(home: Path) -> None:
    session = opened(home / "llamacpp")
    before = session.label_log_likelihoods("oil")

    next(session.generate("grain", 8))

    np.testing.assert_allclose(session.label_log_likelihoods("oil"), before, atol=1e-4)


@pytest.mark.parametrize("kind", ["text", "spans"])
def test_what_is_written_is_what_onnxruntime_writes(home: Path, kind: str) -> None:
    asked: dict[str, Any] = {"session": "writer", "answers": kind}
    ours = opened(home / "llamacpp", options={**EXACT, "max_new_tokens": 8}, **asked)
    theirs: Any = OnnxRuntime().open(spec(home / "onnx", options={"max_new_tokens": 8}, **asked))

    for text in TEXTS:
        found, expected = ours.infer(ours.encode(text)), theirs.infer(theirs.encode(text))
        assert found.tokens == expected.tokens
        assert ours.decode(found) == theirs.decode(expected)
    ours.close()


def test_a_session_says_what_it_runs_on(home: Path) -> None:
    session = opened(home / "llamacpp", threads=2, options={})

    assert isinstance(session, DescribedSession)
    build_of_it, instructions = session.describe()
    assert build_of_it.startswith("llama.cpp by llama-cpp-python ")
    assert build_of_it.endswith("2 threads, cache fp16, with flash attention")
    assert " = 1 |" in instructions


def test_the_artefact_is_the_file_as_it_was_with_the_others_tokens(home: Path) -> None:
    ours, onnx = home / "llamacpp", home / "onnx"

    assert (ours / "model.gguf").read_bytes() == (home / "gguf" / "tiny.gguf").read_bytes()
    for name in ("chat.json", "tokenizer.json"):
        assert (ours / name).read_bytes() == (onnx / name).read_bytes()


def test_a_prompt_longer_than_what_is_held_is_refused(home: Path) -> None:
    long: RenderedPrompt = msgspec.structs.replace(PROMPT, max_chars=5000)
    session = opened(home / "llamacpp", prompt=long)

    with pytest.raises(Refusal, match="longer than the 512 that are held at once"):
        session.infer(session.encode("x " * 2000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cache": "int4"}, "'int4' is none of fp16, fp32"),
        ({"context": 0}, "expected a count of at least 1, got 0"),
        ({"together": "all"}, "session_options.together: expected int, got str 'all'"),
        ({"batch": 4}, "unknown batch for session 'decoder'; known: cache, context,"),
    ],
)
def test_a_wrong_session_option_is_one_clear_line(
    home: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(WorkerError, match=message):
        opened(home / "llamacpp", options=options)


def test_a_damaged_file_is_an_error_in_llama_cpp_s_own_words(home: Path, tmp_path: Path) -> None:
    whole = (home / "llamacpp" / "model.gguf").read_bytes()
    for name in ("tokenizer.json", "chat.json"):
        (tmp_path / name).write_bytes((home / "llamacpp" / name).read_bytes())
    (tmp_path / "model.gguf").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(
        WorkerError, match=r"llama\.cpp cannot load it: .*not within the file bounds"
    ):
        opened(tmp_path)


def test_a_model_that_answers_otherwise_side_by_side_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one with a state would, whose labels change what the next is told."""
    from steelyard.backends.llamacpp.network import Network

    run = Network.run

    def disturbed(self: Network, start: int, tokens: Any, *tree: Any) -> Any:
        rows = run(self, start, tokens, *tree)
        return rows * 5 if tree else rows

    monkeypatch.setattr(Network, "run", disturbed)

    with pytest.raises(Refusal, match=r"llama\.cpp cannot ask this architecture so"):
        opened(home / "llamacpp")
