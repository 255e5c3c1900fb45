"""Export an encoder with optimum, check it against torch, quantise it."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steelyard.errors import PrepareError

OPSET = 18
# An export that only holds at the length it was traced with has been seen; so three lengths.
LENGTHS = (3, 33, 190)
TOLERANCE = 1e-4


def export(files: Mapping[str, Path], target: Path) -> tuple[int, float]:
    """Export the safetensors; return the parameters and the largest difference from torch."""
    import torch
    from optimum.exporters.onnx import onnx_export_from_model
    from transformers import AutoModel

    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        for wanted in ("config.json", "model.safetensors"):
            (folder / wanted).symlink_to(files[wanted].resolve())
        model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        made = folder / "export"
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of the tracer, on constants; lengths are checked below
            onnx_export_from_model(
                model.eval(), made, task="feature-extraction", opset=OPSET, do_validation=False
            )
        shutil.move(made / "model.onnx", target)
    difference = largest_difference(model, target)
    if difference > TOLERANCE:
        raise PrepareError(f"the ONNX export differs from torch by {difference:.1e}; not used")
    return int(model.num_parameters()), difference


def largest_difference(model: Any, path: Path) -> float:
    """Return the largest difference between torch and onnxruntime over three lengths."""
    import onnxruntime as ort
    import torch

    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [wanted.name for wanted in session.get_inputs()]
    largest = 0.0
    for length in LENGTHS:
        ids = torch.arange(length).reshape(1, -1) * 7 % model.config.vocab_size
        given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        given["token_type_ids"] = torch.zeros_like(ids)
        with torch.no_grad():
            expected = model(**given).last_hidden_state.numpy()
        got = session.run(None, {name: given[name].numpy() for name in names})[0]
        largest = max(largest, float(abs(expected - got).max()))
    return largest


def quantise(source: Path, target: Path, *, per_channel: bool) -> None:
    """Quantise the weights to int8; activations are quantised as they come.

    The preset decides little: arm64, avx512 and avx512_vnni give the same bytes.
    """
    from optimum.onnxruntime import ORTQuantizer
    from optimum.onnxruntime.configuration import AutoQuantizationConfig
    from transformers import PretrainedConfig

    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        shutil.copyfile(source, folder / "model.onnx")

        quantizer = ORTQuantizer(folder / "model.onnx", config=PretrainedConfig())
        preset = AutoQuantizationConfig.arm64(is_static=False, per_channel=per_channel)
        quantizer.quantize(save_dir=folder / "out", quantization_config=preset)
        shutil.move(folder / "out" / "model_quantized.onnx", target)
