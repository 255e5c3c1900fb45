"""What a record says that costs depend on: seconds, labels, correct answers, joules."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from msgspec import Struct

from steelyard.energy import Absent
from steelyard.loads import GenerateResult
from steelyard.record import Cell, EnergyReading, Host, Record
from steelyard.record_figures import counted, peak_bytes
from steelyard.stats import Quantile, percentile


class Workload(Struct, frozen=True, kw_only=True):
    """A model's work on a task, as it was measured on one machine.

    `seconds` are a call's p50, end to end, or `no_seconds` says why there are none: then only a
    service, which is not paid by the second, has a price. `correct` is the share of correct
    answers of `n`, or `no_correct` says why there is none. `labelled` items were used to train it
    or to choose its prompt. `input_tokens` is the mean length of the prompts that were generated
    from.
    """

    cell: Cell
    role: str
    labelled: int
    seconds: float | None = None
    no_seconds: str | None = None
    correct: float | None = None
    no_correct: str | None = None
    n: int | None = None
    reading: EnergyReading | None = None
    board: str | None = None
    processor: str | None = None
    memory_bytes: int | None = None
    input_tokens: float | None = None

    @property
    def name(self) -> str:
        """The model and its variant: `minilm-head@int8`."""
        return self.cell.name


def workload(record: Record, host: Host | None = None) -> Workload | Absent:
    """Return what a record says of cost; absent where the model answered nothing."""
    if not record.answered:
        return Absent(reason=f"{record.outcome}: {record.reason or 'no reason was kept'}")
    p50 = _p50(record)
    correct, no_correct, n = _correct(record)
    return Workload(
        cell=record.cell,
        role=record.role,
        seconds=p50.value / 1e9 if isinstance(p50, Quantile) else None,
        no_seconds=p50 if isinstance(p50, str) else None,
        labelled=_labelled(record),
        correct=correct,
        no_correct=no_correct,
        n=n,
        reading=None if record.broken("energy") else best_reading(record.energy),
        board=host.board if host else None,
        processor=host.cpu if host else None,
        memory_bytes=peak_bytes(record),
        input_tokens=_prompt_tokens(record),
    )


def best_reading(readings: Sequence[EnergyReading]) -> EnergyReading | None:
    """Return the reading of the best tier that has a figure; of one tier, what counts most.

    Only those that count the processor: what a graphics card used while a processor worked
    says nothing about the model.
    """
    return next(iter(counted(readings)), None)


def _p50(record: Record) -> Quantile | str:
    """Return the median of a valid window, or why there is none."""
    measured = record.measurement("latency_end_to_end")
    if measured is None or not measured.values:
        return "no latency was measured"
    if record.broken("latency"):
        return "the window of its latency was invalid"
    p50 = percentile(measured.values, 0.5)
    if isinstance(p50, Quantile):
        return p50 if p50.value > 0 else "a call took no time that the clock could tell"
    return p50.reason


def _correct(record: Record) -> tuple[float | None, str | None, int | None]:
    """Return the share of correct answers, or why there is none, and of how many."""
    score = record.score("accuracy")
    if score is None:
        return None, f"{record.metric} does not say which share of answers is correct", None
    if score.value <= 0:
        return None, f"none of {score.n} answers was correct", score.n
    return score.value, None, score.n


def _labelled(record: Record) -> int:
    trained = record.artifact.labelled_items if record.artifact else 0
    return trained + (record.prompt.n + record.prompt.shots if record.prompt else 0)


def _prompt_tokens(record: Record) -> float | None:
    lengths = [
        call.prompt_tokens
        for load in record.loads
        if isinstance(load, GenerateResult)
        for call in load.generations
    ]
    return fmean(lengths) if lengths else None
