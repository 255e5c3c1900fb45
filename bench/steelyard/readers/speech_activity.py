"""Where a clean recording holds speech: the truth of voice activity, by energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steelyard.readers.sounds import Samples

FRAME = 512  # 32 ms at 16 kHz
BELOW_PEAK = 1000  # a frame speaks that is at most 30 dB below the loud ones
LOUD_SHARE = 20  # the loud ones: the level that one frame in 20 reaches
QUIETEST = 33  # root mean square of a loud frame, 60 dB below full scale: less is a hiss
LONGEST_GAP = 5  # frames: the silence before a stop consonant belongs to its word
SHORTEST = 3  # frames: what is shorter is a click


def activity(samples: Samples) -> NDArray[np.bool_]:
    """Tell for each whole frame of a clean recording whether somebody speaks."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    powers = (frames * frames).sum(axis=1)
    if not len(powers):
        return np.zeros(0, np.bool_)
    loud = int(np.sort(powers)[-1 - len(powers) // LOUD_SHARE])
    if loud < FRAME * QUIETEST**2:
        return np.zeros(len(powers), np.bool_)
    spoken: NDArray[np.bool_] = powers * BELOW_PEAK >= loud
    gaps = _without(np.logical_not(spoken), LONGEST_GAP + 1, inner=True)
    closed = np.logical_not(gaps)
    return _without(closed, SHORTEST, inner=False)


def _without(states: NDArray[np.bool_], shortest: int, *, inner: bool) -> NDArray[np.bool_]:
    """Drop true runs of fewer than `shortest`; with `inner`, only those between two others."""
    kept: NDArray[np.bool_] = states.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], states, [False]]).astype(np.int8)))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        at_border = begin == 0 or end == len(states)
        if end - begin < shortest and not (inner and at_border):
            kept[begin:end] = False
    return kept
