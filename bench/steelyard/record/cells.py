"""A cell: which artefact answered which items, how it was asked, what it said."""

from __future__ import annotations

from typing import Literal

from steelyard.record.base import Recorded

Normalisation = Literal["sum", "mean"]
Calibration = Literal["none", "neutral", "train"]


class Cell(Recorded, frozen=True, kw_only=True):
    """Task x model x variant x device; its id reads `spam/minilm-head@int8/cpu-1t`."""

    task: str
    model: str
    variant: str
    device: str

    @property
    def id(self) -> str:
        return f"{self.task}/{self.name}/{self.device}"

    @property
    def name(self) -> str:
        """Say which model in which variant."""
        return f"{self.model}@{self.variant}"


class Subset(Recorded, frozen=True, kw_only=True):
    """Which train items a point of a learning curve learned from, in every fold.

    `labels` is how many were drawn, None for all, and `draw` which of several draws. `variant` is
    the card's own: the cell's is named after all three, `fp32-8x0`.
    """

    variant: str
    labels: int | None = None
    draw: int = 0


class ArtifactRef(Recorded, frozen=True, kw_only=True):
    """An artefact by its content: `sha256` is over the sorted list of its files' hashes."""

    sha256: str
    size_bytes: int
    recipe_sha256: str
    parameters: int
    labelled_items: int = 0
    notes: tuple[str, ...] = ()


class Sample(Recorded, frozen=True, kw_only=True):
    """Which test items were asked: all, or a seeded stratified sample."""

    n: int
    of: int
    seed: int | None = None


class PromptChoice(Recorded, frozen=True, kw_only=True):
    """How a generalist was asked and what the choice was made on.

    `accuracy`, there and in `candidates`, is the share of `n` train items with the right label.
    Where the model wrote its answers it is the task's own score of them, which `metric` names;
    labels were then not scored (no `normalisation`), and `unreadable` answers were empty ones.
    """

    paraphrase: int
    normalisation: Normalisation | None = None
    calibration: Calibration
    shots: int
    accuracy: float
    n: int
    candidates: tuple[tuple[str, float], ...]
    prefix: str
    suffix: str
    max_chars: int
    priors: tuple[float, ...] = ()
    metric: str = "accuracy"
    unreadable: int = 0


class Prediction(Recorded, frozen=True, kw_only=True):
    """What a model answered to one item; kept beside the run file, not in it.

    Items of one `group` are not independent of each other: they are drawn together.
    """

    id: str
    expected: str
    answer: str
    scores: tuple[float, ...] | None = None
    group: str | None = None
