"""Decode pictures with Pillow, which only the readers of pictures need."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from steelyard.errors import PrepareError


def needed() -> None:
    """Raise PrepareError, before anything slow, where Pillow is not installed."""
    if find_spec("PIL") is None:
        raise PrepareError("Pillow is not installed\ntry: pip install 'steelyard[images]'")


def grey(path: Path, where: str) -> Any:
    """Return an 8-bit greyscale picture as |u1 of height x width; refuse any other."""
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=["PNG"]) as picture:
            if picture.mode != "L":
                raise PrepareError(f"{where}: mode {picture.mode!r}, expected 8-bit greyscale")
            return np.asarray(picture, np.uint8).copy()
    except FileNotFoundError as error:
        raise PrepareError(f"{where}: no such picture") from error
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise PrepareError(f"{where}: no PNG that can be read: {error}") from error
