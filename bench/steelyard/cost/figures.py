"""A figure with its source and date, or with the reason why it is assumed."""

from __future__ import annotations

from math import isfinite
from typing import Annotated

from msgspec import Meta

from steelyard.references import Declared, Text

Date = Annotated[str, Meta(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
NotNegative = Annotated[float, Meta(ge=0)]


class Figure(Declared, frozen=True, kw_only=True):
    """A number that somebody published on a day, or that is assumed for a reason.

    `low` and `high` are what it may be elsewhere or for others. The unit is in the key's name.
    """

    value: NotNegative
    source: Text | None = None
    date: Date | None = None
    assumed: bool = False
    reason: Text | None = None
    low: NotNegative | None = None
    high: NotNegative | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a figure without an origin, or outside its own range."""
        if self.assumed:
            if self.reason is None:
                raise ValueError("assumed without a reason: say why it is assumed, and why so much")
        elif self.source is None or self.date is None:
            raise ValueError("needs `source` and `date`, or `assumed = true` and `reason`")
        if (self.low is None) != (self.high is None):
            raise ValueError("`low` and `high` go together: state both or neither")
        low = self.value if self.low is None else self.low
        high = self.value if self.high is None else self.high
        if not (isfinite(high) and low <= self.value <= high):
            raise ValueError(f"{self.value:g} is not between low {low:g} and high {high:g}")

    @property
    def origin(self) -> str:
        """Say where it is from, ready to print."""
        if self.assumed:
            return f"assumed: {self.reason}"
        return f"{self.source}, {self.date}"


class Money(Figure, frozen=True, kw_only=True):
    """A price in its currency."""

    currency: Currency


class Rate(Figure, frozen=True, kw_only=True):
    """An exchange rate: one `base` is worth `value` of `quote`."""

    base: Currency
    quote: Currency

    def __post_init__(self) -> None:
        """Raise ValueError for a rate of nothing."""
        super().__post_init__()
        if (self.value if self.low is None else self.low) <= 0 or self.base == self.quote:
            raise ValueError(f"a rate of {self.base} to {self.quote} must be above 0, of two")
