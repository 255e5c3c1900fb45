"""Principal components and support vector machines with a Gaussian kernel, as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from steelyard.errors import PrepareError
from steelyard.recipes.heads import NEVER


class Projection(Struct, frozen=True, kw_only=True):
    """Principal components of features: `mean` (F), `components` (F, d), and the kernel's width.

    `gamma` is 1 / (d * variance of the points), scikit-learn's "scale".
    """

    mean: Any
    components: Any
    gamma: float

    def points(self, rows: Any) -> Any:
        """Return rows of features as points of d coordinates."""
        return (rows - self.mean) @ self.components


class Trained(Struct, frozen=True, kw_only=True):
    """A machine a label: score = kernel(point, `vectors` (n, d)) @ `coefficients` (n, C) + ..."""

    labels: tuple[str, ...]
    projection: Projection
    vectors: Any
    coefficients: Any
    intercept: Any

    @property
    def parameters(self) -> int:
        """Return how many numbers were learned."""
        learned = (self.projection.mean, self.projection.components, self.vectors)
        return int(sum(one.size for one in (*learned, self.coefficients, self.intercept)))


def project(rows: Any, most: int) -> Projection:
    """Return at most `most` principal components of rows of features."""
    import numpy as np

    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    components = _components((rows - mean).astype(np.float64), min(most, *rows.shape))
    variance = float(((rows - mean) @ components).var())
    if not variance > 0:
        raise PrepareError("every train item has the same features: there is nothing to learn from")
    gamma = 1 / (components.shape[1] * variance)
    return Projection(mean=mean, components=components, gamma=gamma)


def machine(cost: float, gamma: float) -> Any:
    """Return an untrained machine."""
    from sklearn.svm import SVC

    width: Any = gamma
    return SVC(C=cost, gamma=width)


def train(
    rows: Any, said: Sequence[str], labels: Sequence[str], cost: float, components: int
) -> Trained:
    """Train one machine a label against the rest; of two labels, one machine for both."""
    import numpy as np

    unknown = sorted(set(said) - set(labels))
    if unknown:
        raise PrepareError(f"train items carry labels that the task lacks: {', '.join(unknown)}")
    projection = project(rows, components)
    points, truth = projection.points(rows), np.asarray(said)
    weights = np.zeros((len(points), len(labels)), np.float64)
    intercept = np.full(len(labels), NEVER, np.float64)
    for column, label in enumerate(labels):
        if column == 1 and len(labels) == 2:
            weights[:, 1], intercept[1] = -weights[:, 0], -intercept[0]
        elif (truth == label).any():
            found = machine(cost, projection.gamma).fit(points, truth == label)
            weights[found.support_, column] = found.dual_coef_[0]
            intercept[column] = found.intercept_[0]
    kept = weights.any(axis=1)
    return Trained(
        labels=tuple(labels),
        projection=projection,
        vectors=points[kept].astype(np.float32),
        coefficients=weights[kept].astype(np.float32),
        intercept=intercept.astype(np.float32),
    )


def _components(centred: Any, count: int) -> Any:
    """Return (F, count) directions of largest variance, by the smaller of the two Gram matrices."""
    import numpy as np
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1):  # more threads change the sums, and so the bytes
        if centred.shape[1] <= centred.shape[0]:
            _, vectors = np.linalg.eigh(centred.T @ centred)
            found = vectors[:, ::-1][:, :count]
        else:
            values, vectors = np.linalg.eigh(centred @ centred.T)
            largest = np.sqrt(np.maximum(values[::-1][:count], np.finfo(np.float64).tiny))
            found = centred.T @ vectors[:, ::-1][:, :count] / largest
        # An eigenvector's sign is free: fix it, so that another library gives the same points.
        highest = found[np.abs(found).argmax(axis=0), np.arange(count)]
        return (found * np.where(highest < 0, -1.0, 1.0)).astype(np.float32)
