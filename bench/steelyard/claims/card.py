"""What a claims.toml says: statements as hypotheses, each with its test, threshold and rule."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from steelyard import catalog
from steelyard.card import Declaration, Name, Text
from steelyard.errors import CardError
from steelyard.units_in import SizeError, parse_size

Kind = Literal[
    "efficiency",
    "cost",
    "speed",
    "energy",
    "score",
    "embedding",
    "break-even",
    "dependability",
]


class Claim(Declaration, frozen=True, kw_only=True):
    """A statement and how it is tried.

    `threshold` is what `metric` is held against, in `unit` (for `score`: the level of its test).
    A task counts for or against. A claim is supported when more than `share` of the tasks that
    could tell speak for it, refuted when so many speak against it that this is out of reach, and
    undecided with fewer than `minimum_tasks`. `rule` and `metric` may hold
    {threshold}, {share}, {minimum_tasks}, {budgets}. `budgets` serve `embedding`: the least is what
    must be held.
    """

    id: Name
    statement: Text
    documents: Annotated[tuple[Text, ...], Meta(min_length=1)]
    metric: Text
    test: Kind
    threshold: Annotated[float, Meta(gt=0)]
    unit: Text
    rule: Text
    minimum_tasks: Annotated[int, Meta(ge=1)] = 3
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    budgets: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        for budget in self.budgets:
            try:
                parse_size(budget)
            except SizeError as error:
                raise ValueError(f"{self.id}: budgets: {error}") from error
        if self.test == "embedding" and not self.budgets:
            raise ValueError(f"{self.id}: a test of kind 'embedding' needs budgets")
        if self.test in {"embedding", "dependability"} and self.threshold >= 1:
            raise ValueError(f"{self.id}: threshold: expected a share below 1")

    def said(self, text: str) -> str:
        """Return `rule` or `metric` on one line, with this claim's figures in it."""
        figures = {
            "{threshold}": f"{self.threshold:g}",
            "{share}": _share(self.share),
            "{minimum_tasks}": str(self.minimum_tasks),
            "{budgets}": " or ".join(self.budgets),
        }
        said = " ".join(text.split())
        for place, figure in figures.items():
            said = said.replace(place, figure)
        return said


class ClaimsFile(Declaration, frozen=True, kw_only=True):
    """All claims, and what stands under them whatever was measured.

    `helps_large` is known to help the large side and no version here does it; `figures` are the
    documents' that are about business and not about models; `untested` their other statements.
    """

    schema: Literal[1]
    claims: Annotated[tuple[Claim, ...], Meta(min_length=1)]
    helps_large: tuple[Text, ...] = ()
    untested: tuple[Text, ...] = ()
    figures: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        twice = [name for name, n in Counter(one.id for one in self.claims).items() if n > 1]
        if twice:
            raise ValueError(f"claims: the id {twice[0]!r} is given twice")


def load(path: Path | None = None) -> ClaimsFile:
    """Read a claims file; without one, the shipped. Raises CardError naming file and key."""
    if path is None:
        shipped = files("steelyard") / "data" / "claims.toml"
        return decode(shipped.read_bytes(), "data/claims.toml")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CardError(f"{path}: {error.strerror}; expected a claims file") from error
    return decode(data, str(path))


def decode(data: bytes, where: str) -> ClaimsFile:
    """Decode a claims file; raise CardError naming `where` and the key."""
    return catalog.decode(data, ClaimsFile, where)


def _share(share: float) -> str:
    return "half" if share == 0.5 else f"{share:.0%}"
