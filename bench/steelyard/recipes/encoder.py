"""Make an encoder artefact: exported in full precision, quantised from that, or taken ready."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from steelyard.api import BuildReport, BuildRequest
from steelyard.errors import PrepareError
from steelyard.recipes import encoder_export, options

KNOWN = ("dimensions", "max_length", "output", "parameters", "per_channel", "pooling", "precision")
PACKAGES = {
    "fp32": ("torch", "transformers", "optimum", "onnx", "onnxruntime"),
    "int8": ("optimum", "onnx", "onnxruntime"),
    "ready": (),
}
FILES = {
    "fp32": ("config.json", "model.safetensors", "tokenizer.json"),
    "int8": (),
    "ready": ("model-int8.onnx", "tokenizer.json"),
}


class EncoderOnnx:
    """Writes `encoder.onnx`, `tokenizer.json` and `encoder.json`.

    Option `precision`: `fp32` exports the safetensors, `int8` quantises the base stage, `ready`
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
        absent = [name for name in FILES[precision] if name not in request.files]
        if absent:
            return f"the model's card has no file {', '.join(absent)}"
        if precision == "int8" and request.base is None:
            return "precision 'int8' is made from a base; name the fp32 stage as `base`"
        return options.missing(PACKAGES[precision]) or options.unknown(request.options, KNOWN)

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write the artefact."""
        precision = options.read(request.options, "precision", "fp32")
        parameters = options.read(request.options, "parameters", 0)
        if precision == "int8":
            return _quantised(request, out, parameters)
        (out / "encoder.json").write_bytes(_facts(request))
        shutil.copyfile(request.files["tokenizer.json"], out / "tokenizer.json")
        if precision == "ready":
            shutil.copyfile(request.files["model-int8.onnx"], out / "encoder.onnx")
            return BuildReport(parameters=parameters, notes=("int8 as published",))
        count, difference = encoder_export.export(request.files, out / "encoder.onnx")
        note = f"equals torch within {difference:.1e} at {len(encoder_export.LENGTHS)} lengths"
        return BuildReport(parameters=count, notes=(note,))


def _quantised(request: BuildRequest, out: Path, parameters: int) -> BuildReport:
    if request.base is None:
        raise PrepareError("precision 'int8' is made from a base; name the fp32 stage as `base`")
    per_channel = options.read(request.options, "per_channel", default=True)
    encoder_export.quantise(
        request.base / "encoder.onnx", out / "encoder.onnx", per_channel=per_channel
    )
    for name in ("encoder.json", "tokenizer.json"):
        shutil.copyfile(request.base / name, out / name)
    scope = "channel" if per_channel else "tensor"
    return BuildReport(parameters=parameters, notes=(f"dynamic int8, weights a {scope}",))


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
