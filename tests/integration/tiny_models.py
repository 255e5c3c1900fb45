"""Random models of two layers, written as their publishers would: config, weights, tokenizer."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from tests.integration.tiny_gguf import SPECIAL, TEMPLATE

SMALL: dict[str, Any] = {
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 512,
    "initializer_range": 0.3,
    "pad_token_id": 0,
}


def chat_model(kind: str, folder: Path, template: str | None = TEMPLATE) -> Path:
    """Write a chat model of an architecture that transformers knows."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir(parents=True)
    size = _tokenizer(folder)
    more = {"sliding_window": 512} if kind in {"mistral", "gemma2"} else {}
    if kind == "mamba":
        config = AutoConfig.for_model(kind, vocab_size=size, hidden_size=32, num_hidden_layers=2)
    else:
        config = AutoConfig.for_model(kind, vocab_size=size, **SMALL, **more)
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.save_pretrained(str(folder), safe_serialization=True)
    said: dict[str, Any] = {"bos_token": SPECIAL[1], "eos_token": {"content": SPECIAL[2]}}
    if template is not None:
        said["chat_template"] = template
    (folder / "tokenizer_config.json").write_bytes(msgspec.json.encode(said))
    return folder


def classifier(kind: str, folder: Path, labels: Sequence[str]) -> Path:
    """Write an encoder that answers with one of `labels`."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    folder.mkdir(parents=True)
    size = _tokenizer(folder, closed=True)
    config = AutoConfig.for_model(
        kind,
        vocab_size=size,
        **{**SMALL, "max_position_embeddings": 514 if kind == "roberta" else 512},
        id2label=dict(enumerate(labels)),
        label2id={label: place for place, label in enumerate(labels)},
    )
    torch.manual_seed(7)
    model = AutoModelForSequenceClassification.from_config(config)
    model.save_pretrained(str(folder), safe_serialization=True)
    said = {"model_max_length": 200}
    (folder / "tokenizer_config.json").write_bytes(msgspec.json.encode(said))
    return folder


def onnx_classifier(home: Path, folder: Path) -> Path:
    """Export a classifier as transformers' exporters do: logits of ids and mask."""
    import torch
    from transformers import AutoModelForSequenceClassification

    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(home / name, folder / name)
    model = AutoModelForSequenceClassification.from_pretrained(
        str(home), attn_implementation="eager"
    ).eval()
    axes = {0: "batch", 1: "length"}
    with torch.no_grad():
        torch.onnx.export(
            model,
            (torch.ones((2, 5), dtype=torch.long), torch.ones((2, 5), dtype=torch.long)),
            str(folder / "model.onnx"),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
    return folder


def _tokenizer(folder: Path, *, closed: bool = False) -> int:
    """Write a byte-level tokenizer; return how many tokens it has. `closed`: texts get an end."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from tokenizers.processors import TemplateProcessing

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*SPECIAL, *alphabet, "oi", "oil", "gr"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    merges = [("o", "i"), ("oi", "l"), ("g", "r")]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [AddedToken(token, special=True, normalized=False) for token in SPECIAL]
    tokenizer.add_special_tokens(special)
    if closed:
        ends = [(token, vocabulary[token]) for token in SPECIAL[1:]]
        single = f"{SPECIAL[1]} $A {SPECIAL[2]}"
        tokenizer.post_processor = TemplateProcessing(single=single, special_tokens=ends)
    tokenizer.save(str(folder / "tokenizer.json"))
    return len(tokens)
