"""A record -> the figure of a quantity, or why there is none."""

from __future__ import annotations

from msgspec import Struct

from steelyard import record_figures
from steelyard.history.types import Quantity
from steelyard.record import EnergyReading, Record
from steelyard.stats import Quantile
from steelyard.verdict.matching import latency

UNITS: dict[Quantity, str] = {"latency": "s", "memory": "B", "size": "B", "energy": "J"}
NOT_MEASURED = "not measured"


class Figure(Struct, frozen=True, kw_only=True):
    """A value in SI units, or the reason that there is none."""

    value: float | None = None
    reason: str | None = None


class Alike(Struct, frozen=True, kw_only=True):
    """What the figures of one series have in common: the metric, and how energy was counted."""

    metric: str
    counted: EnergyReading | None = None


def figure(record: Record, quantity: Quantity, alike: Alike) -> Figure:
    """Return one quantity of a record, of `alike` only."""
    if not record.answered:
        said = record.reason or "no reason was recorded"
        return Figure(reason=f"{record.outcome.replace('_', ' ')}: {said}")
    match quantity:
        case "latency":
            return _latency(record)
        case "score":
            score = record.score(alike.metric)
            return _known(score.value if score else None, f"no {alike.metric} was kept")
        case "memory":
            return _known(record_figures.peak_bytes(record))
        case "size":
            return _known(record.artifact.size_bytes if record.artifact else None)
        case "energy":
            return _energy(record, alike.counted)


def counted(record: Record) -> EnergyReading | None:
    """Return the reading that counts: the best that a sensor or a meter made, no model's."""
    readings = (
        reading
        for reading in record_figures.counted(record.energy)
        if record_figures.tier(reading) < record_figures.MODELLED
    )
    return next(readings, None)


def _latency(record: Record) -> Figure:
    if record.broken("latency"):
        return Figure(reason="the window was invalid")
    found = latency(record, "latency_end_to_end", 0.5)
    if isinstance(found, Quantile):
        return Figure(value=found.value / 1e9)
    return Figure(reason=found.reason if found else NOT_MEASURED)


def _energy(record: Record, like: EnergyReading | None) -> Figure:
    if like is None:
        return Figure(reason="no sensor counted it")
    pair = record_figures.alike((like,), record.energy)
    return _known(pair[1].gross_j if pair else None, "not counted as in the latest run")


def _known(value: float | None, otherwise: str = NOT_MEASURED) -> Figure:
    return Figure(reason=otherwise) if value is None else Figure(value=float(value))
