"""Figures of a record that several judges read: by one rule, whoever asks."""

from __future__ import annotations

from collections.abc import Iterable

from steelyard.record import EnergyReading, Record

# The tier of what no meter has read.
MODELLED = 3
# What the process ever needed: the peak that was reset after loading forgets what loading took.
PEAKS = ("memory_after_load", "memory_peak")


def counted(readings: Iterable[EnergyReading]) -> list[EnergyReading]:
    """Return the readings with a figure that count the processor, best tier first.

    What a graphics card used while a processor worked says nothing about the model. Of one tier,
    what counts most comes first.
    """
    known = [
        reading
        for reading in readings
        if reading.gross_j is not None and {"board", "cpu"} & set(reading.covers)
    ]
    return sorted(known, key=_rank)


def alike(
    first: Iterable[EnergyReading], second: Iterable[EnergyReading]
) -> tuple[EnergyReading, EnergyReading] | None:
    """Return the best reading of each that counted the same parts, in one tier and scope."""
    theirs = counted(second)
    pairs = ((a, b) for a in counted(first) for b in theirs if _kind(a) == _kind(b))
    return next(pairs, None)


def tier(reading: EnergyReading) -> int:
    """Return a reading's tier; of one that tells none, that of models."""
    return reading.tier or MODELLED


def peak_bytes(record: Record) -> int | None:
    """Return the most that the memory pass held, loading included; None if it was not measured."""
    found = (record.measurement(quantity) for quantity in PEAKS)
    values = [int(value) for measured in found if measured for value in measured.values]
    return max(values, default=None)


def _rank(reading: EnergyReading) -> tuple[int, bool, int]:
    return tier(reading), "board" not in reading.covers, -len(reading.covers)


def _kind(reading: EnergyReading) -> tuple[int, frozenset[str], str | None]:
    return tier(reading), frozenset(reading.covers), reading.scope
