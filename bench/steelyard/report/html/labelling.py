"""Where names may stand beside the points of a plot without covering one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from msgspec import Struct

# Of the 10 pixel letters in a plot, in a wide font: the browser chooses which it is.
LETTER = 5.9
HEIGHT = 12.0
GAP = 7.0
LONGEST = 26
# In ranks of the list of places: what a name on a line costs, and one that is left out.
ON_LINE, LEFT_OUT = 8, 200
# So many names are each tried first.
MOST = 12


class Box(Struct, frozen=True, kw_only=True):
    """A rectangle in pixels, y growing downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two cover a place together."""
        apart = (
            self.right <= other.left
            or other.right <= self.left
            or self.bottom <= other.top
            or other.bottom <= self.top
        )
        return not apart

    def holds(self, other: Box) -> bool:
        """Whether the other lies within."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


class Spot(Struct, frozen=True, kw_only=True):
    """A point's place in pixels, what is drawn there, and the name to stand beside it."""

    x: float
    y: float
    name: str
    bars: tuple[Box, ...] = ()

    @property
    def mark(self) -> Box:
        """The square that the point's mark covers."""
        return Box(left=self.x - 5, top=self.y - 5, right=self.x + 5, bottom=self.y + 5)


class Label(Struct, frozen=True, kw_only=True):
    """A name with the left end and the middle of its line, in pixels."""

    name: str
    left: float
    middle: float


def shortened(name: str) -> str:
    """Return a name as long as a plot can bear."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def place(spots: Sequence[Spot], area: Box, lines: Sequence[Box] = ()) -> tuple[Label | None, ...]:
    """Return a label a spot, or None where no place near it is free.

    The names are tried in several orders, and the one kept leaves the fewest out, far off, or on
    one of `lines`.
    """
    tried = (_placed(order, spots, area, lines) for order in _orders(spots))
    best = min(tried, key=lambda pair: pair[0], default=(0.0, {}))[1]
    return tuple(_label(spot, best[i]) if i in best else None for i, spot in enumerate(spots))


def _orders(spots: Sequence[Spot]) -> Iterable[list[int]]:
    """Yield orders to place names in: from each side, and each one first."""
    numbers = list(range(len(spots)))
    for key in (lambda i: spots[i].x, lambda i: spots[i].y):
        yield sorted(numbers, key=key)
        yield sorted(numbers, key=key, reverse=True)
    for start in numbers[:MOST]:
        yield numbers[start:] + numbers[:start]


def _placed(
    order: Sequence[int], spots: Sequence[Spot], area: Box, lines: Sequence[Box]
) -> tuple[float, dict[int, Box]]:
    """Return what an order costs, and the places it finds."""
    taken = list(chain.from_iterable((spot.mark, *spot.bars) for spot in spots))
    cost, boxes = 0.0, dict[int, Box]()
    for index in order:
        ranked = [
            (rank + ON_LINE * any(box.meets(line) for line in lines), rank, box)
            for rank, box in enumerate(_candidates(spots[index]))
            if _free(box, area, taken)
        ]
        if not ranked:
            cost += LEFT_OUT
            continue
        dear, _, boxes[index] = min(ranked, key=lambda found: found[:2])
        cost += dear
        taken.append(boxes[index])
    return cost, boxes


def _label(spot: Spot, box: Box) -> Label:
    return Label(name=shortened(spot.name), left=box.left, middle=(box.top + box.bottom) / 2)


def _free(box: Box, area: Box, taken: Iterable[Box]) -> bool:
    return area.holds(box) and not any(box.meets(other) for other in taken)


def _candidates(spot: Spot) -> Iterable[Box]:
    """Yield places for a name, the nearest first: beside, above, below, then farther off."""
    width = LETTER * len(shortened(spot.name))
    beside = (spot.x + GAP, spot.x - GAP - width)
    for away in (0.0, -9.0, 9.0, -14.0, 14.0, -20.0, 20.0, -27.0, 27.0):
        # Beside it while that is near; farther off, above and below it.
        lefts = (spot.x - width / 2, spot.x - 8, spot.x + 8 - width)
        for left in (*beside, *lefts) if abs(away) < 24 else lefts:
            top = spot.y + away - HEIGHT / 2
            yield Box(left=left, top=top, right=left + width, bottom=top + HEIGHT)
