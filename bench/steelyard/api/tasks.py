"""How files become items, and answers become scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from steelyard.api.items import Answer, Item
from steelyard.card import Label, Option


class Reader(Protocol):
    """Turns files into items.

    `paths` maps a card's file names to a file, or to a folder for a `File` with `extract`.
    With an official split the reader sets `fold` (None: train, 0: test); else it leaves None.
    """

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]: ...


class ArrayItems(Struct, frozen=True, kw_only=True):
    """Items, and the array (numpy, one dtype and number of axes) of each; a text is optional."""

    items: tuple[Item, ...]
    arrays: tuple[Any, ...]


@runtime_checkable
class ArrayReader(Protocol):
    """Turns files into items that are images, sounds or signals; else as a `Reader`."""

    def read_arrays(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> ArrayItems: ...


class Score(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A metric with its 95 % interval. `low` and `high` are absent where there is none."""

    metric: str
    value: float
    n: int
    low: float | None = None
    high: float | None = None
    method: str | None = None


class Scorer(Protocol):
    """Scores answers. Returns the task's metric first, then what else it knows."""

    def score(
        self,
        answers: Sequence[Answer],
        expected: Sequence[str],
        labels: Sequence[Label],
        options: Mapping[str, Option],
    ) -> list[Score]: ...


@runtime_checkable
class WeighingScorer(Scorer, Protocol):
    """A scorer that also scores many draws of the same items; what a paired bootstrap needs."""

    def weighted(
        self,
        answers: Sequence[Answer],
        expected: Sequence[str],
        labels: Sequence[Label],
        options: Mapping[str, Option],
    ) -> Callable[[Any], Any]:
        """Return a function of counts (numpy integers, a row a draw, a column an item).

        It returns the task's metric of each row (numpy floats), nan where it is not defined.
        """
        ...
