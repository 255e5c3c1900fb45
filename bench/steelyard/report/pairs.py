"""A task's pairs as text cells: what `steelyard verdict` prints under the outcome."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import structs

from steelyard.report import verdicts
from steelyard.report.sheet import ABSENT, Column, Line, Sheet
from steelyard.report.units import clean
from steelyard.verdict import Comparison, TaskVerdict, Verdict, words
from steelyard.verdict.needs import NOT_MEASURED
from steelyard.verdict.types import Quantity

RATIOS = (
    "Ratios are the large model's figure over the small one's, with a 95 % interval where there is "
    "one: above 1 the small one needs less. What is marked with ? may go either way."
)
STANDINGS = (
    "not worse: the small one is shown to be at most the task's margin worse than the large one; "
    "large not worse: the large one than the small one."
)
SHOWS_FROM = (
    "detectable from: the least difference of scores that so many items show with 80 % power, "
    "two-sided at 5 % over the number of the task's pairs."
)

_RESOURCES: tuple[tuple[str, Quantity], ...] = (
    ("times less time (p50)", "latency_p50"),
    ("times less memory", "memory_peak"),
    ("times smaller", "size"),
    ("times less energy", "energy"),
    ("times cheaper", "cost"),
)


def sheet(verdict: TaskVerdict) -> Sheet:
    """Return a task's verdict with a table of its pairs, ready to print."""
    shown: list[tuple[str, Quantity]] = [
        (title, key) for title, key in _RESOURCES if _is_known(verdict.pairs, key)
    ]
    figures = ("score", "detectable from", "p (Holm)", *(title for title, _ in shown))
    columns = (
        Column(title="small", figures=False),
        Column(title="large"),
        *(Column(title=title) for title in figures),
    )
    return Sheet(
        title=clean(verdict.task),
        group="outcome",
        columns=columns,
        lines=tuple(_line(pair, verdict.pairs, shown) for pair in verdict.pairs),
        notes=tuple(clean(note) for note in _notes(verdict)),
        verdict=verdicts.line(verdict),
    )


def sheets(verdicts: Sequence[TaskVerdict]) -> tuple[tuple[Sheet, ...], tuple[str, ...]]:
    """Return a sheet a verdict, and apart from them the notes that all of them have."""
    made = [sheet(one) for one in verdicts]
    if len(made) < 2:
        return tuple(made), ()
    common = [note for note in made[0].notes if all(note in other.notes for other in made[1:])]
    return (
        tuple(
            structs.replace(one, notes=tuple(note for note in one.notes if note not in common))
            for one in made
        ),
        tuple(f"all tasks: {note}" for note in common),
    )


def _is_known(pairs: Sequence[Verdict], quantity: Quantity) -> bool:
    found = (pair.resource(quantity) for pair in pairs)
    return any(one is not None and one.estimate is not None for one in found)


def _line(pair: Verdict, pairs: Sequence[Verdict], shown: Sequence[tuple[str, Quantity]]) -> Line:
    several = len({cell.device for p in pairs for cell in (p.small, p.large)}) > 2
    devices = (f" on {pair.small.device}", f" on {pair.large.device}") if several else ("", "")
    return Line(
        role=words.OUTCOMES[pair.outcome],
        cells=(
            clean(pair.small.name + devices[0]),
            clean(pair.large.name + devices[1]),
            _score(pair),
            _shows_from(pair.score),
            _p(pair.score),
            *(_ratio(pair.resource(quantity)) for _, quantity in shown),
        ),
    )


def _score(pair: Verdict) -> str:
    score = pair.score
    if score.estimate is None:
        return score.status
    return clean(f"{_standing(pair)} {words.difference(score, signed=True)} n={score.n}")


def _standing(pair: Verdict) -> str:
    """Say how the small one's score stands; where only the large one is shown to keep up, that."""
    status = pair.score.status
    if status == "same":
        return "not worse"
    if status == "undecided" and pair.outcome == "loses":
        return "large not worse"
    return status


def _shows_from(score: Comparison) -> str:
    return ABSENT if score.detectable is None else words.amount(score.detectable, score.unit)


def _p(score: Comparison) -> str:
    if score.adjusted is None:
        return ABSENT
    return "<0.0001" if score.adjusted < 1e-4 else f"{score.adjusted:.4f}"


def _ratio(one: Comparison | None) -> str:
    if one is None or one.estimate is None:
        return one.status if one is not None and one.status == "incomparable" else ABSENT
    ends = [words.rounded(end) for end in (one.low, one.high) if end is not None]
    interval = f" [{','.join(ends)}]" if len(ends) == 2 else ""
    doubt = " ?" if one.status == "undecided" else ""
    return f"{words.rounded(one.estimate)}{interval}{doubt}"


def _notes(verdict: TaskVerdict) -> Iterator[str]:
    """Say each reason and caveat once, with the pairs it is of where those are not all."""
    said: dict[str, list[str]] = defaultdict(list)
    for pair in verdict.pairs:
        name = f"{pair.small.name} against {pair.large.name}"
        for note in dict.fromkeys(_of_pair(pair)):
            said[note].append(name)
    for note, names in said.items():
        alone = len(names) == 1 and len(verdict.pairs) > 1
        yield f"{names[0]}: {note}" if alone else note


def _why(one: Comparison) -> str:
    if one.estimate is not None or one.status != "undecided":
        return f" {one.status}: {one.reason}"
    return ": not measured" + ("" if one.reason == NOT_MEASURED else f": {one.reason}")


def _of_pair(pair: Verdict) -> Iterator[str]:
    # Where answers were compared, the reason is what they could show, which has its column.
    if pair.score.reason and pair.score.estimate is None:
        yield f"score {pair.score.status}: {pair.score.reason}"
    for one in pair.resources:
        if one.reason:
            yield f"{words.NAMES[one.quantity]}{_why(one)}"
    yield from pair.caveats
