"""How small a difference so many test items can show, and how many would show a smaller one.

Two models on the same items differ only on discordant pairs; McNemar's test at 5 % and a power of
80 % (`stats.items_for_difference` and its inverse, `stats.detectable_difference`).
"""

from __future__ import annotations

from steelyard.stats import detectable_difference, items_for_difference

WANTED = 0.03


def discordance(lost: int, won: int, n: int) -> float:
    """Return the share of discordant pairs, drawn a little to the middle: none seen is not none."""
    return (lost + won + 1) / (n + 2)


def enough(n: int, discordant: float) -> bool:
    """Tell whether n test items show a difference of three points."""
    seen = detectable_difference(discordant, n)
    return seen is not None and seen <= WANTED


def sentence(n: int, discordant: float, rows_per_item: float) -> str:
    """Say in plain words what n test items can show, and how many more labels would show more."""
    if enough(n, discordant):
        return f"{first_part(n, discordant)}."
    rows = (items_for_difference(WANTED, discordant) - n) * rows_per_item
    return (
        f"{first_part(n, discordant)}; about {rounded(max(1.0, rows))} more labelled rows "
        f"would show {_points(WANTED)}."
    )


def first_part(n: int, discordant: float) -> str:
    """Say which difference n test items can show or cannot, without a full stop."""
    seen = detectable_difference(discordant, n)
    if seen is None:
        return f"With {n} test items no difference between two models can be seen"
    if seen <= WANTED:
        return f"With {n} test items a difference of {_points(seen)} or more can be seen"
    return f"With {n} test items a difference under {_points(seen)} cannot be seen"


def _points(share: float) -> str:
    points = 100 * share
    plain = points >= 9.95 or round(points, 1).is_integer()
    written = f"{points:.0f}" if plain else f"{points:.1f}"
    return f"{written} point{'' if written == '1' else 's'}"


def rounded(rows: float) -> str:
    """Return a number to two digits: what follows would claim too much."""
    whole = round(rows)
    digits = max(0, len(str(whole)) - 2)
    return f"{round(whole, -digits):,}"
