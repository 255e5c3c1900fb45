"""Read labelled series in the .ts format of the time series classification archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec import field
from numpy.typing import NDArray

from steelyard.api import ArrayItems, Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.rows import Parts, chosen_files, decode_options, read_text

DATA = "@data"


class SeriesOptions(Parts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files are train and test; `labels` gives the task's label of each class value."""

    labels: dict[str, str] = field(default_factory=dict)


class Case(NamedTuple):
    """One line: its series, (samples,) or (samples, dimensions), and its class value."""

    series: NDArray[np.float32]
    label: str


class TsSeries:
    """Reader `ts-series`: values divided by commas, dimensions and the class by colons."""

    def read_arrays(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> ArrayItems:
        """Return the series of the files as 32-bit floats; lengths may differ."""
        how = decode_options(options, SeriesOptions)
        known = {label.id for label in labels}
        items, arrays = [], []
        for name, path, part in chosen_files(paths, how):
            middle = f"-{part}" if part else ""
            text = read_text(path, name, how.encoding)
            for number, case in enumerate(cases(text, name), start=1):
                label = how.labels.get(case.label, case.label)
                if label not in known:
                    raise PrepareError(f"{name}: label {label!r} is not a label of the task")
                key = f"{how.prefix}{middle}-{number:04d}"
                items.append(Item(id=key, label=label, fold=0 if part == "test" else None))
                arrays.append(case.series)
        return ArrayItems(items=tuple(items), arrays=tuple(arrays))


def cases(text: str, name: str) -> Iterator[Case]:
    """Yield the lines after `@data`; raise PrepareError for what is no labelled series."""
    started = False
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if started:
            yield _case(line, f"{name}:{number}")
        elif line.startswith("@"):
            started = line.lower() == DATA
        else:
            raise PrepareError(f"{name}:{number}: data before {DATA}; not a .ts file")
    if not started:
        raise PrepareError(f"{name}: no {DATA} in it; not a .ts file")


def _case(line: str, where: str) -> Case:
    *dimensions, label = line.split(":")
    if not dimensions or not label.strip():
        raise PrepareError(f"{where}: no class after the last colon")
    if "(" in line:
        raise PrepareError(f"{where}: values with time stamps are not read")
    rows = [_values(dimension, where) for dimension in dimensions]
    if len({row.size for row in rows}) != 1:
        raise PrepareError(f"{where}: dimensions of different lengths are not read")
    series = rows[0] if len(rows) == 1 else np.stack(rows, axis=1)
    return Case(series, label.strip())


def _values(text: str, where: str) -> NDArray[np.float32]:
    try:
        values = np.array([float(value) for value in text.split(",")], "<f4")
    except ValueError as error:
        raise PrepareError(f"{where}: {error}; missing values are not read") from error
    if not np.all(np.isfinite(values)):
        raise PrepareError(f"{where}: a value is missing or not finite")
    return values
