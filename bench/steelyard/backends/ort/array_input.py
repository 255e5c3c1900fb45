"""How a picture or a stretch of a signal becomes a network's input; recipes train on the same."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.errors import WorkerError

FACTS, GRAPH = "array.json", "array.onnx"

Input = NDArray[np.float32]


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `array.json` holds.

    The graph takes `input`, (B, channels, ...), and gives `output`, (B, labels), before softmax.
    `layout` says where the channels of an item's array stand; `flat` is an array of one channel
    without an axis for it. An input is (array - mean) * scale, with one value a channel, or one for
    all. With `shape`, the sizes of the axes that are no channels, an array is cropped around its
    middle or filled up around it: with zeros after scaling, or with itself over again.
    """

    labels: tuple[str, ...]
    input: str
    output: str
    layout: Literal["flat", "channels-last", "channels-first"]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    shape: tuple[int, ...] | None = None
    fill: Literal["zero", "repeat"] = "zero"


class Preparation:
    """Makes inputs of arrays as `facts` says."""

    def __init__(self, facts: Facts) -> None:
        self._layout, self._shape = facts.layout, facts.shape
        self._fill = {} if facts.fill == "zero" else {"mode": "wrap"}
        self._mean = np.asarray(facts.mean, np.float32)
        self._scale = np.asarray(facts.scale, np.float32)

    def __call__(self, array: Any) -> Input:
        """Return the input of one item, (1, channels, ...); raise WorkerError where it has none."""
        values = self._channels_first(np.asarray(array))
        for constants in (self._mean, self._scale):
            if constants.size not in {1, values.shape[0]}:
                raise WorkerError(
                    f"an array with {values.shape[0]} channels; the artefact was made for "
                    f"{constants.size}; prepare it again"
                )
        column = (-1,) + (1,) * (values.ndim - 1)
        scaled = (values.astype(np.float32) - self._mean.reshape(column)) * self._scale.reshape(
            column
        )
        return np.ascontiguousarray(self._fitted(scaled)[None], np.float32)

    def _channels_first(self, array: NDArray[Any]) -> NDArray[Any]:
        if self._layout == "flat":
            return array[None]
        return np.moveaxis(array, -1, 0) if self._layout == "channels-last" else array

    def _fitted(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return (channels, ...) at the sizes of `shape`, the middle kept."""
        if self._shape is None or values.shape[1:] == self._shape:
            return values
        if len(self._shape) != values.ndim - 1 or 0 in values.shape:
            raise WorkerError(
                f"an array of shape {values.shape} (channels first) cannot be fitted to "
                f"{self._shape}; check the layout in the artefact's {FACTS}"
            )
        for axis, size in enumerate(self._shape, start=1):
            values = self._along(values, axis, size)
        return values

    def _along(self, values: NDArray[Any], axis: int, size: int) -> NDArray[Any]:
        spare = size - values.shape[axis]
        before = abs(spare) // 2
        if spare < 0:
            return values.take(range(before, before + size), axis)
        pads = [(0, 0)] * values.ndim
        pads[axis] = (before, spare - before)
        return np.pad(values, pads, **self._fill)  # type: ignore[no-any-return,call-overload]
