"""Make a label-scoring ONNX decoder from a GGUF file: graph, weights, tokenizer, chat template."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import psutil

from steelyard.api import BuildReport, BuildRequest
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.recipes.decoder_chat import chat_json, chat_pieces, tokenizer_of
from steelyard.recipes.decoder_gguf import Gguf
from steelyard.recipes.decoder_weights import Blocks, Halved, Precision, Storage, write

NEEDED = ("torch", "transformers", "accelerate", "gguf", "onnx", "tokenizers")
PRECISIONS = ("fp32", "fp16", "int8", "int4-mixed")
# Seen: 0.9 GB for a file of 0.1 GB, 2.6 for 0.5, 4.0 for 1.1, the libraries included.
MEMORY_BASE = 1_300_000_000
MEMORY_PER_BYTE = 3
DEFAULTS: dict[str, Option] = {"precision": "int8", "block_size": 32, "accuracy_level": 4}


class GgufDecoder:
    """Writes `model.onnx`, `model.onnx.data`, `tokenizer.json` and `chat.json`.

    Options: `precision` (fp32, fp16, int8, int4-mixed), `block_size`, `accuracy_level` (of
    MatMulNBits: 1 computes in fp32, 4 with int8 activations). With fp16 the file is halved and the
    matrices are cast when it is loaded: onnxruntime multiplies halves on few CPUs.
    """

    version = 1
    trains = False
    tools = ("torch", "transformers", "accelerate", "gguf", "onnx", "tokenizers", "numpy")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, file or option is wrong, or return None."""
        missing = [name for name in NEEDED if find_spec(name) is None]
        if missing:
            return f"{', '.join(missing)} not installed\ntry: pip install 'steelyard[export]'"
        if len(_gguf_files(request)) != 1:
            return "recipe 'gguf-decoder' needs one .gguf file in the card"
        return _refuse_options(request.options) or _refuse_memory(
            _gguf_files(request)[0].stat().st_size, psutil.virtual_memory().available
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write the artefact; the weights pass through memory one tensor at a time."""
        from steelyard.recipes.decoder_graph import PREFIX, trace

        refusal = self.refuse(request)
        if refusal is not None:
            raise PrepareError(refusal)
        gguf = Gguf(_gguf_files(request)[0])
        vocabulary = gguf.vocabulary()
        tokenizer = tokenizer_of(vocabulary)
        tokenizer.save(str(out / "tokenizer.json"))
        (out / "chat.json").write_bytes(chat_json(chat_pieces(vocabulary, tokenizer)))
        config = gguf.config()
        graph = trace(config)
        plan = storage(_options(request.options), int(config["num_hidden_layers"]))
        write(graph, gguf.weight, out, PREFIX, plan)
        return BuildReport(parameters=gguf.parameters)


def storage(options: Precision, layers: int) -> Callable[[str], Storage]:
    """Return how each matrix is stored, by its name in transformers."""
    eight = Blocks(bits=8, size=options.block_size, accuracy_level=options.accuracy_level)
    four = Blocks(bits=4, size=options.block_size, accuracy_level=options.accuracy_level)
    ends = (f"model.layers.{i}." for i in (0, 1, layers - 2, layers - 1))
    careful = ("model.embed_tokens", "lm_head", *ends)

    def plan(weight: str) -> Storage:
        if options.precision == "fp32":
            return None
        if options.precision == "fp16":
            return Halved()
        if options.precision == "int8" or weight.startswith(careful):
            return eight
        return four

    return plan


def _gguf_files(request: BuildRequest) -> list[Path]:
    return [path for name, path in request.files.items() if name.endswith(".gguf")]


def _options(options: Mapping[str, Option]) -> Precision:
    chosen = {**DEFAULTS, **options}
    return Precision(
        precision=str(chosen["precision"]),
        block_size=int(str(chosen["block_size"])),
        accuracy_level=int(str(chosen["accuracy_level"])),
    )


def _refuse_memory(file_bytes: int, available: int) -> str | None:
    needed = MEMORY_BASE + MEMORY_PER_BYTE * file_bytes
    if needed <= available:
        return None
    return (
        f"building needs about {needed / 1e9:.1f} GB of memory, {available / 1e9:.1f} GB is free; "
        "build on a larger machine and copy its cache here"
    )


def _refuse_options(options: Mapping[str, Option]) -> str | None:
    unknown = sorted(set(options) - set(DEFAULTS))
    if unknown:
        known = ", ".join(DEFAULTS)
        return f"recipe 'gguf-decoder' has no option {', '.join(unknown)}; it has: {known}"
    for name, value in options.items():
        if type(value) is not type(DEFAULTS[name]):
            return f"{name}: expected {type(DEFAULTS[name]).__name__}, got {value!r}"
    chosen = _options(options)
    if chosen.precision not in PRECISIONS:
        return f"precision: {chosen.precision!r} is none of {', '.join(PRECISIONS)}"
    if chosen.block_size not in (16, 32, 64, 128, 256):
        return f"block_size: {chosen.block_size} is none of 16, 32, 64, 128, 256"
    if chosen.accuracy_level not in range(5):
        return f"accuracy_level: {chosen.accuracy_level} is none of 0 to 4"
    return None
