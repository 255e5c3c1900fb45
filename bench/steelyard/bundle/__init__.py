"""A suite's prepared artefacts, items and cards in one file, for a device without network."""

from __future__ import annotations

from steelyard.bundle.packing import pack
from steelyard.bundle.types import Bundle, Packed, Unpacked
from steelyard.bundle.unpacking import cells, unpack

__all__ = ["Bundle", "Packed", "Unpacked", "cells", "pack", "unpack"]
