"""A small convolutional network over stretches of signals: build, train, export. Needs torch."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from msgspec import Struct
from torch import nn

from steelyard.errors import PrepareError

INPUT, OUTPUT = "signal", "logits"
OPSET = 17
TOLERANCE = 1e-4


class Training(Struct, frozen=True, kw_only=True):
    """How a network is trained: `width` channels in its first layer, `steps` batches."""

    width: int
    steps: int
    batch: int
    rate: float
    seed: int


class Network(nn.Module):  # type: ignore[misc]  # torch's types are not read
    """Four convolutions, the mean and the largest value of each channel, a linear layer.

    It sees each channel twice: its level, as a signed logarithm, which keeps small values as they
    are and large ones within reach (what an appliance draws spans four orders of magnitude), and
    its form, with the mean and the deviation of the stretch taken out.
    """

    def __init__(self, channels: int, labels: int, width: int) -> None:
        super().__init__()
        sizes = (2 * channels, width, 2 * width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for number, kernel in enumerate((9, 7, 5, 3)):
            stride = 2 if number < 3 else 1
            layers += [
                nn.Conv1d(
                    sizes[number], sizes[number + 1], kernel, stride, kernel // 2, bias=False
                ),
                nn.BatchNorm1d(sizes[number + 1]),
                nn.ReLU(),
            ]
        self.layers = nn.Sequential(*layers)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(2 * sizes[-1], labels)

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        centred = signal - signal.mean(dim=2, keepdim=True)
        form = centred / (centred.square().mean(dim=2, keepdim=True).sqrt() + 1e-6)
        level = torch.sign(signal) * torch.log1p(signal.abs())
        found = self.layers(torch.cat([level, form], dim=1))
        pooled = torch.cat([found.mean(dim=2), found.amax(dim=2)], dim=1)
        return self.head(self.drop(pooled))


def train(inputs: torch.Tensor, targets: torch.Tensor, labels: int, how: Training) -> Network:
    """Return a network trained on inputs (items, channels, samples); the same bytes each time.

    One thread, since sums over several depend on their number.
    """
    with _repeatable(how.seed) as draws:
        model: Network = Network(inputs.shape[1], labels, how.width).train()
        optimiser = torch.optim.AdamW(model.parameters(), lr=how.rate, weight_decay=0.01)
        plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, how.rate, total_steps=how.steps)
        loss = nn.CrossEntropyLoss(label_smoothing=0.05)
        for rows in _batches(len(inputs), how, draws):
            optimiser.zero_grad()
            loss(model(_varied(inputs[rows], draws)), targets[rows]).backward()
            optimiser.step()
            plan.step()
    model.eval()
    return model


def predict(model: Network, inputs: torch.Tensor) -> list[int]:
    """Return the number of the most probable label of each input."""
    with torch.no_grad():
        return [int(row) for part in inputs.split(256) for row in model(part).argmax(dim=1)]


def parameters(model: Network) -> int:
    """Return how many numbers were trained."""
    return sum(weight.numel() for weight in model.parameters())


def export(model: Network, probe: torch.Tensor, target: Path) -> None:
    """Write the ONNX file; raise PrepareError where it says other than torch."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer: batches of other sizes are checked below
        torch.onnx.export(
            model,
            (probe[:2],),
            str(target),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "batch"}, OUTPUT: {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
        expected = model(probe).numpy()
    difference = float(abs(_run(target, probe) - expected).max())
    if difference > TOLERANCE:
        raise PrepareError(f"the ONNX network differs from torch by {difference:.1e}; not used")


def _run(path: Path, probe: torch.Tensor) -> Any:
    import onnxruntime as ort

    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run([OUTPUT], {INPUT: probe.numpy()})[0]


def _batches(
    count: int, how: Training, draws: torch.Generator
) -> Generator[Sequence[int] | torch.Tensor]:
    """Yield the rows of `steps` batches, all items once before any comes again."""
    queue = torch.empty(0, dtype=torch.int64)
    for _ in range(how.steps):
        while len(queue) < min(how.batch, count):
            queue = torch.cat([queue, torch.randperm(count, generator=draws)])
        yield queue[: how.batch]
        queue = queue[how.batch :]


def _varied(inputs: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    """Return inputs a little louder or softer, and shifted in time: neither changes the label."""
    loudness = torch.exp(0.1 * torch.randn(len(inputs), 1, 1, generator=draws))
    reach = max(1, inputs.shape[2] // 8)
    shift = int(torch.randint(-reach, reach + 1, (1,), generator=draws))
    return torch.roll(inputs, shift, dims=2) * loudness


@contextmanager
def _repeatable(seed: int) -> Generator[torch.Generator]:
    """Fix what sums and random numbers depend on; put it back afterwards."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield torch.Generator().manual_seed(seed)
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
