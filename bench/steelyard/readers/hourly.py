"""Read one hourly series as forecasts to make: a history, and the hours that followed it."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from steelyard.api import ArrayItems, Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.notation import format_numbers

DAY = 24
_HOUR = timedelta(hours=1)
_Hours = Annotated[int, Meta(ge=1)]


class HourlyOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns of the file and lengths in hours.

    The last `tests` forecasts of `horizon` hours, one after the other, are test items; train items
    forecast hours before those, every `stride` hours back from them. `prefix` begins every id.
    """

    time: str
    value: str
    history: _Hours
    horizon: _Hours
    tests: _Hours
    stride: _Hours
    prefix: str = "hour"


class Hourly:
    """Reader `hourly`: a CSV with one row an hour. Items have an array and the same as text."""

    def read_arrays(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],  # noqa: ARG002
    ) -> ArrayItems:
        """Return the windows: histories as float32[history], what followed as numbers."""
        import numpy as np

        how = _options(options)
        if len(paths) != 1:
            raise PrepareError(f"reader 'hourly' reads one file, the card names {len(paths)}")
        ((name, path),) = paths.items()
        times, values = _series(path, name, how)
        items: list[Item] = []
        arrays: list[object] = []
        for start, tested in windows(len(values), how):
            history = values[start - how.history : start]
            items.append(
                Item(
                    id=f"{how.prefix}-{times[start]:%Y-%m-%dT%H}",
                    text=in_words(history),
                    label=format_numbers(values[start : start + how.horizon]),
                    fold=0 if tested else None,
                )
            )
            arrays.append(np.array(history, dtype="<f4"))
        return ArrayItems(items=tuple(items), arrays=tuple(arrays))


def windows(hours: int, how: HourlyOptions) -> list[tuple[int, bool]]:
    """Return the first forecast hour of each window, in order, and whether it is a test item's.

    No train item forecasts an hour of the test part; a test item's history may reach into what
    trained, as it would in use.
    """
    tested = hours - how.tests * how.horizon
    starts = range(tested - how.horizon, how.history - 1, -how.stride)
    if tested < how.history or not starts:
        raise PrepareError(
            f"{hours} hours are too few for {how.tests} tests of {how.horizon} hours after "
            f"{how.history}, and one forecast to train on; change reader.options"
        )
    train = [(start, False) for start in reversed(starts)]
    return train + [(tested + number * how.horizon, True) for number in range(how.tests)]


def in_words(history: Sequence[float]) -> str:
    """Return a history in words: whole numbers (four digits where they are smaller), a day a line.

    Fewer digits are fewer tokens to a model that is asked in words.
    """
    numbers = [f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}" for value in history]
    days = [numbers[start : start + DAY] for start in range(0, len(numbers), DAY)]
    return "\n".join(" ".join(day) for day in days)


def _series(path: Path, name: str, how: HourlyOptions) -> tuple[list[datetime], list[float]]:
    """Return times and values; raise PrepareError where an hour is missing or is no number."""
    times: list[datetime] = []
    values: list[float] = []
    for where, time, value in _rows(path, name, how):
        try:
            times.append(datetime.fromisoformat(time))
            values.append(float(value))
        except ValueError as error:
            raise PrepareError(f"{where}: {error}") from error
        if not math.isfinite(values[-1]):
            raise PrepareError(f"{where}: {value!r}, expected a finite number")
        if len(times) > 1 and times[-1] - times[-2] != _HOUR:
            raise PrepareError(f"{where}: {time}, expected one hour after {times[-2]}")
    return times, values


def _rows(path: Path, name: str, how: HourlyOptions) -> Iterator[tuple[str, str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        missing = sorted({how.time, how.value} - set(rows.fieldnames or ()))
        if missing:
            there = ", ".join(rows.fieldnames or ()) or "none"
            raise PrepareError(f"{name}: no column {missing[0]!r}; there is {there}")
        for row in rows:
            yield f"{name}:{rows.line_num}", row[how.time] or "", row[how.value] or ""


def _options(given: Mapping[str, Option]) -> HourlyOptions:
    try:
        return msgspec.convert(dict(given), HourlyOptions)
    except msgspec.ValidationError as error:
        raise PrepareError(f"reader.options: {error}") from error
