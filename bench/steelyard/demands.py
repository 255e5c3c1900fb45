"""Whether a figure meets what was asked of it: beyond doubt, by its estimate only, or not."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Standing = Literal["meets", "doubtful", "fails", "not measured"]


class Figure(Struct, frozen=True, kw_only=True):
    """An estimate with its interval; the ends are the estimate's own where it has none."""

    value: float
    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> Figure:
        """Return a figure that is known as it stands."""
        return cls(value=value, low=value, high=value)


class Bound(Struct, frozen=True, kw_only=True):
    """What is asked of a quantity: no more than `limit`, or, with `at_least`, no less."""

    limit: float
    at_least: bool = False

    def standing(self, figure: Figure) -> Standing:
        """Return `meets` where the whole interval does, `doubtful` where only the estimate does."""
        worst = figure.low if self.at_least else figure.high
        if self._holds(worst) and self._holds(figure.value):
            return "meets"
        return "doubtful" if self._holds(figure.value) else "fails"

    def miss(self, figure: Figure) -> float:
        """Return by how much the estimate misses the limit, as a share of the limit; 0 for none."""
        over = self.limit - figure.value if self.at_least else figure.value - self.limit
        return max(0.0, over / self.limit) if self.limit else max(0.0, over)

    def _holds(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit
