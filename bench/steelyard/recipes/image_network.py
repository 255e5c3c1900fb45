"""A small convolutional network over greyscale pictures: trained with torch, written as ONNX.

Five convolutions of 3 x 3, each normalised over the batch, then the mean and the maximum of every
channel, then a layer. Pictures are averaged down first: a defect is looked for in the whole cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct

OPSET = 17
IR_VERSION = 9  # of the time of opset 17 to 19; runtimes refuse a newer one than they know
CHANNELS = (12, 24, 48, 64)
HALVED = 3  # so many convolutions are followed by a maximum over 2 x 2
LARGE = 64
BATCH = 32
RATE = 3e-3
DECAY = 1e-2
DROPOUT = 0.3
SMOOTHING = 0.05
EPSILON = 1e-5


class Shape(Struct, frozen=True, kw_only=True):
    """What a network is made for: pictures of `height` x `width`, averaged by `pool`, `labels`."""

    height: int
    width: int
    pool: int
    labels: int

    @property
    def stride(self) -> int:
        """Return the stride of the first convolution: small pictures keep their pixels."""
        return 2 if min(self.height, self.width) // self.pool >= LARGE else 1


class Lesson(Struct, frozen=True, kw_only=True):
    """How long to train, and whether pictures may be turned: one upside down stays what it is."""

    epochs: int
    turned: bool
    seed: int


def train(
    pictures: Any, answers: Sequence[int], shape: Shape, lesson: Lesson
) -> tuple[tuple[Any, Any], ...]:
    """Return (weight, bias) a layer, batch normalisation folded in; pictures are (N, 1, H, W)."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in one order; and two wait for each other on a busy machine
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(lesson.seed)
            given = torch.from_numpy(pictures)
            inputs = torch.nn.functional.avg_pool2d(given, shape.pool)
            network = _network(shape)
            _fit(network, inputs, torch.tensor(list(answers)), lesson)
    finally:
        torch.set_num_threads(before)
    return _folded(network)


def _network(shape: Shape) -> Any:
    from torch import nn

    convolutions, norms = nn.ModuleList(), nn.ModuleList()
    widths = [1, *CHANNELS, CHANNELS[-1]]
    for number, (given, made) in enumerate(pairwise(widths)):
        stride = 1 if number else shape.stride
        convolutions.append(nn.Conv2d(given, made, 3, stride, 1, bias=False))
        norms.append(nn.BatchNorm2d(made, eps=EPSILON))
    return nn.ModuleDict(
        {
            "convolutions": convolutions,
            "norms": norms,
            "head": nn.Linear(2 * CHANNELS[-1], shape.labels),
        }
    )


def _scores(network: Any, inputs: Any) -> Any:
    import torch
    from torch.nn.functional import dropout, max_pool2d

    for number, (layer, norm) in enumerate(
        zip(network["convolutions"], network["norms"], strict=True)
    ):
        inputs = torch.relu(norm(layer(inputs)))
        if number < HALVED:
            inputs = max_pool2d(inputs, 2)
    both = torch.cat([inputs.mean(dim=(2, 3)), inputs.amax(dim=(2, 3))], dim=1)
    return network["head"](dropout(both, DROPOUT, training=network.training))


def _fit(network: Any, inputs: Any, answers: Any, lesson: Lesson) -> None:
    import torch
    from torch.nn.functional import cross_entropy

    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    # A last batch of one could not be normalised.
    per_epoch = max(1, len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=RATE, total_steps=lesson.epochs * per_epoch
    )
    network.train()
    for _ in range(lesson.epochs):
        for rows in torch.randperm(len(inputs))[: per_epoch * BATCH].split(BATCH):
            shown = _changed(inputs[rows], turned=lesson.turned)
            scores = _scores(network, shown)
            loss = cross_entropy(scores, answers[rows], label_smoothing=SMOOTHING)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    network.eval()


def _changed(batch: Any, *, turned: bool) -> Any:
    """Mirror pictures by chance; if `turned`, rotate them by quarters, or by halves if oblong."""
    import torch

    quarters = (0, 1, 2, 3) if batch.shape[2] == batch.shape[3] else (0, 2)
    made = []
    for picture, draw in zip(batch, torch.randint(2 * len(quarters), (len(batch),)), strict=True):
        turns = quarters[int(draw) // 2] if turned else 0
        mirrored = torch.flip(picture, (2,)) if int(draw) % 2 else picture
        made.append(torch.rot90(mirrored, turns, (1, 2)))
    return torch.stack(made)


def _folded(network: Any) -> tuple[tuple[Any, Any], ...]:
    import torch

    layers = []
    with torch.no_grad():
        for layer, norm in zip(network["convolutions"], network["norms"], strict=True):
            factor = norm.weight / torch.sqrt(norm.running_var + EPSILON)
            weight = layer.weight * factor[:, None, None, None]
            layers.append((weight.numpy(), (norm.bias - norm.running_mean * factor).numpy()))
        head = network["head"]
        layers.append((head.weight.numpy().copy(), head.bias.numpy().copy()))
    return tuple(layers)


def graph(layers: Sequence[tuple[Any, Any]], shape: Shape) -> bytes:
    """Return the network as ONNX: picture float32[B, 1, H, W] -> scores float32[B, C]."""
    from onnx import TensorProto, checker, helper, numpy_helper

    constants = [
        numpy_helper.from_array(value, f"{kind}{number}")
        for number, pair in enumerate(layers)
        for kind, value in zip(("weight", "bias"), pair, strict=True)
    ]
    given = helper.make_tensor_value_info(
        "picture", TensorProto.FLOAT, ["B", 1, shape.height, shape.width]
    )
    told = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["B", shape.labels])
    made = helper.make_model(
        helper.make_graph(_nodes(len(layers) - 1, shape), "image", [given], [told], constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="steelyard",
    )
    checker.check_model(made)
    return bytes(made.SerializeToString(deterministic=True))


def _nodes(count: int, shape: Shape) -> list[Any]:
    from onnx import helper

    square = [shape.pool, shape.pool]
    nodes = [
        helper.make_node("AveragePool", ["picture"], ["layer"], kernel_shape=square, strides=square)
    ]
    shown = "layer"
    for number in range(count):
        stride = 1 if number else shape.stride
        names = [shown, f"weight{number}", f"bias{number}"]
        kinds: dict[str, Any] = {"strides": [stride] * 2, "pads": [1] * 4}
        nodes.append(helper.make_node("Conv", names, [f"sum{number}"], **kinds))
        nodes.append(helper.make_node("Relu", [f"sum{number}"], [f"made{number}"]))
        shown = f"made{number}"
        if number < HALVED:
            pool: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]}
            nodes.append(helper.make_node("MaxPool", [shown], [f"half{number}"], **pool))
            shown = f"half{number}"
    head = ["flat", f"weight{count}", f"bias{count}"]
    return [
        *nodes,
        helper.make_node("GlobalAveragePool", [shown], ["means"]),
        helper.make_node("GlobalMaxPool", [shown], ["highest"]),
        helper.make_node("Concat", ["means", "highest"], ["both"], axis=1),
        helper.make_node("Flatten", ["both"], ["flat"], axis=1),
        helper.make_node("Gemm", head, ["scores"], transB=1),
    ]
