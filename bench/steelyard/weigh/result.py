"""A finished run -> what is printed beside its table: confusion, the choice, what can be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from steelyard.card import TaskCard
from steelyard.record import Prediction, Record
from steelyard.report.units import clean
from steelyard.stats import ALPHA, items_for_difference
from steelyard.weigh import best, enough
from steelyard.weigh.best import Choice
from steelyard.weigh.confusion import Confusion, confusion

Load = Callable[[Record], Sequence[Prediction] | None]


class Result(Struct, frozen=True, kw_only=True):
    """The specialist to take, its confusion matrix, and sentences on what the data can tell.

    `useless`: it is not shown to be better than one constant answer, so that there is none to take.
    """

    choice: Choice
    useless: bool
    matrix: Confusion
    said: tuple[str, ...]


def result(
    records: Sequence[Record], load: Load, card: TaskCard, rows_per_item: float
) -> Result | None:
    """Return what a run says of its task; None where no specialist was measured."""
    # A cell whose memory or energy could not be measured has its answers all the same.
    answers = {one.cell.id: load(one) or () for one in records}
    choice = best.choose(records, answers)
    if choice is None:
        return None
    labels = [label.id for label in card.labels]
    return Result(
        choice=choice,
        useless=best.beats_constant(choice, records, answers) is not None,
        matrix=confusion(answers[choice.record.cell.id], labels),
        said=tuple(_said(choice, records, answers, rows_per_item)),
    )


def none_to_take(labels: int, rows: int) -> str:
    """Say that there is no specialist to take, and what to look at."""
    return (
        "No specialist to take: none is shown to be better than always answering the most frequent "
        f"label; check that --label names the right column ({labels:,} labels for {rows:,} rows), "
        "or label more."
    )


def name(record: Record) -> str:
    """Return a model and its variant, as the table has them."""
    return clean(record.cell.name)


def _said(
    choice: Choice, records: Sequence[Record], answers: best.Answers, rows_per_item: float
) -> list[str]:
    said = []
    against, pair = choice.against, choice.pair
    if against is not None and pair is not None:
        gap = pair.difference
        two = "The two best specialists: " if against.role == "specialist" else ""
        said.append(
            f"{two}{name(choice.record)} less {name(against)}: {100 * gap.estimate:+.1f} points "
            f"[{100 * gap.low:+.1f},{100 * gap.high:+.1f}] on the same {pair.n} items, "
            f"p {pair.p_value:.3g} (exact McNemar)."
        )
        said.append(_enough(choice, rows_per_item))
        if against.role == "specialist":
            said.append(_apart(choice.record, against, pair))
    constant = best.beats_constant(choice, records, answers)
    return [*said, f"{constant}."] if constant else said


def _apart(one: Record, other: Record, pair: best.Pair) -> str:
    """Say how many test items would tell two specialists apart, if they differ as they did here."""
    names = f"{name(one)} and {name(other)}"
    if pair.p_value < ALPHA:
        return f"These {pair.n} test items tell {names} apart."
    gap = abs(pair.difference.estimate)
    if pair.won == pair.lost:
        return f"{names} are right equally often here: no number of test items is known to do."
    items = items_for_difference(gap, enough.discordance(pair.lost, pair.won, pair.n))
    return (
        f"To tell {names} apart, if they differ as much as here, takes about "
        f"{enough.rounded(items)} test items; there are {pair.n:,}."
    )


def _enough(choice: Choice, rows_per_item: float) -> str:
    """Say what the items can show; where only a sample was asked, more of them are at hand."""
    pair, against = choice.pair, choice.against
    if pair is None or against is None:
        return ""
    discordant = enough.discordance(pair.lost, pair.won, pair.n)
    samples = [one.sample for one in (choice.record, against) if one.sample is not None]
    sampled = next((one for one in samples if one.n < one.of), None)
    if sampled is not None and not enough.enough(pair.n, discordant):
        return (
            f"{enough.first_part(pair.n, discordant)}; {sampled.of} labelled items are at hand: "
            "ask more of them (--asked, or `sample` in bench.toml)."
        )
    return enough.sentence(pair.n, discordant, rows_per_item)
