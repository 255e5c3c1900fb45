"""A tiny random decoder as GGUF, its chat template, and what it is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from steelyard.api import RenderedPrompt
from steelyard.recipes.decoder_gguf import gguf_name

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
WORDS = ("oil", "oil prices", "grain", "shipping")
TEMPLATE = (
    "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
PROMPT = RenderedPrompt(
    prefix="<|im_start|>user\nTopics: oil, grain.\n\nText: ",
    suffix="\n\nTopic:<|im_end|>\n<|im_start|>assistant\n",
    answers=WORDS,
    max_chars=200,
)
TEXTS = ("", "crude rose", "wheat and maize, 12,000 tonnes", "x" * 150)


def write_gguf(kind: str, path: Path) -> None:
    """Write a random model of two layers as llama.cpp's converter would."""
    import gguf
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    alphabet = sorted(_byte_letters())
    tokens = [*SPECIAL, *alphabet, "oi", "oil", "gr"]
    config = AutoConfig.for_model(
        kind,
        num_hidden_layers=2,
        hidden_size=64,
        intermediate_size=96,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        vocab_size=len(tokens),
        tie_word_embeddings=kind == "llama",
        initializer_range=0.3,
        rms_norm_eps=1e-5,
    )
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    writer = gguf.GGUFWriter(str(path), kind)
    writer.add_name("tiny")
    writer.add_block_count(2)
    writer.add_context_length(512)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(96)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * len(SPECIAL) + [1] * (len(tokens) - len(SPECIAL)))
    writer.add_token_merges(["o i", "oi l", "g r"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)
    for name, weight in model.named_parameters():
        values = weight.detach().numpy()
        if kind == "llama" and ("q_proj" in name or "k_proj" in name):
            heads = 4 if "q_proj" in name else 2
            values = values.reshape(heads, 2, -1, 64).swapaxes(1, 2).reshape(values.shape)
        writer.add_tensor(gguf_name(name), np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _byte_letters() -> list[str]:
    from tokenizers import pre_tokenizers

    return list(pre_tokenizers.ByteLevel.alphabet())
