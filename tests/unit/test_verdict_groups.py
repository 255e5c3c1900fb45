"""Items that belong together are drawn together; a handful of groups is no evidence."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.unit.verdicts import answered, judged, large, marks, small

from steelyard.record import Prediction


def grouped(predictions: tuple[Prediction, ...], groups: int) -> tuple[Prediction, ...]:
    """Put the items into groups of neighbours."""
    size = -(-len(predictions) // groups)
    return tuple(replace(one, group=f"g{n // size}") for n, one in enumerate(predictions))


def test_groups_of_like_items_say_less_than_their_items_do() -> None:
    ours, theirs = marks(0, 30, 120)
    loose = {"mini": answered(ours), "giant": answered(theirs)}
    # All 30 items that only the small one has right are of two groups of eight.
    tied = {name: grouped(said, 8) for name, said in loose.items()}

    alone = judged(loose, small(), large()).pairs[0].score
    together = judged(tied, small(), large()).pairs[0].score

    assert alone.status == "better"
    assert together.status == "undecided"
    assert together.test is not None
    assert "over 8 groups of items, widened" in together.test
    assert together.estimate == pytest.approx(30 / 120)
    assert together.low is not None
    assert alone.low is not None
    assert together.low < alone.low


def test_a_group_an_item_is_no_group() -> None:
    ours, theirs = marks(0, 30, 120)
    said = {"mini": grouped(answered(ours), 120), "giant": grouped(answered(theirs), 120)}

    assert judged(said, small(), large()).pairs[0].score.test == (
        judged({"mini": answered(ours), "giant": answered(theirs)}, small(), large())
        .pairs[0]
        .score.test
    )


def test_four_groups_are_too_few() -> None:
    ours, theirs = marks(0, 60, 120)
    said = {"mini": grouped(answered(ours), 4), "giant": grouped(answered(theirs), 4)}

    found = judged(said, small(), large()).pairs[0].score

    assert found.status == "incomparable"
    assert found.reason is not None
    assert "4 groups only, too few" in found.reason
