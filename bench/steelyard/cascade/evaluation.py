"""Cross-fitting: every common item judged by a threshold that was chosen without it."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from steelyard import stats
from steelyard.cascade.calibration import (
    Answers,
    Bools,
    best,
    calibration_error,
    fit,
    split,
    try_all,
)
from steelyard.cascade.frontier import Sides, choose, nearest, points, right
from steelyard.cascade.mixture import Budget
from steelyard.cascade.pairing import Material
from steelyard.cascade.policy import Floats, Policy, confidence
from steelyard.cascade.types import Calibrated, Expected, Gain, Point, Share, Tried, Wanted

PARTS = 5


class Fitted(Struct, frozen=True, kw_only=True):
    """The threshold to use, from all common items, and what crossing them says of it."""

    calibrated: Calibrated
    points: tuple[Point, ...]
    chosen: Point | None
    expected: Expected


class _Crossed(Struct, frozen=True, kw_only=True):
    """What each common item met: a confidence and a decision that were made without it."""

    confidences: Floats
    escalated: Bools
    parts: int
    unmet: int


def evaluate(material: Material, budget: Budget, wanted: Wanted) -> Fitted:
    """Calibrate, cross-fit the choice of a threshold, and choose the one to use."""
    basis = material.others or material.common
    tried = try_all(basis)
    policy = fit(basis, best(tried).method)
    crossed = _cross(material, policy, budget, wanted)
    sides = _sides(material, policy, np.ones(len(material.common.ids), dtype=np.bool_))
    found = points(sides, budget)
    return Fitted(
        calibrated=_calibrated(material, policy, tried, crossed.confidences),
        points=found,
        chosen=choose(found, wanted),
        expected=_expected(sides, crossed),
    )


def _cross(material: Material, policy: Policy, budget: Budget, wanted: Wanted) -> _Crossed:
    parts = split(material.common, PARTS)
    confidences = np.zeros(len(parts))
    escalated = np.zeros(len(parts), dtype=np.bool_)
    unmet = 0
    for part in np.unique(parts):
        rest, out = parts != part, parts == part
        # Where others calibrate, the policy knows no common item; else it is fitted without these.
        used = policy if material.others else _fitted(material.common.part(rest))
        known = points(_sides(material, used, rest), budget)
        picked = choose(known, wanted)
        unmet += picked is None
        confidences[out] = confidence(material.common.scores[out], used)
        escalated[out] = confidences[out] <= (picked or nearest(known, wanted)).threshold
    return _Crossed(
        confidences=confidences, escalated=escalated, parts=len(np.unique(parts)), unmet=unmet
    )


def _fitted(answers: Answers) -> Policy:
    return fit(answers, best(try_all(answers)).method)


def _sides(material: Material, policy: Policy, chosen: Bools) -> Sides:
    return Sides(
        confidences=confidence(material.common.scores, policy),
        specialist_right=material.common.right,
        generalist_right=material.generalist_right,
    ).part(chosen)


def _calibrated(
    material: Material, policy: Policy, tried: tuple[Tried, ...], crossed: Floats
) -> Calibrated:
    common = material.common
    basis: Answers = material.others or common
    plain = confidence(common.scores, fit(common, "none"))
    return Calibrated(
        policy=policy,
        tried=tried,
        n=len(basis.ids),
        crossed=material.others is None,
        error_before=calibration_error(plain, common.right),
        error_after=calibration_error(crossed, common.right),
    )


def _expected(sides: Sides, crossed: _Crossed) -> Expected:
    got = right(sides, crossed.escalated)
    return Expected(
        accuracy=_share(got),
        escalated=_share(crossed.escalated),
        specialist=_share(sides.specialist_right),
        generalist=_share(sides.generalist_right),
        over_specialist=_gain(sides.specialist_right, got),
        over_generalist=_gain(sides.generalist_right, got),
        either=float((sides.specialist_right | sides.generalist_right).mean()),
        parts=crossed.parts,
        parts_unmet=crossed.unmet,
    )


def _share(marks: Bools) -> Share:
    low, high = stats.wilson(int(marks.sum()), len(marks))
    return Share(value=float(marks.mean()), low=low, high=high, n=len(marks))


def _gain(other: Bools, got: Bools) -> Gain:
    lost, won = int((other & ~got).sum()), int((got & ~other).sum())
    value, low, high = stats.paired_difference(lost, won, len(got))
    return Gain(value=value, low=low, high=high, p_value=stats.mcnemar_exact(lost, won))
