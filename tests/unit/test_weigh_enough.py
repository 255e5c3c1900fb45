"""How many labels would do: against Connor's formula by hand, and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import stats
from steelyard.weigh import enough


def test_the_items_needed_are_connor_s() -> None:
    # (1.959964 sqrt(.25) + .841621 sqrt(.25 - .01))^2 / .01
    # = (.979982 + .412309)^2 / .01 = 193.85
    assert stats.items_for_difference(0.10, 0.25) == 194
    # (1.959964 sqrt(.1) + .841621 sqrt(.1 - .0009))^2 / .0009
    # = (.619795 + .264943)^2 / .0009 = 869.7
    assert stats.items_for_difference(0.03, 0.10) == 870


def test_sixty_items_show_thirteen_points_where_one_in_eight_is_discordant() -> None:
    assert stats.detectable_difference(0.13, 60) == pytest.approx(0.128, abs=0.002)


@given(st.integers(1, 50_000), st.floats(0.001, 1.0))
def test_what_n_items_can_show_is_what_needs_n_items(n: int, discordant: float) -> None:
    found = stats.detectable_difference(discordant, n)

    if found is not None:
        assert stats.items_for_difference(found, discordant) == pytest.approx(n, abs=2)


@pytest.mark.parametrize(("difference", "discordant"), [(0, 0.1), (1.1, 0.1), (0.1, 1.1), (-1, 1)])
def test_shares_beyond_one_cannot_be(difference: float, discordant: float) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        stats.items_for_difference(difference, discordant)


def test_so_many_items_show_the_difference_four_times_in_five() -> None:
    n, difference, discordant = stats.items_for_difference(0.05, 0.15), 0.05, 0.15
    won, lost = (discordant + difference) / 2, (discordant - difference) / 2
    generator = np.random.default_rng(0)
    draws = generator.multinomial(n, [won, lost, 1 - won - lost], size=2000)

    seen = np.mean([stats.mcnemar_exact(int(c), int(b)) < 0.05 for b, c, _ in draws])

    # The exact test is a little more careful than the formula's; 2000 draws are good to 1.8 points.
    assert 0.74 < seen < 0.83


def test_what_can_be_told_is_said_with_the_rows_that_would_tell_more() -> None:
    assert enough.sentence(60, 0.13, 1.0) == (
        "With 60 test items a difference under 13 points cannot be seen; "
        "about 1,100 more labelled rows would show 3 points."
    )
    # A held-out fifth: five rows for one more test item.
    assert "about 5,400 more" in enough.sentence(60, 0.13, 5.0)


def test_enough_items_are_said_to_be_enough() -> None:
    assert enough.sentence(2000, 0.10, 1.0) == (
        "With 2000 test items a difference of 2 points or more can be seen."
    )


def test_hardly_any_items_show_nothing() -> None:
    assert enough.sentence(2, 0.2, 1.0).startswith(
        "With 2 test items no difference between two models can be seen; about"
    )


def test_a_share_too_small_to_hold_the_difference_is_raised() -> None:
    # (1.959964 sqrt(.03) + .841621 sqrt(.03 - .0009))^2 / .0009 = (.339476 + .143570)^2 / .0009
    assert stats.items_for_difference(0.03, 0.01) == 260


@given(st.integers(1, 10**6), st.floats(1e-6, 1.0), st.floats(1.0, 10.0))
def test_there_is_a_sentence_for_any_figures(n: int, discordant: float, rows: float) -> None:
    said = enough.sentence(n, discordant, rows)

    assert said.startswith(f"With {n} test items")
    assert said.endswith(".")
    assert "-" not in said


def test_no_discordance_seen_is_not_none() -> None:
    assert enough.discordance(0, 0, 98) == 0.01
    assert enough.discordance(3, 6, 98) == 0.10
