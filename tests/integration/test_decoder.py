"""A tiny random decoder written as GGUF, built by the recipe, opened, compared with torch."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration.tiny_gguf import PROMPT, TEXTS, WORDS, write_gguf

from steelyard.api import BuildRequest, Label, SessionSpec
from steelyard.backends.ort import OnnxRuntime
from steelyard.recipes.decoder import GgufDecoder

for needed in ("torch", "transformers", "accelerate", "gguf", "onnx", "onnxruntime", "tokenizers"):
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"needs {needed}", allow_module_level=True)

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # of torch and transformers


def build(path: Path, out: Path, **options: Any) -> Path:
    request = BuildRequest(files={path.name: path}, options=options, threads=1)
    assert GgufDecoder().refuse(request) is None
    out.mkdir()
    GgufDecoder().build(request, out)
    return out


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    write_gguf(request.param, folder / "tiny.gguf")
    build(folder / "tiny.gguf", folder / "fp32", precision="fp32")
    build(folder / "tiny.gguf", folder / "int8", precision="int8")
    return folder


def opened(folder: Path, limit: int) -> Any:
    spec = SessionSpec(
        artifact=str(folder),
        session="decoder",
        threads=1,
        labels=tuple(Label(id=word, words=word) for word in WORDS),
        options={"one_pass_tokens": limit, "batch": 2},
        prompt=PROMPT,
    )
    assert OnnxRuntime().refuse(spec) is None
    return OnnxRuntime().open(spec)


def torch_log_likelihoods(folder: Path, text: str) -> list[float]:
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        str(folder), gguf_file="tiny.gguf", dtype=torch.float32
    ).eval()
    tokenizer = Tokenizer.from_file(str(folder / "fp32" / "tokenizer.json"))
    prompt = tokenizer.encode(PROMPT.prefix + text + PROMPT.suffix).ids
    found = []
    for word in WORDS:
        label = tokenizer.encode(word + "<|im_end|>").ids
        with torch.no_grad():
            logits = model(torch.tensor([prompt + label])).logits[0]
        steps = torch.log_softmax(logits, -1)[len(prompt) - 1 : -1]
        found.append(float(steps.gather(1, torch.tensor(label)[:, None]).sum()))
    return found


@pytest.mark.parametrize("limit", [99, 0])
def test_label_log_likelihoods_are_torchs(model: Path, limit: int) -> None:
    session = opened(model / "fp32", limit)

    for text in TEXTS:
        found = session.label_log_likelihoods(text)
        np.testing.assert_allclose(found, torch_log_likelihoods(model, text), atol=2e-3)
    session.close()


def test_eight_bits_stay_near_the_parent(model: Path) -> None:
    parent, small = opened(model / "fp32", 99), opened(model / "int8", 99)

    for text in TEXTS:
        expected = parent.label_log_likelihoods(text)
        np.testing.assert_allclose(small.label_log_likelihoods(text), expected, rtol=0.1)


def test_the_single_pass_and_the_search_agree(model: Path) -> None:
    single, searched = opened(model / "fp32", 99), opened(model / "fp32", 0)

    for text in TEXTS:
        one = single.decode(single.infer(single.encode(text)))
        other = searched.decode(searched.infer(searched.encode(text)))
        assert one.label == other.label


def test_the_same_file_gives_the_same_bytes(model: Path, tmp_path: Path) -> None:
    again = build(model / "tiny.gguf", tmp_path / "again", precision="int8")

    names = ["chat.json", "model.onnx", "model.onnx.data", "tokenizer.json"]
    assert sorted(path.name for path in again.iterdir()) == names
    for name in names:
        assert (again / name).read_bytes() == (model / "int8" / name).read_bytes()
