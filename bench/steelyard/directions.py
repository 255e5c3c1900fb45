"""Whether more of a metric is better: the task's card says so, else the metric's name may."""

from __future__ import annotations

from steelyard.card import TaskCard

# Metrics that are the same wherever they are named: shares of what is right, and errors.
HIGHER = frozenset(
    (
        "accuracy", "answered", "balanced-accuracy", "exact-match", "f1", "macro-f1", "mcc",
        "precision", "r2", "recall", "roc-auc",
    )
)  # fmt: skip
LOWER = frozenset(("brier", "cer", "log-loss", "mae", "mape", "mase", "rmse", "smape", "wape",
                   "wer"))  # fmt: skip


def higher_is_better(metric: str, card: TaskCard | None = None) -> bool | None:
    """Tell whether more is better; None where neither card nor name says so.

    A card speaks of its own metric only: a record of an older card may have had another.
    """
    if card is not None and card.metric == metric:
        return card.higher_is_better
    if metric in LOWER:
        return False
    return True if metric in HIGHER or metric.endswith(("-f1", "-f2")) else None
