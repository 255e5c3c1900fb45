"""Read a GGUF file: configuration, tokenizer and, one at a time, full-precision weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.errors import PrepareError

ARCHITECTURES = ("llama", "qwen2")

FloatArray = NDArray[np.float32]


class Vocabulary(Struct, frozen=True, kw_only=True):
    """The tokenizer as the GGUF states it, in the words transformers' converters expect."""

    architecture: str
    tokenizer: dict[str, Any]
    chat_template: str
    eos_token_id: int


class Gguf:
    """One opened GGUF file. Reading its fields is slow in Python, so it is opened once."""

    def __init__(self, path: Path) -> None:
        from gguf import GGUFReader

        self._reader = GGUFReader(str(path))
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}

    def field(self, key: str, default: Any = None) -> Any:
        """Return a metadata value as a Python value."""
        found = self._reader.get_field(key)
        return default if found is None else found.contents()

    def setting(self, key: str, default: Any = None) -> Any:
        """Return a metadata value of this file's architecture."""
        return self.field(f"{self.architecture}.{key}", default)

    @property
    def architecture(self) -> str:
        """Return the architecture's name, refusing those whose weights we cannot place."""
        name = str(self.field("general.architecture"))
        if name not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            raise PrepareError(f"GGUF architecture {name!r} is not supported; supported: {known}")
        return name

    @property
    def tied(self) -> bool:
        """Say whether the output layer is the embedding."""
        return "output.weight" not in self._tensors

    @property
    def parameters(self) -> int:
        """Count the stored weights, the output layer's apart from the embedding's where it is."""
        return sum(int(tensor.n_elements) for tensor in self._tensors.values())

    def config(self) -> dict[str, Any]:
        """Return the model's configuration in transformers' words."""
        if "rope_freqs.weight" in self._tensors or self.setting("rope.scaling.type"):
            raise PrepareError(
                "the GGUF scales its rotary positions (Llama 3.1 and later do), which is not "
                "supported from GGUF; use the publisher's safetensors"
            )
        heads = int(self.setting("attention.head_count"))
        hidden = int(self.setting("embedding_length"))
        return {
            "model_type": self.architecture,
            "num_hidden_layers": int(self.setting("block_count")),
            "hidden_size": hidden,
            "intermediate_size": int(self.setting("feed_forward_length")),
            "num_attention_heads": heads,
            "num_key_value_heads": int(self.setting("attention.head_count_kv", heads)),
            "head_dim": int(self.setting("attention.key_length", hidden // heads)),
            "max_position_embeddings": int(self.setting("context_length")),
            "rope_theta": float(self.setting("rope.freq_base", 10000.0)),
            "rms_norm_eps": float(self.setting("attention.layer_norm_rms_epsilon")),
            "vocab_size": int(self._tensors["token_embd.weight"].shape[1]),
            "tie_word_embeddings": self.tied,
        }

    def vocabulary(self) -> Vocabulary:
        """Return the tokenizer and the publisher's chat template."""
        template = self.field("tokenizer.chat_template")
        if template is None:
            raise PrepareError("the GGUF carries no chat template; a generalist needs one")
        names = ("tokens", "merges", "token_type", "bos_token_id", "eos_token_id")
        found = {name: self.field(f"tokenizer.ggml.{name}") for name in names}
        found["tokenizer_type"] = self.field("tokenizer.ggml.model")
        found["add_prefix_space"] = self.field("tokenizer.ggml.add_space_prefix")
        return Vocabulary(
            architecture=self.architecture,
            tokenizer={name: value for name, value in found.items() if value is not None},
            chat_template=str(template),
            eos_token_id=int(found["eos_token_id"]),
        )

    def weight(self, name: str) -> FloatArray:
        """Return the weight that transformers calls `name`, dequantised."""
        from gguf import dequantize

        stored = gguf_name(name)
        if stored not in self._tensors and name == "lm_head.weight":
            stored = "token_embd.weight"
        tensor = self._tensors[stored]
        values = np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        return self._unpermuted(stored, values)

    def _unpermuted(self, stored: str, values: FloatArray) -> FloatArray:
        # llama.cpp interleaves the rotary halves of Llama's q and k rows (convert_hf_to_gguf.py,
        # LlamaModel.permute); transformers wants them one after the other.
        if self.architecture != "llama" or not stored.endswith(("attn_q.weight", "attn_k.weight")):
            return values
        config = self.config()
        kind = "num_attention_heads" if "attn_q" in stored else "num_key_value_heads"
        return unpermute(values, config[kind])


def unpermute(values: FloatArray, heads: int) -> FloatArray:
    """Undo llama.cpp's interleaving of rotary pairs in the rows of a q or k projection."""
    rows, columns = values.shape
    paired = values.reshape(heads, rows // heads // 2, 2, columns)
    return np.ascontiguousarray(paired.swapaxes(1, 2).reshape(rows, columns))


_TOP = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
}
_LAYER = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def gguf_name(name: str) -> str:
    """Translate transformers' name of a weight into GGUF's."""
    stem, kind = name.rsplit(".", 1)
    if stem in _TOP:
        return f"{_TOP[stem]}.{kind}"
    layer, rest = stem.removeprefix("model.layers.").split(".", 1)
    return f"blk.{layer}.{_LAYER[rest]}.{kind}"
