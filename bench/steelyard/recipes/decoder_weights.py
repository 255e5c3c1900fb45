"""Put weights into a traced graph, one tensor at a time: as they are, halved, or in blocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Weight = Callable[[str], FloatArray]

# Rows are quantised in slices so that a large embedding needs no second copy of itself.
SLICE = 16384
ALIGNMENT = 4096


class Blocks(Struct, frozen=True, kw_only=True):
    """How a matrix is quantised: `bits` a weight, one scale and zero point every `size` inputs."""

    bits: int
    size: int
    accuracy_level: int


class Halved(Struct, frozen=True, kw_only=True):
    """A matrix is kept in fp16 and cast to fp32 when the graph is loaded."""


Storage = Blocks | Halved | None


class Precision(Struct, frozen=True, kw_only=True):
    """What a card asks of the weights, and MatMulNBits' attributes."""

    precision: str
    block_size: int
    accuracy_level: int


class Quantised(Struct, frozen=True, kw_only=True):
    """A matrix in MatMulNBits' layout: packed (n, blocks, bytes), scales and zero points a row."""

    packed: NDArray[np.uint8]
    scales: FloatArray
    zeros: NDArray[np.uint8]


def quantise(matrix: FloatArray, blocks: Blocks) -> Quantised:
    """Round each block of each row to `bits` bits between its smallest and largest value."""
    rows = range(0, matrix.shape[0], SLICE)
    parts = [_quantise_rows(matrix[row : row + SLICE], blocks) for row in rows]
    return Quantised(
        packed=np.concatenate([part.packed for part in parts]),
        scales=np.concatenate([part.scales for part in parts]),
        zeros=np.concatenate([part.zeros for part in parts]),
    )


def _quantise_rows(matrix: FloatArray, blocks: Blocks) -> Quantised:
    steps = np.float32(2**blocks.bits - 1)
    cut = matrix.reshape(matrix.shape[0], -1, blocks.size)
    low = np.minimum(cut.min(axis=2), np.float32(0))
    high = np.maximum(cut.max(axis=2), np.float32(0))
    scales = (high - low) / steps
    scales[scales == 0] = 1
    zeros = np.rint(-low / scales)
    moved = np.rint(cut / scales[:, :, None]) + zeros[:, :, None]
    levels = np.clip(moved, 0, steps).astype(np.uint8)
    return Quantised(
        packed=pack(levels, blocks.bits),
        scales=scales,
        zeros=pack(np.clip(zeros, 0, steps).astype(np.uint8), blocks.bits),
    )


def pack(levels: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Put two 4-bit levels into a byte, the earlier one low; 8-bit levels stay as they are."""
    if bits == 8:
        return levels
    if levels.shape[-1] % 2:
        last = np.zeros((*levels.shape[:-1], 1), dtype=np.uint8)
        levels = np.concatenate([levels, last], axis=-1)
    packed = levels[..., ::2] | np.left_shift(levels[..., 1::2], 4)
    return packed.astype(np.uint8)


class DataFile:
    """The file of weights beside the graph; tensors are appended, none is held."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._name = name

    def add(self, name: str, values: NDArray[Any]) -> Any:
        """Append a tensor and return the initializer that points at it."""
        import onnx

        start = -(-self._stream.tell() // ALIGNMENT) * ALIGNMENT
        self._stream.write(b"\0" * (start - self._stream.tell()))
        stored = np.ascontiguousarray(values)
        self._stream.write(stored.data)
        kind = onnx.helper.np_dtype_to_tensor_dtype(values.dtype)
        tensor = onnx.TensorProto(name=name, data_type=kind, dims=values.shape)
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", self._name), ("offset", start), ("length", stored.nbytes)):
            tensor.external_data.add(key=key, value=str(value))
        return tensor


class Users:
    """Which nodes of a graph read which value."""

    def __init__(self, graph: Any) -> None:
        self._nodes: dict[str, list[Any]] = {}
        for node in graph.node:
            for value in node.input:
                self._nodes.setdefault(value, []).append(node)

    def of(self, value: str, kind: str) -> list[Any]:
        """Return the nodes of one kind that read `value`."""
        return [node for node in self._nodes.get(value, []) if node.op_type == kind]


class Filler:
    """Replaces the weight inputs of a traced graph by initializers."""

    def __init__(self, graph: Any, data: DataFile) -> None:
        self._graph = graph
        self._data = data
        self._users = Users(graph)

    def fill(self, name: str, values: FloatArray, storage: Storage) -> None:
        """Store one weight and rewrite what reads it: linear layers and embeddings."""
        turns = self._users.of(name, "Transpose")
        looks = self._users.of(name, "Gather")
        if isinstance(storage, Blocks) and values.ndim == 2 and values.shape[1] % storage.size == 0:
            self._fill_quantised(name, values, storage, turns, looks)
            return
        halved = isinstance(storage, Halved) and values.ndim == 2
        add = self._add_halved if halved else self._add
        if turns and not looks:
            add(turns[0].output[0], values.T)
            self._graph.node.remove(turns[0])
        else:
            add(name, values)

    def _fill_quantised(
        self, name: str, values: FloatArray, blocks: Blocks, turns: list[Any], looks: list[Any]
    ) -> None:
        stored = quantise(values, blocks)
        self._add(f"{name}.B", stored.packed)
        self._add(f"{name}.scales", stored.scales)
        self._add(f"{name}.zeros", stored.zeros)
        for node in looks:
            _look_up(self._graph, node, values.shape)
        for turn in turns:
            for node in self._users.of(turn.output[0], "MatMul"):
                _multiply(node, name, blocks, values.shape)
            self._graph.node.remove(turn)

    def _add_halved(self, name: str, values: FloatArray) -> None:
        import onnx

        self._add(f"{name}.half", values.astype(np.float16))
        cast = onnx.helper.make_node(
            "Cast", [f"{name}.half"], [name], name=f"{name}.cast", to=onnx.TensorProto.FLOAT
        )
        self._graph.node.insert(0, cast)

    def _add(self, name: str, values: NDArray[Any]) -> None:
        self._graph.initializer.append(self._data.add(name, values))


def _multiply(node: Any, name: str, blocks: Blocks, shape: tuple[int, ...]) -> None:
    """Turn a MatMul with a transposed weight into MatMulNBits."""
    import onnx

    rows, columns = shape
    made = onnx.helper.make_node(
        "MatMulNBits",
        [node.input[0], f"{name}.B", f"{name}.scales", f"{name}.zeros"],
        list(node.output),
        name=f"{node.name}_nbits",
        domain="com.microsoft",
        K=columns,
        N=rows,
        bits=blocks.bits,
        block_size=blocks.size,
        accuracy_level=blocks.accuracy_level,
    )
    node.CopyFrom(made)


def _look_up(graph: Any, node: Any, shape: tuple[int, ...]) -> None:
    """Turn an embedding look-up into one that dequantises only the rows it takes.

    Plain operators over the output layer's own 8-bit layout, so that tied weights are stored once.
    """
    import onnx

    name, ids = node.input
    base = f"{node.name}_rows"
    make = onnx.helper.make_node
    made = [
        make("Gather", [f"{name}.B", ids], [f"{base}_q"], axis=0),
        make("Gather", [f"{name}.scales", ids], [f"{base}_s"], axis=0),
        make("Gather", [f"{name}.zeros", ids], [f"{base}_z"], axis=0),
        make("Cast", [f"{base}_q"], [f"{base}_qf"], to=onnx.TensorProto.FLOAT),
        make("Cast", [f"{base}_z"], [f"{base}_zf"], to=onnx.TensorProto.FLOAT),
        make("Unsqueeze", [f"{base}_zf", f"{base}_last"], [f"{base}_zu"]),
        make("Unsqueeze", [f"{base}_s", f"{base}_last"], [f"{base}_su"]),
        make("Sub", [f"{base}_qf", f"{base}_zu"], [f"{base}_c"]),
        make("Mul", [f"{base}_c", f"{base}_su"], [f"{base}_w"]),
        make("Reshape", [f"{base}_w", f"{base}_flat"], list(node.output)),
    ]
    for index, inner in enumerate(made):
        inner.name = f"{base}_{index}"
    _, columns = shape
    last = onnx.numpy_helper.from_array(np.array([-1], np.int64), f"{base}_last")
    flat = onnx.numpy_helper.from_array(np.array([0, 0, columns], np.int64), f"{base}_flat")
    graph.initializer.extend([last, flat])
    at = list(graph.node).index(node)
    graph.node.remove(node)
    for inner in reversed(made):
        graph.node.insert(at, inner)


def write(
    model: Any, weight: Weight, out: Path, prefix: str, plan: Callable[[str], Storage]
) -> None:
    """Fill a traced model's inputs named `prefix` + weight; write `model.onnx` and its data."""
    import onnx

    graph = model.graph
    names = [value.name for value in graph.input if value.name.startswith(prefix)]
    kept = [value for value in graph.input if not value.name.startswith(prefix)]
    data = out / "model.onnx.data"
    with data.open("wb") as stream:
        filler = Filler(graph, DataFile(stream, data.name))
        for name in names:
            wanted = name.removeprefix(prefix)
            filler.fill(name, weight(wanted), plan(wanted))
    del graph.input[:]
    graph.input.extend(kept)
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    (out / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
