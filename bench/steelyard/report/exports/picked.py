"""Which cells an export is about: those of one model in one variant, or all."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from steelyard.errors import UnknownNameError
from steelyard.record import Record, RunFile
from steelyard.verdict.matching import latest


class Picked(Struct, frozen=True, kw_only=True):
    """The latest records of one model in one variant, in the order of the runs."""

    model: str
    variant: str
    found: tuple[tuple[RunFile, Record], ...]

    @property
    def name(self) -> str:
        """Say which model in which variant."""
        return f"{self.model}@{self.variant}"


def all_models(runs: Sequence[RunFile]) -> tuple[Picked, ...]:
    """Return every model and variant of the runs."""
    grouped: dict[tuple[str, str], list[tuple[RunFile, Record]]] = {}
    for run, record in latest(runs):
        grouped.setdefault((record.cell.model, record.cell.variant), []).append((run, record))
    return tuple(
        Picked(model=model, variant=variant, found=tuple(found))
        for (model, variant), found in grouped.items()
    )


def one_model(runs: Sequence[RunFile], name: str | None) -> Picked:
    """Return the model `name`, with `@variant` where it was run in several; or the only one.

    Raises UnknownNameError, naming what there is.
    """
    known = all_models(runs)
    fits = [one for one in known if name in {None, one.name, one.model}]
    if len(fits) == 1:
        return fits[0]
    there = ", ".join(one.name for one in fits or known) or "none"
    if name is None:
        raise UnknownNameError(f"name one model with --model; there is {there}")
    why = "was run in several variants" if fits else "is not in these runs"
    raise UnknownNameError(f"--model {name}: {why}; there is {there}")
