"""Read what a network of connectionist temporal classification wrote, the best letter a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

BLANK = 0


def best_path(steps: Any, letters: Sequence[str]) -> str:
    """Return the text of the most probable class of each step, (steps, 1 + letters).

    Class 0 is the blank; equal neighbours are one letter unless a blank stands between them
    (Graves et al., Connectionist temporal classification, ICML 2006, best path decoding).
    """
    best = np.asarray(steps).argmax(axis=1)
    first = np.concatenate([[True], best[1:] != best[:-1]])
    kept: Any = best[first & (best != BLANK)]
    return "".join(letters[int(place) - 1] for place in kept)
