"""A randomly initialised BERT of a few kilobytes, with its tokenizer, in the files of a card."""

from __future__ import annotations

from pathlib import Path

WORDS = ("crude", "barrel", "opec", "wheat", "maize", "crop", "vessel", "port", "cargo", "a", "the")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def make(folder: Path) -> dict[str, Path]:
    """Write config.json, model.safetensors and tokenizer.json; return their paths by name."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=64,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(_tokenizer())
    return {name: folder / name for name in ("config.json", "model.safetensors", "tokenizer.json")}


def _tokenizer() -> str:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    vocabulary = {word: number for number, word in enumerate(SPECIAL + WORDS)}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    # As the published file does: the session must undo both.
    tokenizer.enable_truncation(6)
    tokenizer.enable_padding(length=6)
    return str(tokenizer.to_str())
