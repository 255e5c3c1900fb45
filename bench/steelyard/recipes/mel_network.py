"""The small network over mel bands: trained with torch, written as ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from steelyard.errors import PrepareError
from steelyard.recipes import sound_export

# (channels out, width, stride, dilation): the last sees 45 frames of 16 ms, a word.
LAYERS = ((48, 5, 2, 1), (64, 5, 2, 1), (64, 5, 1, 2))
FEWEST = 45
BATCH = 32
RATE = 2e-3
DECAY = 1e-2
WIDEST_MASK = 8  # bands or frames hidden in training (SpecAugment, 1904.08779)


def train(
    inputs: Sequence[Any], answers: Sequence[int], labels: int, *, epochs: int, seed: int
) -> dict[str, Any]:
    """Return trained weights by name; inputs are (bands, frames), all of one size.

    Raises PrepareError for clips shorter than what the last convolution sees.
    """
    import numpy as np
    import torch

    if inputs[0].shape[1] < FEWEST:
        raise PrepareError(f"clips of {inputs[0].shape[1]} frames; this network takes {FEWEST}")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in one order
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            given = torch.from_numpy(np.stack(inputs)), torch.tensor(list(answers))
            model = _network(int(given[0].shape[1]), labels)
            _fit(model, *given, epochs)
    finally:
        torch.set_num_threads(threads)
    return {name: value.detach().numpy() for name, value in model.state_dict().items()}


def _network(bands: int, labels: int) -> Any:
    from torch import nn

    convolutions, given = [], bands
    for made, width, stride, dilation in LAYERS:
        convolutions.append(nn.Conv1d(given, made, width, stride=stride, dilation=dilation))
        given = made
    return nn.ModuleDict(
        {"convolutions": nn.ModuleList(convolutions), "head": nn.Linear(2 * given, labels)}
    )


def _scores(model: Any, inputs: Any) -> Any:
    import torch

    for convolution in model["convolutions"]:
        inputs = torch.relu(convolution(inputs))
    return model["head"](torch.cat([inputs.mean(dim=2), inputs.amax(dim=2)], dim=1))


def _fit(model: Any, inputs: Any, answers: Any, epochs: int) -> None:
    import torch
    from torch.nn.functional import cross_entropy

    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    steps = epochs * -(-len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=RATE, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs)).split(BATCH):
            loss = cross_entropy(_scores(model, _masked(inputs[rows])), answers[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()


def _masked(inputs: Any) -> Any:
    """Hide a few bands and a few frames, the same of the whole batch."""
    import torch

    made = inputs.clone()
    for axis in (1, 2):
        width = int(torch.randint(WIDEST_MASK + 1, ()))
        begin = int(torch.randint(made.shape[axis] - width + 1, ()))
        made.narrow(axis, begin, width).zero_()
    return made


def graph(weights: dict[str, Any]) -> bytes:
    """Return the network as ONNX: features float32[B, bands, frames] -> scores float32[B, C]."""
    from onnx import helper, numpy_helper

    nodes, shown = [], "features"
    for number, (_, _, stride, dilation) in enumerate(LAYERS):
        names = [f"convolutions.{number}.{part}" for part in ("weight", "bias")]
        kinds: dict[str, Any] = {"strides": [stride], "dilations": [dilation]}
        nodes.append(helper.make_node("Conv", [shown, *names], [f"sum{number}"], **kinds))
        nodes.append(helper.make_node("Relu", [f"sum{number}"], [f"layer{number}"]))
        shown = f"layer{number}"
    nodes += [
        helper.make_node("GlobalAveragePool", [shown], ["means"]),
        helper.make_node("GlobalMaxPool", [shown], ["highest"]),
        helper.make_node("Concat", ["means", "highest"], ["both"], axis=1),
        helper.make_node("Flatten", ["both"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "head.weight", "head.bias"], ["scores"], transB=1),
    ]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    bands, labels = weights["convolutions.0.weight"].shape[1], len(weights["head.bias"])
    return sound_export.model(nodes, constants, ["B", bands, "T"], ["B", labels])
