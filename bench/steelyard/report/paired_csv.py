"""Verdicts as CSV, one row a pair of cells, each beside its task's verdict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from steelyard.record import Cell
from steelyard.report.formats import Value, csv_of
from steelyard.verdict import Comparison, TaskVerdict, Verdict
from steelyard.verdict.types import Quantity

RESOURCES: tuple[Quantity, ...] = tuple(one for one in get_args(Quantity) if one != "score")


def csv_text(verdicts: Iterable[TaskVerdict]) -> str:
    """Return all pairs; a task without a pair has a row of its own, its cells empty."""
    return csv_of([row for task in verdicts for row in _rows(task)])


def _rows(task: TaskVerdict) -> list[dict[str, Value]]:
    return [_row(task, pair) for pair in task.pairs or (None,)]


def _row(task: TaskVerdict, pair: Verdict | None) -> dict[str, Value]:
    """Return a pair as named columns; `_ratio` is the large cell's figure over the small one's."""
    return {
        "task": task.task,
        **_cell("small", pair.small if pair else None),
        **_cell("large", pair.large if pair else None),
        "outcome": pair.outcome if pair else None,
        "reason": pair.reason if pair else None,
        **_score(pair.score if pair else None),
        **{
            column: value
            for name in RESOURCES
            for column, value in _ratio(name, pair.resource(name) if pair else None).items()
        },
        "same_host": None if pair is None else str(pair.same_host).lower(),
        "caveats": "; ".join(pair.caveats) if pair else None,
        "task_verdict": task.outcome,
        "task_verdict_by": task.by.id if task.by else None,
        "task_verdict_reason": task.reason,
        "task_expectation": task.expectation,
        "task_family": task.family,
        "task_p_value": task.p_value,
    }


def _cell(side: str, cell: Cell | None) -> dict[str, Value]:
    return {
        side: cell.id if cell else None,
        f"{side}_model": cell.model if cell else None,
        f"{side}_variant": cell.variant if cell else None,
        f"{side}_device": cell.device if cell else None,
    }


def _score(score: Comparison | None) -> dict[str, Value]:
    """Return what the answers say; `score_difference` is turned so that more is better."""
    return {
        "metric": score.unit if score else None,
        "score_status": score.status if score else None,
        "score_small": score.small if score else None,
        "score_large": score.large if score else None,
        "score_difference": score.estimate if score else None,
        "score_difference_low": score.low if score else None,
        "score_difference_high": score.high if score else None,
        "score_n": score.n if score else None,
        "score_margin": score.margin if score else None,
        "score_test": score.test if score else None,
        "score_p_value": score.p_value if score else None,
        "score_p_adjusted": score.adjusted if score else None,
        "score_detectable": score.detectable if score else None,
        "score_missing": score.reason if score else None,
    }


def _ratio(name: Quantity, compared: Comparison | None) -> dict[str, Value]:
    known = compared is not None and compared.estimate is not None
    return {
        f"{name}_status": compared.status if compared else None,
        f"{name}_ratio": compared.estimate if compared else None,
        f"{name}_ratio_low": compared.low if compared else None,
        f"{name}_ratio_high": compared.high if compared else None,
        f"{name}_missing": None if known else (compared.reason if compared else "not measured"),
    }
