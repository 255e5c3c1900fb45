"""Which trained specialist to take, and what its lead over the others is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from steelyard import stats
from steelyard.record import Prediction, Record

Answers = Mapping[str, Sequence[Prediction]]


class Pair(Struct, frozen=True, kw_only=True):
    """Two cells on the n items both answered: what only the first had right, what only the second.

    `p_value` is exact McNemar.
    """

    n: int
    lost: int
    won: int

    @property
    def p_value(self) -> float:
        return stats.mcnemar_exact(self.lost, self.won)

    @property
    def difference(self) -> stats.Difference:
        """Return second less first."""
        return stats.paired_difference(self.lost, self.won, self.n)


class Choice(Struct, frozen=True, kw_only=True):
    """The specialist to take; `against` is the model whose difference to it matters most."""

    record: Record
    reason: str
    against: Record | None = None
    pair: Pair | None = None


def pair(first: Sequence[Prediction], second: Sequence[Prediction]) -> Pair | None:
    """Count discordant answers on common items; None where there are none."""
    right = {one.id: one.answer == one.expected for one in first}
    both = [(right[one.id], one.answer == one.expected) for one in second if one.id in right]
    if not both:
        return None
    return Pair(n=len(both), lost=both.count((True, False)), won=both.count((False, True)))


def choose(records: Sequence[Record], answers: Answers) -> Choice | None:
    """Return the specialist to take; None where none was measured.

    The most accurate on common items; a smaller one instead where the two cannot be told apart.
    Those that are not shown to be better than one constant answer stand back behind the others.
    """
    measured = [one for one in records if one.role == "specialist" and answers.get(one.cell.id)]
    if not measured:
        return None
    useful = [one for one in measured if _beyond_constant(one, records, answers)]
    by_size = sorted(useful or measured, key=_size)
    best, reason = by_size[0], "it is the only one that could be measured"
    if len(by_size) < len(measured):
        reason = "no other is shown to be better than always answering the most frequent label"
    able = by_size
    if len(able) > 1:
        reason = f"the larger {_names(by_size[1:])} is not shown to be better"
    for rival in by_size[1:]:
        found = pair(answers[best.cell.id], answers[rival.cell.id])
        if found is not None and _is_better(found):
            reason = f"it has {100 * found.difference.estimate:.1f} points more than {_name(best)}"
            best = rival
    against = _against(best, records, answers)
    found = pair(answers[against.cell.id], answers[best.cell.id]) if against else None
    return Choice(record=best, reason=reason, against=against, pair=found)


def beats_constant(choice: Choice, records: Sequence[Record], answers: Answers) -> str | None:
    """Say so if the choice is not shown to be better than one constant answer, else None."""
    found = _over_constant(choice.record, records, answers)
    if found is None or _is_better(found):
        return None
    return (
        f"{_name(choice.record)} is not shown to be better than always answering the most "
        f"frequent label ({found.won} items won, {found.lost} lost of {found.n})"
    )


def _over_constant(one: Record, records: Sequence[Record], answers: Answers) -> Pair | None:
    constant = next((other for other in records if other.role == "baseline"), None)
    if constant is None or constant.cell.id not in answers:
        return None
    return pair(answers[constant.cell.id], answers[one.cell.id])


def _beyond_constant(one: Record, records: Sequence[Record], answers: Answers) -> bool:
    found = _over_constant(one, records, answers)
    return found is None or _is_better(found)


def _is_better(found: Pair) -> bool:
    return found.won > found.lost and found.p_value < stats.ALPHA


def _against(best: Record, records: Sequence[Record], answers: Answers) -> Record | None:
    """Return the generalist, else the best other specialist, else the baseline."""
    order = ("generalist", "specialist", "baseline")
    others = [x for x in records if x.cell != best.cell and answers.get(x.cell.id)]
    return min(
        others,
        key=lambda one: (order.index(one.role), -_accuracy(answers[one.cell.id])),
        default=None,
    )


def _accuracy(given: Sequence[Prediction]) -> float:
    return sum(one.answer == one.expected for one in given) / len(given)


def _size(record: Record) -> int:
    return record.artifact.size_bytes if record.artifact else 0


def _name(record: Record) -> str:
    return record.cell.name


def _names(records: Sequence[Record]) -> str:
    return ", ".join(map(_name, records))
