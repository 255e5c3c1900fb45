"""Tiny models made on the spot, opened on torch: what is scored is what transformers says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests import toy
from tests.integration.opening import LABELS, build, opened, plain_log_likelihoods, spec
from tests.integration.tiny_gguf import PROMPT, TEMPLATE, TEXTS, WORDS, write_gguf
from tests.integration.tiny_models import chat_model, classifier, onnx_classifier

from steelyard.api import (
    BatchSession,
    DescribedSession,
    GeneratorSession,
)
from steelyard.backends.ort import OnnxRuntime
from steelyard.errors import PrepareError, Refusal, WorkerError
from steelyard.recipes.decoder import GgufDecoder
from steelyard.recipes.gguf_torch import GgufTorch
from steelyard.recipes.published import Published

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # of torch and transformers

ARCHITECTURES = ("llama", "qwen2", "mistral", "gemma2")


@pytest.fixture(scope="module", params=ARCHITECTURES)
def chat(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp(request.param)
    chat_model(request.param, folder / "published")
    return build(Published(), folder / "published", folder / "artefact", kind="chat")


@pytest.mark.parametrize("limit", [512, 6, 1])
def test_label_log_likelihoods_are_those_of_plain_transformers(chat: Path, limit: int) -> None:
    session = opened(chat, options={"one_pass_tokens": limit})

    for text in TEXTS:
        found = session.label_log_likelihoods(text)
        np.testing.assert_allclose(found, plain_log_likelihoods(chat, text), rtol=0, atol=1e-4)
    session.close()


@pytest.mark.parametrize("limit", [512, 6])
def test_a_batch_of_texts_of_all_lengths_scores_as_each_alone(chat: Path, limit: int) -> None:
    session = opened(chat, options={"one_pass_tokens": limit})
    alone = [session.infer(session.encode(text)) for text in TEXTS]

    together = session.infer_batch(session.encode_batch(TEXTS))

    assert isinstance(session, BatchSession)
    np.testing.assert_allclose(together, np.stack(alone), rtol=0, atol=1e-4)
    answers = session.decode_batch(together)
    assert [answer.label for answer in answers] == [session.decode(row).label for row in alone]


def test_normalisation_and_priors_turn_sums_into_scores(chat: Path) -> None:
    priors = (0.5, -1.0, 2.0, 0.25)
    prompt = msgspec.structs.replace(PROMPT, normalisation="mean", priors=priors)
    session = opened(chat, prompt=prompt)

    answer = session.decode(session.infer(session.encode("crude rose")))

    sums = plain_log_likelihoods(chat, "crude rose")
    lengths = session.label_lengths()
    expected = [s / n - p for s, n, p in zip(sums, lengths, priors, strict=True)]
    assert answer.scores == pytest.approx(expected, abs=1e-4)
    assert answer.label == WORDS[int(np.argmax(expected))].upper()


def test_free_generation_is_transformers_greedy_one(chat: Path) -> None:
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    session = opened(chat)
    assert isinstance(session, GeneratorSession)

    found = list(session.generate("crude rose", 6))

    model = AutoModelForCausalLM.from_pretrained(
        str(chat), dtype=torch.float32, attn_implementation="eager"
    ).eval()
    tokenizer = Tokenizer.from_file(str(chat / "tokenizer.json"))
    whole = tokenizer.encode(f"{PROMPT.prefix}crude rose{PROMPT.suffix}", add_special_tokens=False)
    expected: list[int] = []
    while len(expected) < len(found):
        with torch.no_grad():
            logits = model(torch.tensor([whole.ids + expected]), use_cache=False).logits
        expected.append(int(logits[0, -1].argmax()))
    assert found == expected
    size = session.prompt_tokens("crude rose")
    assert (size.total, size.cached > 0) == (len(whole.ids), True)


def test_a_session_says_what_it_runs_on(chat: Path) -> None:
    session = opened(chat, options={"precision": "bf16"})

    assert isinstance(session, DescribedSession)
    said = session.describe()
    assert any("cpu, bf16, 1 threads" in fact for fact in said)
    assert any(fact.startswith("transformers ") for fact in said)


def test_half_the_bits_score_nearly_the_same(chat: Path) -> None:
    whole, half = opened(chat), opened(chat, options={"precision": "bf16"})

    for text in TEXTS:
        expected = whole.label_log_likelihoods(text)
        np.testing.assert_allclose(half.label_log_likelihoods(text), expected, rtol=0.1, atol=0.3)


def test_spaces_before_an_answer_are_the_answers(chat: Path) -> None:
    """As in `[/INST] answer`: the space belongs to the answer's first token."""
    spaced = msgspec.structs.replace(PROMPT, suffix=PROMPT.suffix.rstrip("\n") + " ")
    moved = msgspec.structs.replace(
        spaced, suffix=spaced.suffix[:-1], answers=tuple(f" {word}" for word in WORDS)
    )

    session = opened(chat, prompt=spaced)

    expected = plain_log_likelihoods(chat, "oil", moved)
    np.testing.assert_allclose(session.label_log_likelihoods("oil"), expected, rtol=0, atol=1e-4)


def test_a_prompt_longer_than_the_model_sees_is_refused(chat: Path) -> None:
    session = opened(chat, prompt=msgspec.structs.replace(PROMPT, max_chars=5000))

    with pytest.raises(Refusal, match="longer than the 512 that this model sees"):
        session.encode("x " * 2000)


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
def test_torch_and_our_onnx_decoder_agree_on_the_same_gguf(kind: str, tmp_path: Path) -> None:
    home = tmp_path / "gguf"
    home.mkdir()
    write_gguf(kind, home / "tiny.gguf")
    onnx = build(GgufDecoder(), home, tmp_path / "onnx", precision="fp32")
    torch = build(GgufTorch(), home, tmp_path / "torch", precision="fp32")

    ours, theirs = OnnxRuntime().open(spec(onnx)), opened(torch)

    for text in TEXTS:
        expected: Any = ours.label_log_likelihoods(text)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        np.testing.assert_allclose(theirs.label_log_likelihoods(text), expected, rtol=0, atol=2e-3)
    assert (onnx / "chat.json").read_bytes() == (torch / "chat.json").read_bytes()


def test_an_architecture_that_ignores_masks_is_refused(tmp_path: Path) -> None:
    """A recurrent model has no attention to mask: labels side by side would see each other."""
    chat_model("mamba", tmp_path / "published")
    folder = build(Published(), tmp_path / "published", tmp_path / "artefact", kind="chat")

    with pytest.raises(Refusal, match="MambaForCausalLM cannot be asked"):
        opened(folder)


def test_weights_that_are_missing_are_an_error_and_no_noise(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    chat_model("llama", tmp_path / "published")
    weights = tmp_path / "published" / "model.safetensors"
    kept = load_file(str(weights))
    del kept["model.layers.1.mlp.up_proj.weight"]
    save_file(kept, str(weights), metadata={"format": "pt"})
    folder = build(Published(), tmp_path / "published", tmp_path / "artefact", kind="chat")

    with pytest.raises(WorkerError, match=r"missing_keys: model.layers.1.mlp.up_proj.weight"):
        opened(folder)


def test_pickled_weights_and_foreign_code_are_refused(tmp_path: Path) -> None:
    chat_model("llama", tmp_path / "published")
    folder = build(Published(), tmp_path / "published", tmp_path / "artefact", kind="chat")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(Refusal, match="pickled weights can run code"):
        opened(folder)

    (folder / "pytorch_model.bin").unlink()
    config = msgspec.json.decode((folder / "config.json").read_bytes())
    code = {"auto_map": {"AutoModelForCausalLM": "modeling.Model"}}
    (folder / "config.json").unlink()
    (folder / "config.json").write_bytes(msgspec.json.encode({**config, **code}))
    with pytest.raises(Refusal, match="auto_map"):
        opened(folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "int8"}, "'int8' is none of fp32, bf16, fp16"),
        ({"one_pass_tokens": 0}, "expected a count of at least 1, got 0"),
        (
            {"batch": 4},
            "unknown batch for session 'decoder'; known: one_pass_tokens, precision, together",
        ),
    ],
)
def test_a_wrong_session_option_is_one_clear_line(
    chat: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(WorkerError, match=message):
        opened(chat, options=options)


def test_a_gpu_that_is_not_there_is_refused_and_the_cpu_does_not_step_in(chat: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")

    with pytest.raises(Refusal, match=r"built without CUDA|sees no GPU"):
        opened(chat, device="cuda")


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_a_classifier_answers_with_its_own_labels_on_torch_and_on_onnxruntime(
    kind: str, tmp_path: Path
) -> None:
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForSequenceClassification

    home = tmp_path / "published"
    classifier(kind, home, ("GRAIN", "Oil_Prices", "oil", "shipping"))
    folder = build(Published(), home, tmp_path / "artefact", kind="classifier")
    onnx_home = tmp_path / "onnx"
    onnx_classifier(home, onnx_home)
    onnx = build(Published(), onnx_home, tmp_path / "onnx-artefact", kind="classifier")
    session = opened(folder, session="classifier")
    other: Any = OnnxRuntime().open(spec(onnx, "classifier"))

    together = session.infer_batch(session.encode_batch(TEXTS))

    model = AutoModelForSequenceClassification.from_pretrained(str(home)).eval()
    tokenizer = Tokenizer.from_file(str(home / "tokenizer.json"))
    for row, text in zip(together, TEXTS, strict=True):
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.no_grad():
            logits = model(ids).logits[0].numpy()
        expected = logits[[2, 1, 0, 3]]  # WORDS' order
        np.testing.assert_allclose(row, expected, atol=1e-5)
        np.testing.assert_allclose(other.infer(other.encode(text))[0], expected, atol=1e-4)
        answer = session.decode(session.infer(session.encode(text)))
        assert answer.label == LABELS[int(expected.argmax())].id


def test_a_classifier_of_other_labels_is_an_error_with_both_lists(tmp_path: Path) -> None:
    classifier("bert", tmp_path / "published", ("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3"))
    folder = build(Published(), tmp_path / "published", tmp_path / "artefact", kind="classifier")

    with pytest.raises(WorkerError, match=r"LABEL_0, .*; the task's are OIL, OIL PRICES"):
        opened(folder, session="classifier")


def test_a_model_without_a_chat_template_is_no_generalist(tmp_path: Path) -> None:
    chat_model("llama", tmp_path / "published", template=None)

    with pytest.raises(PrepareError, match="no chat template"):
        build(Published(), tmp_path / "published", tmp_path / "artefact", kind="chat")


MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}"
    "{{ '[INST] ' + m['content'] + '[/INST]' }}{% else %}{{ ' ' + m['content'] + eos_token }}"
    "{% endif %}{% endfor %}"
)
DATED = "{{ 'Today: ' + strftime_now('%d %b %Y') + '\n' }}" + TEMPLATE


@pytest.mark.parametrize(
    ("template", "pieces"),
    [
        (MISTRAL, ("<|im_start|>", ["[INST] ", "[/INST]"], [" ", "<|im_end|>"])),
        (
            DATED,
            (
                "Today: 26 Jul 2024\n",
                ["<|im_start|>user\n", "<|im_end|>\n"],
                ["<|im_start|>assistant\n", "<|im_end|>\n"],
            ),
        ),
    ],
)
def test_templates_with_spaces_before_answers_and_with_dates_are_cut(
    template: str, pieces: tuple[str, list[str], list[str]], tmp_path: Path
) -> None:
    chat_model("llama", tmp_path / "published", template=template)
    folder = build(Published(), tmp_path / "published", tmp_path / "artefact", kind="chat")

    cut = msgspec.json.decode((folder / "chat.json").read_bytes())

    assert (cut["opening"], cut["user"], cut["assistant"]) == pieces


def test_a_path_is_prepared_from_the_command_line(tmp_path: Path) -> None:
    toy.project(tmp_path)
    chat_model("llama", tmp_path / "tiny")
    classifier("bert", tmp_path / "sorter", ("PEAR", "apple"))

    done = toy.call(
        tmp_path, "prepare", "--cards", "cards", "--model", "path:tiny", "--model", "path:sorter"
    )

    assert done.returncode == 0, done.stderr
    cells = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert [cell.split("/")[1].rpartition("-")[0] for cell in cells] == ["tiny", "sorter"]
    assert "card kept in" in done.stderr
