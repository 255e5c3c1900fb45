"""Not worse by a margin: its p-values against scipy, its size by enumeration, what n can show."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy import stats as reference

from steelyard import stats

patient = settings(deadline=None, max_examples=60)

Counts = tuple[int, int, int]


@st.composite
def counts(draw: st.DrawFn) -> Counts:
    n = draw(st.integers(5, 2000))
    b = draw(st.integers(0, n))
    return b, draw(st.integers(0, n - b)), n


@patient
@given(counts(), st.floats(0.001, 0.5))
def test_agresti_min_rejects_where_its_interval_lies_above_the_margin(
    found: Counts, margin: float
) -> None:
    b, c, n = found
    low = stats.paired_difference(b, c, n, confidence=0.9).low

    if low > -1 and abs(low + margin) > 1e-9:
        assert (stats.agresti_min_p(b, c, n, margin) < 0.05) == (low > -margin)


def test_agresti_min_gives_the_value_worked_by_hand() -> None:
    # b' = 5.5, c' = 15.5, n' = 102: d = 10/102, se = sqrt(21 - 100/102)/102.
    z = (10 / 102 + 0.01) / (sqrt(21 - 100 / 102) / 102)

    assert stats.agresti_min_p(5, 15, 100, 0.01) == pytest.approx(reference.norm.sf(z), rel=1e-12)


def tango_by_search(b: int, c: int, n: int, margin: float) -> float:
    """Return Tango's p-value with the restricted maximum likelihood found by search."""

    def surprise(only_second: float) -> float:
        shares = np.array([only_second + margin, only_second, 1 - 2 * only_second - margin])
        seen = np.array([b, c, n - b - c])
        return -float((seen * np.log(np.maximum(shares, 1e-300))).sum())

    found: Any = optimize.minimize_scalar(
        surprise, bounds=(0, (1 - margin) / 2), method="bounded", options={"xatol": 1e-12}
    )
    spread = n * (2 * found.x + margin - margin**2)
    return float(reference.norm.sf((c - b + n * margin) / sqrt(spread)))


@pytest.mark.parametrize(
    ("b", "c", "n", "margin"),
    [(5, 15, 100, 0.01), (12, 3, 100, 0.05), (40, 41, 500, 0.02), (2, 1, 50, 0.1), (3, 9, 12, 0.3)],
)
def test_tango_agrees_with_a_search_for_the_restricted_likelihood(
    b: int, c: int, n: int, margin: float
) -> None:
    assert stats.tango_p(b, c, n, margin) == pytest.approx(
        tango_by_search(b, c, n, margin), abs=1e-5
    )


def size(n: int, discordant: float, margin: float) -> float:
    """Return how often the test rejects at the margin, summed over all outcomes that matter."""
    only_first, only_second = (discordant + margin) / 2, (discordant - margin) / 2
    reach = min(n, int(n * discordant + 7 * sqrt(n * discordant) + 8))
    law = reference.multinomial(n, [only_first, only_second, 1 - discordant])
    grid = np.array(
        [(b, c, n - b - c) for b in range(reach + 1) for c in range(reach + 1) if b + c <= n]
    )
    rejects = [stats.noninferiority_p(b, c, n, margin) <= 0.05 for b, c, _ in grid.tolist()]
    return float(law.pmf(grid[rejects]).sum())


@pytest.mark.parametrize(
    ("n", "discordant", "margin"),
    [
        (100, 0.02, 0.01),
        (100, 0.3, 0.01),
        (100, 0.05001, 0.05),
        (200, 0.01001, 0.01),
        (200, 0.2, 0.02),
        (500, 0.01001, 0.01),
        (500, 0.1, 0.01),
        (500, 0.05001, 0.05),
    ],
)
def test_the_test_holds_its_size_at_the_margin(n: int, discordant: float, margin: float) -> None:
    assert size(n, discordant, margin) <= 0.055


def test_agresti_min_alone_would_not_hold_its_size() -> None:
    # n = 200, margin 0.01, and the first never wrong where the second is right: b is binomial.
    rejecting = [b for b in range(20) if stats.agresti_min_p(b, 0, 200, 0.01) <= 0.05]
    alone = sum(reference.binom.pmf(b, 200, 0.01) for b in rejecting)

    assert alone > 0.1


def test_the_interval_of_a_difference_covers_it() -> None:
    generator = np.random.default_rng(4)
    for n, b_share, c_share in ((100, 0.05, 0.15), (100, 0.2, 0.2), (500, 0.02, 0.03)):
        drawn = generator.multinomial(n, [b_share, c_share, 1 - b_share - c_share], size=4000)
        intervals = [stats.paired_difference(b, c, n) for b, c, _ in drawn.tolist()]
        covers = np.mean([low <= c_share - b_share <= high for _, low, high in intervals])

        assert 0.94 <= covers <= 0.975


@patient
@given(counts(), st.floats(0.001, 0.3), st.floats(0.001, 0.3))
def test_a_wider_margin_is_easier_to_keep(found: Counts, one: float, other: float) -> None:
    b, c, n = found
    near, far = sorted((one, other))

    assert stats.noninferiority_p(b, c, n, far) <= stats.noninferiority_p(b, c, n, near) + 1e-12


def test_no_model_is_worse_by_more_than_everything() -> None:
    assert stats.tango_p(100, 0, 100, 1.0) == 0


@pytest.mark.parametrize(("b", "c", "n"), [(-1, 0, 5), (3, 3, 5), (0, 0, 0)])
def test_impossible_counts_are_refused(b: int, c: int, n: int) -> None:
    with pytest.raises(ValueError, match="discordant"):
        stats.noninferiority_p(b, c, n, 0.01)


def test_a_margin_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="margin"):
        stats.noninferiority_p(1, 1, 10, 0.0)


@patient
@given(st.floats(0.02, 1), st.integers(20, 5000))
def test_the_detectable_difference_solves_connors_sample_size(discordant: float, n: int) -> None:
    found = stats.detectable_difference(discordant, n)

    assert found is not None
    raised = max(discordant, found)
    z_a, z_p = reference.norm.ppf(0.975), reference.norm.ppf(0.8)
    needed = (z_a * sqrt(raised) + z_p * sqrt(max(0.0, raised - found**2))) ** 2 / found**2
    assert needed == pytest.approx(n, rel=1e-6)


def test_the_detectable_difference_is_detected_by_mcnemar_about_four_times_in_five() -> None:
    n, discordant = 400, 0.2
    found = stats.detectable_difference(discordant, n)
    assert found is not None
    generator = np.random.default_rng(3)
    shares = [(discordant - found) / 2, (discordant + found) / 2, 1 - discordant]
    drawn = generator.multinomial(n, shares, size=3000)

    power = np.mean([stats.mcnemar_exact(b, c) <= 0.05 for b, c, _ in drawn.tolist()])

    # McNemar's exact test is a little conservative.
    assert 0.74 <= power <= 0.83


def test_too_few_items_detect_nothing() -> None:
    assert stats.detectable_difference(0.5, 2) is None
    assert stats.detectable_difference(0.5, 5) is None


def test_the_items_for_a_margin_show_equals_to_be_within_it() -> None:
    n = stats.items_for_margin(0.2, 0.05)
    assert n == 495  # (1.6449 + 0.8416)^2 * 0.2 / 0.0025

    drawn = np.random.default_rng(5).multinomial(n, [0.1, 0.1, 0.8], size=3000)
    power = np.mean([stats.noninferiority_p(b, c, n, 0.05) <= 0.05 for b, c, _ in drawn.tolist()])
    assert 0.77 <= power <= 0.83


def test_shifts_of_normal_estimates_follow_their_error() -> None:
    assert stats.detectable_shift(0.01) == pytest.approx(0.0280159, abs=1e-6)
    # The error of a share of discordant pairs at n items: sqrt(discordant / n).
    assert stats.items_for_shift(sqrt(0.2 / 77), 77, 0.05) == 495
