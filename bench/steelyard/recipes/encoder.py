"""Make an encoder artefact: exported in full precision, quantised from that, or taken ready."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from steelyard.api import BuildReport, BuildRequest
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.recipes import encoder_export, encoder_precision, options

KNOWN = (
    "block_size",
    "dimensions",
    "max_length",
    "output",
    "parameters",
    "per_channel",
    "pooling",
    "precision",
)
BLOCK_SIZES = (16, 32, 64, 128, 256)
LOWERED = ("int8", *encoder_precision.LOWERED)
PACKAGES = {
    "fp32": ("torch", "transformers", "optimum", "onnx", "onnxruntime"),
    "int8": ("optimum", "onnx", "onnxruntime"),
    "ready": (),
    "fp16": ("onnx", "onnxruntime"),
    "int8-static": ("onnx", "onnxruntime", "tokenizers"),
    "int4": ("onnx", "onnx_ir", "onnxruntime"),
}
FILES: dict[str, tuple[str, ...]] = {
    "fp32": ("config.json", "model.safetensors", "tokenizer.json"),
    "ready": ("model-int8.onnx", "tokenizer.json"),
}


class EncoderOnnx:
    """Writes `encoder.onnx`, `tokenizer.json` and `encoder.json`.

    Option `precision`: `fp32` exports the safetensors; `int8` (scales as they come), `int8-static`
    (fixed scales), `int4` (blocks of `block_size`) and `fp16` are made from the base stage; `ready`
    takes the ONNX file of the card.
    """

    version = 1
    trains = False
    tools: tuple[str, ...] = (
        "onnx",
        "onnxruntime",
        "optimum",
        "optimum-onnx",
        "torch",
        "transformers",
    )

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which option, file or package is wrong, or return None."""
        precision = options.read(request.options, "precision", "fp32")
        if precision not in PACKAGES:
            return f"options.precision: {precision!r} is none of {', '.join(PACKAGES)}"
        absent = [name for name in FILES.get(precision, ()) if name not in request.files]
        if absent:
            return f"the model's card has no file {', '.join(absent)}"
        if precision in LOWERED and request.base is None:
            return f"precision {precision!r} is made from a base; name the fp32 stage as `base`"
        if options.read(request.options, "block_size", 32) not in BLOCK_SIZES:
            return f"options.block_size: expected one of {', '.join(map(str, BLOCK_SIZES))}"
        return options.missing(PACKAGES[precision]) or options.unknown(request.options, KNOWN)

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write the artefact."""
        precision = options.read(request.options, "precision", "fp32")
        parameters = options.read(request.options, "parameters", 0)
        if precision in LOWERED:
            return _lowered(request, out, precision)
        (out / "encoder.json").write_bytes(_facts(request))
        shutil.copyfile(request.files["tokenizer.json"], out / "tokenizer.json")
        if precision == "ready":
            shutil.copyfile(request.files["model-int8.onnx"], out / "encoder.onnx")
            return BuildReport(parameters=parameters, notes=("int8 as published",))
        count, difference = encoder_export.export(request.files, out / "encoder.onnx")
        note = f"equals torch within {difference:.1e} at {len(encoder_export.LENGTHS)} lengths"
        return BuildReport(parameters=count, notes=(note,))


def _lowered(request: BuildRequest, out: Path, precision: str) -> BuildReport:
    if request.base is None:
        raise PrepareError(
            f"precision {precision!r} is made from a base; name the fp32 stage as `base`"
        )
    for name in ("encoder.json", "tokenizer.json"):
        shutil.copyfile(request.base / name, out / name)
    if precision == "int8":
        note = _dynamic(request.base, out, request.options)
    else:
        target = out / "encoder.onnx"
        note = encoder_precision.lower(precision, request.base, target, request.options)
    parameters = options.read(request.options, "parameters", 0)
    return BuildReport(parameters=parameters, notes=(note,))


def _dynamic(base: Path, out: Path, given: Mapping[str, Option]) -> str:
    per_channel = options.read(given, "per_channel", default=True)
    encoder_export.quantise(base / "encoder.onnx", out / "encoder.onnx", per_channel=per_channel)
    return f"dynamic int8, weights a {'channel' if per_channel else 'tensor'}"


def _facts(request: BuildRequest) -> bytes:
    read = request.options
    facts = {
        "max_length": options.read(read, "max_length", 256),
        "pooling": options.read(read, "pooling", "mean"),
        "normalise": True,
        "output": options.read(read, "output", "last_hidden_state"),
        "dimensions": options.read(read, "dimensions", 384),
    }
    return msgspec.json.encode(facts, order="sorted")
