"""Generate the models: a look-up, a stack of layers, two labels; and the inputs of each.

The signature is a text classifier's (`input_ids`, `attention_mask` -> `logits`), so that tools
which open nothing but transformers' models open these. The bytes depend on the versions of onnx and
numpy only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from msgspec import Struct
from onnx import TensorProto, helper, numpy_helper

VOCABULARY, LABELS, ITEMS, SEED = 1000, 2, 8, 0
OPSET, IR_VERSION = 17, 8


class Toy(Struct, frozen=True, kw_only=True):
    """How large a model is: `tokens` x `width` through `layers` square layers."""

    name: str
    tokens: int
    width: int
    layers: int


# Named by what a call takes on one core of a server at 2.5 GHz.
TOYS = (
    Toy(name="0.1-ms", tokens=16, width=192, layers=6),
    Toy(name="1-ms", tokens=32, width=384, layers=8),
)


def write(toy: Toy, folder: Path) -> None:
    """Write `model.onnx`, `config.json` and `inputs.npz` into a new folder."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(SEED)
    onnx.save(_model(toy, draw), folder / "model.onnx")
    ids = draw.integers(0, VOCABULARY, size=(ITEMS, 1, toy.tokens), dtype=np.int64)
    np.savez(folder / "inputs.npz", input_ids=ids, attention_mask=np.ones_like(ids))
    (folder / "config.json").write_text(json.dumps(_config(toy)))


def _config(toy: Toy) -> dict[str, Any]:
    """Return what transformers must know: a DistilBERT of this shape, which takes these inputs."""
    return {
        "model_type": "distilbert",
        "architectures": ["DistilBertForSequenceClassification"],
        "vocab_size": VOCABULARY,
        "dim": toy.width,
        "n_layers": toy.layers,
        "n_heads": 4,
        "max_position_embeddings": toy.tokens,
        "num_labels": LABELS,
    }


def _model(toy: Toy, draw: np.random.Generator) -> Any:
    graph = helper.make_graph(
        _nodes(toy),
        "toy",
        [_value("input_ids", TensorProto.INT64), _value("attention_mask", TensorProto.INT64)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", LABELS])],
        _weights(toy, draw),
    )
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, ir_version=IR_VERSION, opset_imports=[opset])


def _value(name: str, kind: int) -> Any:
    return helper.make_tensor_value_info(name, kind, ["batch", "tokens"])


def _weights(toy: Toy, draw: np.random.Generator) -> list[Any]:
    shapes = {"table": (VOCABULARY, toy.width), "head": (toy.width, LABELS)}
    shapes.update({f"layer_{number}": (toy.width, toy.width) for number in range(toy.layers)})
    scale = np.sqrt(2 / toy.width)
    return [
        numpy_helper.from_array((draw.standard_normal(shape) * scale).astype(np.float32), name)
        for name, shape in shapes.items()
    ]


def _nodes(toy: Toy) -> list[Any]:
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["embedded"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], ["last"], value_ints=[2]),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["embedded", "column"], ["at_0"]),
    ]
    for number in range(toy.layers):
        nodes += [
            helper.make_node("MatMul", [f"at_{number}", f"layer_{number}"], [f"sum_{number}"]),
            helper.make_node("Relu", [f"sum_{number}"], [f"at_{number + 1}"]),
        ]
    return [
        *nodes,
        helper.make_node("ReduceMean", [f"at_{toy.layers}"], ["pooled"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["pooled", "head"], ["logits"]),
    ]
