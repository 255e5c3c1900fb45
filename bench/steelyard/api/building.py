"""How an artefact is made of files and of labelled items."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from steelyard.api.items import TrainingSet
from steelyard.card import Option


class BuildRequest(Struct, frozen=True, kw_only=True):
    """What a recipe starts from. `files` maps a card's file names to verified paths.

    `arrays` is the folder of the task's arrays (steelyard.arrays), where its items have any.
    """

    files: Mapping[str, Path]
    options: Mapping[str, Option]
    threads: int
    base: Path | None = None
    training: TrainingSet | None = None
    arrays: Path | None = None


class BuildReport(Struct, frozen=True, kw_only=True):
    """What a recipe says of what it made. `labelled_items` counts the labels it learned from."""

    parameters: int
    labelled_items: int = 0
    notes: tuple[str, ...] = ()


class Recipe(Protocol):
    """Makes an artefact: a folder. The same request and tools give the same bytes.

    `version` changes whenever the output could. `trains` says that the artefact depends on the
    task: the request then has `training`, and the recipe writes one folder a fold, `fold-0`,
    `fold-1`, ..., each complete in itself. Otherwise it writes straight into `out`.
    `tools` names the distributions whose versions belong to the cache key.
    """

    version: int
    trains: bool
    tools: tuple[str, ...]

    def refuse(self, request: BuildRequest) -> str | None:
        """Say, before any slow step, why this machine cannot build it and what to do."""
        ...

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write the artefact into the existing empty folder `out`."""
        ...
