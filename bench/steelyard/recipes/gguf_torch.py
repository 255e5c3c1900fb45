"""Turn a GGUF file into what torch loads quickly: config, safetensors, tokenizer, chat template."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from steelyard.api import BuildReport, BuildRequest
from steelyard.errors import PrepareError
from steelyard.recipes import options
from steelyard.recipes.decoder_chat import chat_json, chat_pieces, tokenizer_of
from steelyard.recipes.decoder_gguf import Gguf

PRECISIONS = ("bf16", "fp16", "fp32")
# Tensors are written in files of about this size, so that memory holds no more than one of them.
SHARD_BYTES = 2_000_000_000
INDEX = "model.safetensors.index.json"


class GgufTorch:
    """Writes `config.json`, safetensors in `precision`, `tokenizer.json` and `chat.json`.

    The weights are those of the GGUF file, dequantised; bf16 and fp16 round them once more.
    """

    version = 1
    trains = False
    tools = ("torch", "transformers", "safetensors", "gguf", "tokenizers", "jinja2")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, file or option is wrong, or return None."""
        odd = options.unknown(request.options, ("precision",))
        if odd is not None:
            return odd
        if request.options.get("precision") not in PRECISIONS:
            return f"options.precision: expected one of {', '.join(PRECISIONS)}"
        if len(_files(request)) != 1:
            return "recipe 'gguf-torch' needs one .gguf file in the card"
        return options.missing((*self.tools,))

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write the artefact, one file of tensors at a time."""
        refusal = self.refuse(request)
        if refusal is not None:
            raise PrepareError(refusal)
        gguf = Gguf(_files(request)[0])
        vocabulary = gguf.vocabulary()
        tokenizer = tokenizer_of(vocabulary)
        tokenizer.save(str(out / "tokenizer.json"))
        (out / "chat.json").write_bytes(chat_json(chat_pieces(vocabulary, tokenizer)))
        config = gguf.config()
        (out / "config.json").write_bytes(msgspec.json.encode(config, order="sorted"))
        _write(gguf, _names(config), str(request.options["precision"]), out)
        return BuildReport(parameters=gguf.parameters)


def _files(request: BuildRequest) -> list[Path]:
    return [path for name, path in request.files.items() if name.endswith(".gguf")]


def _names(config: dict[str, Any]) -> list[str]:
    """Return the names of the architecture's weights, a tied output layer left out."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config))
    return sorted(name for name, _ in model.named_parameters())


def _write(gguf: Gguf, names: list[str], precision: str, out: Path) -> None:
    from safetensors.torch import save_file

    places: dict[str, str] = {}
    for number, tensors in enumerate(_shards(gguf, names, precision), 1):
        file = f"model-{number:05}.safetensors"
        save_file(tensors, str(out / file), metadata={"format": "pt"})
        places.update(dict.fromkeys(tensors, file))
    index = {"metadata": {}, "weight_map": places}
    (out / INDEX).write_bytes(msgspec.json.encode(index, order="sorted"))


def _shards(gguf: Gguf, names: list[str], precision: str) -> Iterator[dict[str, Any]]:
    import torch

    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
    held: dict[str, Any] = {}
    size = 0
    for name in names:
        tensor = torch.from_numpy(gguf.weight(name).copy()).to(kinds[precision])
        held[name] = tensor
        size += tensor.nbytes
        if size >= SHARD_BYTES:
            yield held
            held, size = {}, 0
    if held:
        yield held
