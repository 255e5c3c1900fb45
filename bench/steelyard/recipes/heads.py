"""Put a trained linear model's columns into the order of a task's labels."""

from __future__ import annotations

from typing import Any

from steelyard.errors import PrepareError

NEVER = -1e9  # the score of a label without a single train item


def columns(model: Any, labels: list[str]) -> tuple[Any, Any]:
    """Return coefficients [V, C] and intercept [C], one column a label of the task."""
    import numpy as np

    rows, offsets = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # one hyperplane for two classes: two opposite scores
        rows, offsets = np.vstack([-rows, rows]), np.concatenate([-offsets, offsets])
    unknown = sorted(set(model.classes_) - set(labels))
    if unknown:
        raise PrepareError(f"train items carry labels that the task lacks: {', '.join(unknown)}")
    coefficients = np.zeros((rows.shape[1], len(labels)), np.float32)
    intercept = np.full(len(labels), NEVER, np.float32)
    for row, offset, label in zip(rows, offsets, model.classes_, strict=True):
        column = labels.index(label)
        coefficients[:, column] = row
        intercept[column] = offset
    return coefficients, intercept
