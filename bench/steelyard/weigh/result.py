"""A finished run -> what is printed beside its table: confusion, the choice, what can be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from steelyard.card import TaskCard
from steelyard.record import Prediction, Record
from steelyard.report.units import clean
from steelyard.weigh import best, enough
from steelyard.weigh.best import Choice
from steelyard.weigh.confusion import Confusion, confusion

Load = Callable[[Record], Sequence[Prediction] | None]


class Result(Struct, frozen=True, kw_only=True):
    """The specialist to take, its confusion matrix, and sentences on what the data can tell."""

    choice: Choice
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
        matrix=confusion(answers[choice.record.cell.id], labels),
        said=tuple(_said(choice, records, answers, rows_per_item)),
    )


def name(record: Record) -> str:
    """Return a model and its variant, as the table has them."""
    return clean(f"{record.cell.model}@{record.cell.variant}")


def _said(
    choice: Choice, records: Sequence[Record], answers: best.Answers, rows_per_item: float
) -> list[str]:
    said = []
    against, pair = choice.against, choice.pair
    if against is not None and pair is not None:
        gap = pair.difference
        said.append(
            f"{name(choice.record)} less {name(against)}: {100 * gap.estimate:+.1f} points "
            f"[{100 * gap.low:+.1f},{100 * gap.high:+.1f}] on the same {pair.n} items, "
            f"p {pair.p_value:.3g} (exact McNemar)."
        )
        said.append(_enough(choice, rows_per_item))
    constant = best.beats_constant(choice, records, answers)
    return [*said, f"{constant}."] if constant else said


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
