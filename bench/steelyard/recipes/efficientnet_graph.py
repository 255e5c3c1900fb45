"""EfficientNet-Lite as ONNX, straight from its weights: no code of a network is needed.

Widths, kernels and repeats are read off the weights; the strides of the seven stages are
EfficientNet's (Tan and Le, 1905.11946, table 1). The lite variants have no squeeze-and-excitation
and ReLU6 throughout, which is what makes them fit for int8. Padding is TensorFlow's "same".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from steelyard.errors import PrepareError

OPSET = 18
IR_VERSION = 9  # of the time of opset 17 to 19; runtimes refuse a newer one than they know
STRIDES = (1, 2, 2, 2, 1, 2, 1)
EPSILON = 1e-3  # of batch normalisation, TensorFlow's
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours
CLASSES = "_fc"
# Names of nodes that int8 may leave as they are, beside the first, "conv_stem".
MEANS, HEAD = "means", "head"


class Sight(Struct, frozen=True, kw_only=True):
    """What a network is shown: pictures of `height` x `width`, grey or in colour, then resized."""

    height: int
    width: int
    channels: int
    size: int


def graph(weights: Mapping[str, Any], sight: Sight, head: tuple[Any, Any] | None) -> bytes:
    """Return picture float32[B, channels, height, width] of 0 to 1 -> `scores` float32[B, C].

    `head` is weight (C, F) and bias (C); without one the features, (B, F), are the scores.
    """
    drawing = _Drawing(weights)
    shown = _features(drawing, _resized(drawing, sight))
    if head is not None:
        names = [drawing.constant("head.weight", head[0]), drawing.constant("head.bias", head[1])]
        shown = drawing.add("Gemm", [shown, *names], name=HEAD, transB=1)
    drawing.add("Identity", [shown], made="scores")
    return drawing.model(sight, weights["_conv_head.weight"].shape[0] if head is None else None)


def own_head(weights: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the head for ImageNet's 1,000 classes that came with the weights."""
    return weights[f"{CLASSES}.weight"], weights[f"{CLASSES}.bias"]


class _Drawing:
    """An ONNX graph that grows node by node; weights are folded with their normalisation."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self.weights = weights
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def constant(self, name: str, value: Any) -> str:
        """Keep a constant and return its name."""
        self._constants[name] = value
        return name

    def add(self, kind: str, given: list[str], made: str | None = None, **attributes: Any) -> str:
        """Add a node of one output and return its name."""
        from onnx import helper

        made = made or f"{kind.lower()}{len(self._nodes)}"
        named = {"name": made, **attributes}
        self._nodes.append(helper.make_node(kind, given, [made], **named))
        return made

    def convolution(self, shown: str, layer: str, norm: str, stride: int = 1) -> str:
        """Add a convolution with the batch normalisation behind it."""
        import numpy as np

        weight = self.weights[f"{layer}.weight"]
        scale, shift, mean, variance = (
            self.weights[f"{norm}.{part}"]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = scale / np.sqrt(variance + np.float32(EPSILON))
        names = [
            self.constant(f"{layer}.weight", weight * factor[:, None, None, None]),
            self.constant(f"{layer}.bias", shift - mean * factor),
        ]
        grouped = weight.shape[1] == 1 and weight.shape[0] > 1
        return self.add(
            "Conv",
            [shown, *names],
            name=layer.strip("_"),
            auto_pad="SAME_UPPER",
            strides=[stride, stride],
            kernel_shape=list(weight.shape[2:]),
            group=weight.shape[0] if grouped else 1,
        )

    def clipped(self, shown: str) -> str:
        """Add ReLU6."""
        import numpy as np

        limits = [
            self.constant("lowest", np.array(0, np.float32)),
            self.constant("highest", np.array(6, np.float32)),
        ]
        return self.add("Clip", [shown, *limits])

    def model(self, sight: Sight, features: int | None) -> bytes:
        """Return the model; its output is as wide as the head, or `features` without one."""
        from onnx import TensorProto, checker, helper, numpy_helper

        wide = features or len(self._constants["head.bias"])
        shape = ["B", sight.channels, sight.height, sight.width]
        given = helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)
        told = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["B", wide])
        kept = [numpy_helper.from_array(value, name) for name, value in self._constants.items()]
        made = helper.make_model(
            helper.make_graph(self._nodes, "efficientnet-lite", [given], [told], kept),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="steelyard",
        )
        checker.check_model(made)
        return bytes(made.SerializeToString(deterministic=True))


def _resized(drawing: _Drawing, sight: Sight) -> str:
    """Return the picture in three colours, normalised as ImageNet's are, at the network's size."""
    import numpy as np

    shown = "picture"
    if (sight.height, sight.width) != (sight.size, sight.size):
        size = drawing.constant("size", np.array([sight.size, sight.size], np.int64))
        given = ["picture", "", "", size]
        shown = drawing.add("Resize", given, mode="linear", axes=[2, 3], antialias=1)
    if sight.channels == 1:
        shown = drawing.add("Concat", [shown] * 3, axis=1)
    for kind, values in (("Sub", MEAN), ("Div", DEVIATION)):
        constant = drawing.constant(kind, np.array(values, np.float32).reshape(1, 3, 1, 1))
        shown = drawing.add(kind, [shown, constant])
    return shown


def _features(drawing: _Drawing, shown: str) -> str:
    """Return the means of the last layer's channels, (B, F)."""
    shown = drawing.clipped(drawing.convolution(shown, "_conv_stem", "_bn0", 2))
    stage, width, number = -1, 0, 0
    while f"_blocks.{number}._project_conv.weight" in drawing.weights:
        made = drawing.weights[f"_blocks.{number}._project_conv.weight"].shape[0]
        stage += made != width
        if stage >= len(STRIDES):
            raise PrepareError("these weights have more stages than an EfficientNet")
        shown = _block(drawing, shown, number, STRIDES[stage] if made != width else 1)
        width, number = made, number + 1
    if stage != len(STRIDES) - 1:
        raise PrepareError(f"these weights have {stage + 1} stages, an EfficientNet has 7")
    shown = drawing.clipped(drawing.convolution(shown, "_conv_head", "_bn1"))
    return drawing.add("Flatten", [drawing.add("GlobalAveragePool", [shown], name=MEANS)], axis=1)


def _block(drawing: _Drawing, shown: str, number: int, stride: int) -> str:
    """Return an inverted bottleneck: widen, look around, narrow, and add what came in."""
    name, came = f"_blocks.{number}.", shown
    if f"{name}_expand_conv.weight" in drawing.weights:
        shown = drawing.clipped(drawing.convolution(shown, f"{name}_expand_conv", f"{name}_bn0"))
    shown = drawing.clipped(
        drawing.convolution(shown, f"{name}_depthwise_conv", f"{name}_bn1", stride)
    )
    shown = drawing.convolution(shown, f"{name}_project_conv", f"{name}_bn2")
    narrow = drawing.weights[f"{name}_project_conv.weight"].shape[0]
    first = drawing.weights.get(f"{name}_expand_conv.weight")
    wide = first.shape[1] if first is not None else len(drawing.weights[f"{name}_bn1.weight"])
    return drawing.add("Add", [shown, came]) if stride == 1 and wide == narrow else shown


def size(weights: Mapping[str, Any]) -> int:
    """Return the number of trained weights up to the features, those of normalisation included."""
    learned = (".weight", ".bias")
    return int(
        sum(
            value.size
            for name, value in weights.items()
            if name.endswith(learned) and not name.startswith(CLASSES)
        )
    )
