"""What is known of a cell so far; it grows pass by pass, so that a late fault keeps the rest."""

from __future__ import annotations

from steelyard.api import Score
from steelyard.job import Loaded
from steelyard.loads import AnyLoadResult
from steelyard.plan import PlannedCell
from steelyard.prepare.artifacts import Artifact
from steelyard.prepare.data import Dataset
from steelyard.record import (
    CodecarbonReading,
    Dependability,
    EnergyReading,
    Evidence,
    Measurement,
    Outcome,
    Prediction,
    PromptChoice,
    Record,
    Sample,
    WarmUp,
)


class Findings:
    """A record in the making."""

    def __init__(self, planned: PlannedCell) -> None:
        self.planned = planned
        self.dataset: Dataset | None = None
        self.artifact: Artifact | None = None
        self.sample: Sample | None = None
        self.prompt: PromptChoice | None = None
        self.predictions: tuple[Prediction, ...] = ()
        self.scores: tuple[Score, ...] = ()
        self.warm_up: WarmUp | None = None
        self.measurements: list[Measurement] = []
        self.loads: list[AnyLoadResult] = []
        self.energy: tuple[EnergyReading, ...] = ()
        self.no_energy: tuple[str, ...] = ()
        self.codecarbon: CodecarbonReading | None = None
        self.evidence: list[Evidence] = []
        self.absent: list[tuple[str, str]] = []
        self.dependability: Dependability | None = None
        self.runs_on: tuple[str, ...] = ()
        self.recalled = 0
        self.warnings: list[str] = []
        self.invalid: list[str] = []

    def measured(self, quantity: str, unit: str, *values: int | None) -> None:
        """Keep the values of a quantity that were told."""
        known = tuple(value for value in values if value is not None)
        if known:
            self.measurements.append(
                Measurement(
                    quantity=quantity,
                    unit=unit,
                    values=known,
                    method="counter",
                    scope="call" if quantity.startswith("latency") else "process",
                )
            )

    def loaded(self, message: Loaded) -> None:
        """Keep how long the first session took to open, and what it says it runs on."""
        if not any(one.quantity == "load_time" for one in self.measurements):
            self.measured("load_time", "ns", message.seconds_ns)
            self.runs_on = message.runs_on

    def warn(self, warning: str | None) -> None:
        """Keep what a reader of the record must know."""
        if warning is not None:
            self.warnings.append(warning)

    def only_accuracy(self, reason: str) -> None:
        """Keep why nothing but accuracy was measured."""
        self.absent += [(quantity, reason) for quantity in ("latency_end_to_end", "memory_peak")]
        self.no_energy = (reason,)

    def record(self, outcome: Outcome, reason: str | None, started: str, seconds: float) -> Record:
        """Return what is known as a record."""
        planned = self.planned
        return Record(
            cell=planned.cell,
            outcome=outcome,
            reason=reason,
            started=started,
            seconds=round(seconds, 3),
            task_sha256=planned.task.sha256,
            model_sha256=planned.model.sha256,
            role=planned.model.card.role,
            precision=planned.variant.precision,
            backend=planned.variant.backend,
            threads=planned.threads,
            metric=planned.task.card.metric,
            artifact=self.artifact.ref if self.artifact else None,
            data_sha256=self.dataset.sha256 if self.dataset else None,
            sample=self.sample,
            prompt=self.prompt,
            scores=self.scores,
            warm_up=self.warm_up,
            measurements=tuple(self.measurements),
            parent=planned.variant.parent,
            memory_limit=planned.limit,
            loads=tuple(self.loads),
            energy=self.energy,
            no_energy=self.no_energy,
            codecarbon=self.codecarbon,
            evidence=tuple(self.evidence),
            absent=tuple(self.absent),
            dependability=self.dependability,
            runs_on=self.runs_on,
            subset=planned.subset,
            recalled=self.recalled,
            warnings=tuple(self.warnings),
        )
