"""Paired answers: not worse by more than a margin, and what n items can show at all."""

from __future__ import annotations

from math import ceil, erfc, sqrt
from statistics import NormalDist

ALPHA = 0.05
POWER = 0.8


def noninferiority_p(b: int, c: int, n: int, margin: float) -> float:
    """Return the one-sided p-value that the second is worse than the first by `margin` or more.

    b items only the first had right, c only the second, n in all. The larger of Agresti-Min's and
    Tango's: the former alone rejects up to 13 % at the margin where few answers differ (n = 200,
    margin 0.01, all of b + c on one side), the latter at most 5.1 %; where many differ they agree.
    """
    return max(agresti_min_p(b, c, n, margin), tango_p(b, c, n, margin))


def agresti_min_p(b: int, c: int, n: int, margin: float) -> float:
    """Return the p-value of `d_low > -margin`, Wald's with half a pair added to each count.

    Agresti and Min, Statistics in Medicine 2005: d = (c'-b')/n', n' = n + 2,
    se = sqrt(b' + c' - (c'-b')^2 / n') / n'.
    """
    _check(b, c, n, margin)
    b1, c1, n1 = b + 0.5, c + 0.5, n + 2
    error = sqrt(b1 + c1 - (c1 - b1) ** 2 / n1) / n1
    return _upper_tail(((c1 - b1) / n1 + margin) / error)


def tango_p(b: int, c: int, n: int, margin: float) -> float:
    """Return the p-value of the score test, its variance estimated under a difference of -margin.

    Tango, Statistics in Medicine 1998. No difference is below -1: a margin of 1 excludes nothing.
    """
    _check(b, c, n, margin)
    if margin >= 1:
        return 0.0
    linear = -b - c - (2 * n - c + b) * margin
    constant = b * margin * (1 + margin)
    only_second = (sqrt(max(0.0, linear**2 - 8 * n * constant)) - linear) / (4 * n)
    # The share that only the second has right, and n times the variance of a pair's difference.
    spread = n * (2 * max(only_second, margin) - margin * (1 + margin))
    return _upper_tail((c - b + n * margin) / sqrt(spread))


def detectable_difference(
    discordant: float, n: int, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """Return the least difference that n pairs show at two-sided `alpha` with `power`.

    Connor's sample size for McNemar's test (Biometrics 1987), solved for the difference:
    d sqrt(n) = z_a sqrt(discordant) + z_p sqrt(discordant - d^2). `discordant` is the share of
    items that one has right and the other not; it is raised where it could not hold the
    difference. None where n pairs show nothing at all: McNemar's exact test cannot reject where
    2 / 2^n, its least p-value, exceeds `alpha`.
    """
    if not 0 <= discordant <= 1 or n < 1:
        raise ValueError(f"a share of {discordant} of {n} pairs cannot be")
    z_a, z_p = _quantile(1 - alpha / 2), _quantile(power)
    if n + z_p**2 <= z_a**2 or 2.0 ** (1 - n) > alpha:
        return None
    reach = (sqrt(n) * z_a + z_p * sqrt(n + z_p**2 - z_a**2)) / (n + z_p**2)
    # sqrt(discordant) * reach exceeds discordant itself below reach squared.
    found = reach * max(sqrt(discordant), reach)
    return found if found <= 1 else None


def items_for_difference(
    difference: float, discordant: float, alpha: float = ALPHA, power: float = POWER
) -> int:
    """Return how many items show a difference, two-sided at `alpha`, with `power`.

    Connor's n, of which `detectable_difference` is the inverse; a share of `discordant` items too
    small to hold the difference is raised.
    """
    if not (0 < difference <= 1 and 0 <= discordant <= 1):
        raise ValueError(f"a difference of {difference} with {discordant} discordant cannot be")
    share = max(discordant, difference)
    root = _quantile(1 - alpha / 2) * sqrt(share) + _quantile(power) * sqrt(share - difference**2)
    return ceil((root / difference) ** 2)


def detectable_shift(error: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Return the least difference that an estimate with this standard error shows.

    d = (z_a + z_p) error, two-sided at `alpha`, for what is about normal.
    """
    return (_quantile(1 - alpha / 2) + _quantile(power)) * error


def items_for_margin(
    discordant: float, margin: float, alpha: float = ALPHA, power: float = POWER
) -> int:
    """Return how many items show equals to be within `margin`, one-sided, with `power`.

    From the Wald interval of a paired difference of 0: n = (z_a + z_p)^2 discordant / margin^2
    (Lu and Bean, Statistics in Medicine 1995, at equal shares).
    """
    reach = _quantile(1 - alpha) + _quantile(power)
    return max(1, ceil(reach**2 * discordant / margin**2))


def items_for_shift(error: float, n: int, margin: float) -> int:
    """Return how many items show equals to be within `margin`, where n gave this standard error.

    At the levels of `items_for_margin`; the error falls with the root of the items.
    """
    return items_for_margin(error**2 * n, margin)


def _check(b: int, c: int, n: int, margin: float) -> None:
    if min(b, c) < 0 or b + c > n or n < 1:
        raise ValueError(f"{b} and {c} discordant pairs of {n} cannot be")
    if margin <= 0:
        raise ValueError(f"a margin is above 0, not {margin}")


def _upper_tail(z: float) -> float:
    return erfc(z / sqrt(2)) / 2


def _quantile(probability: float) -> float:
    return NormalDist().inv_cdf(probability)
