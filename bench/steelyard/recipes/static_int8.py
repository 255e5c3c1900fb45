"""Quantise weights and activations of an ONNX model to int8, the ranges taken from train items."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from steelyard.errors import PrepareError

# What `quantise` imports, for a recipe's `refuse`, and what decides its bytes, for its `tools`.
PACKAGES = ("onnx", "onnxruntime")
TOOLS = ("numpy", "onnx", "onnxruntime")


def quantise(
    source: Path,
    target: Path,
    batches: Iterable[Mapping[str, Any]],
    keep: Collection[str] = (),
) -> None:
    """Write the int8 twin of the fp32 model `source` to `target`.

    `batches` are inputs as the session gives them, input name -> array, each at most once and each
    of train items: from them come the smallest and largest value of every activation. Weights are
    symmetric and per channel, activations signed too: onnxruntime's advice for models that must
    run on x86 and Arm alike. Nodes whose names are in `keep` stay as they are. Raises PrepareError
    where there is no batch, or nothing to quantise.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folded, made = Path(name) / "folded.onnx", Path(name) / "int8.onnx"
        _fold(source, folded)
        quantize_static(
            folded,
            made,
            _reader(batches),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            nodes_to_exclude=_named(source, keep),
        )
        _check(source, made)
        shutil.move(made, target)


def _fold(source: Path, target: Path) -> None:
    """Fold constants and batch normalisation, which would be quantised apart otherwise."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    # Symbolic shapes would need sympy; convolutions and linear layers do not need them.
    quant_pre_process(str(source), str(target), skip_symbolic_shape=True)


def _named(source: Path, keep: Collection[str]) -> list[str]:
    """Return the names of `keep`; raise PrepareError for one that no node has."""
    import onnx

    if not keep:
        return []
    graph = onnx.load(str(source), load_external_data=False).graph
    missing = sorted(set(keep) - {node.name for node in graph.node})
    if missing:
        raise PrepareError(f"{source.name}: no node {', '.join(missing)} to keep as it is")
    return sorted(keep)


def _reader(batches: Iterable[Mapping[str, Any]]) -> Any:
    """Return `batches` as onnxruntime asks for them: one at a time, None at the end."""
    from onnxruntime.quantization import CalibrationDataReader

    class Batches(CalibrationDataReader):  # type: ignore[misc]  # its class has no stubs
        def __init__(self, given: Iterator[Mapping[str, Any]]) -> None:
            self._given = given

        def get_next(self) -> Any:
            given = next(self._given, None)
            return None if given is None else dict(given)

    return Batches(_some(batches))


def _some(batches: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the batches; raise PrepareError where there is none."""
    empty = True
    for batch in batches:
        empty = False
        yield batch
    if empty:
        raise PrepareError("static int8 needs train items to take the ranges from, got none")


def _check(source: Path, made: Path) -> None:
    """Refuse a model in which nothing was quantised: it would be fp32 under a wrong name."""
    import onnx

    graph = onnx.load(str(made), load_external_data=False).graph
    if not any(node.op_type == "QuantizeLinear" for node in graph.node):
        raise PrepareError(
            f"{source.name}: no operator of it can be quantised; keep the fp32 variant alone"
        )
