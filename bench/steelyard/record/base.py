"""What all recorded types share."""

from __future__ import annotations

from msgspec import Struct


class Recorded(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all recorded types share: frozen, keyword-only, strictly decoded."""
