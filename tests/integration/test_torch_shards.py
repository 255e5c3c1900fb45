"""Weights in several files: read as one, and never from outside their folder."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.integration.opening import build, opened, plain_log_likelihoods
from tests.integration.tiny_gguf import TEXTS
from tests.integration.tiny_models import chat_model

from steelyard.errors import Refusal
from steelyard.recipes.published import Published

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # of torch and transformers

INDEX = "model.safetensors.index.json"


def sharded(home: Path) -> dict[str, str]:
    """Split a published model's weights into two files; return what its index says."""
    from safetensors.torch import load_file, save_file

    whole = home / "model.safetensors"
    tensors = load_file(str(whole))
    names = sorted(tensors)
    places: dict[str, str] = {}
    for number, part in enumerate((names[::2], names[1::2]), 1):
        file = f"model-{number:05}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, str(home / file), {"format": "pt"})
        places.update(dict.fromkeys(part, file))
    whole.unlink()
    (home / INDEX).write_bytes(msgspec.json.encode({"metadata": {}, "weight_map": places}))
    return places


def test_sharded_weights_answer_as_the_whole_file_does(tmp_path: Path) -> None:
    chat_model("llama", tmp_path / "published")
    whole = build(Published(), tmp_path / "published", tmp_path / "whole", kind="chat")
    sharded(tmp_path / "published")
    parts = build(Published(), tmp_path / "published", tmp_path / "parts", kind="chat")

    assert plain_log_likelihoods(parts, TEXTS[0]) == plain_log_likelihoods(whole, TEXTS[0])
    opened(parts)


def test_an_index_that_leads_out_of_its_folder_is_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    home = tmp_path / "published"
    chat_model("llama", home)
    places = sharded(home)
    folder = build(Published(), home, tmp_path / "artefact", kind="chat")
    # What it leads to would load: only the name is wrong.
    part = "model-00002-of-00002.safetensors"
    (folder / part).rename(tmp_path / part)
    led = {name: f"../{file}" if file == part else file for name, file in places.items()}
    hostile = msgspec.json.encode({"metadata": {}, "weight_map": led})
    (folder / INDEX).unlink()
    (folder / INDEX).write_bytes(hostile)
    with pytest.raises(Refusal, match=r"weight_map names '\.\./model-00002"):
        opened(folder)

    (folder / INDEX).write_bytes(msgspec.json.encode({"metadata": {}, "weight_map": places}))
    (folder / part).symlink_to(tmp_path / part)
    with pytest.raises(Refusal, match=f"names {part}, which is not among its files"):
        opened(folder)

    (home / INDEX).write_bytes(hostile)
    with pytest.raises(Refusal, match=r"weight_map names '\.\./model-00002"):
        build(Published(), home, tmp_path / "again", kind="chat")
