"""Models without a card: `hub:ORG/NAME@REVISION` and `path:DIR` become one, pinned and kept."""

from steelyard.adhoc.making import Desk, card_of
from steelyard.adhoc.reference import Reference, parse
from steelyard.adhoc.suite import added

__all__ = ["Desk", "Reference", "added", "card_of", "parse"]
