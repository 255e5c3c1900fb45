"""Which word piece of a tokeniser begins which unit of a text: by their places in it."""

from __future__ import annotations

from collections.abc import Sequence

from steelyard.recipes.span_tags import Place


def first_pieces(offsets: Sequence[Place], at: Sequence[Place]) -> list[int | None]:
    """Return the number of each unit's first piece; None where no piece stands in a unit.

    Units without pieces are those that the tokeniser drops, such as control characters, and those
    beyond its length. Pieces of no length are its own marks.
    """
    firsts: list[int | None] = []
    piece = 0
    for start, end in at:
        while piece < len(offsets) and _is_before(offsets[piece], start):
            piece += 1
        inside = piece < len(offsets) and offsets[piece][0] < end
        firsts.append(piece if inside else None)
    return firsts


def _is_before(piece: Place, start: int) -> bool:
    return piece[0] >= piece[1] or piece[1] <= start
