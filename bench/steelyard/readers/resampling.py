"""Bring recordings to a lower rate without folding what lies above it; cut them into windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steelyard.errors import PrepareError

# Half the length of the low-pass in samples of the new rate, where it ends as a share of the new
# Nyquist frequency, and the Kaiser window's shape: flat up to .82, 80 dB down from .98 on.
HALF_LENGTH, CUTOFF, BETA = 32, 0.9, 8.0

Samples = NDArray[np.float64]


def decimate(samples: Samples, factor: int) -> Samples:
    """Low-pass and keep every `factor`-th sample; what the filter has no data for is left out.

    The filter is the same in hertz whatever rate it starts from: a model cannot tell the original
    rate by where the spectrum ends. So factor 1 is filtered as well.
    """
    taps = low_pass(factor)
    if samples.size < taps.size:
        raise PrepareError(f"a recording of {samples.size} samples, shorter than the filter")
    return np.convolve(samples, taps, "valid")[::factor]


def low_pass(factor: int) -> Samples:
    """Return a linear-phase low-pass: a sinc under a Kaiser window, of unit gain at zero."""
    at = np.arange(-HALF_LENGTH * factor, HALF_LENGTH * factor + 1)
    taps = np.sinc(at * CUTOFF / factor) * np.kaiser(at.size, BETA)
    made: Samples = taps / taps.sum()
    return made


def factor_of(rate_hz: float, target_hz: float, where: str) -> int:
    """Return the whole number between two rates; raise PrepareError where there is none."""
    factor = round(rate_hz / target_hz)
    if factor < 1 or abs(rate_hz - factor * target_hz) > 1e-6 * rate_hz:
        raise PrepareError(
            f"{where}: sampled at {rate_hz:g} Hz, no multiple of rate_hz = {target_hz:g}"
        )
    return factor


def windows(samples: NDArray[Any], length: int) -> Iterator[NDArray[Any]]:
    """Yield neighbouring windows along the first axis; a shorter rest is left out."""
    for start in range(0, len(samples) - length + 1, length):
        yield samples[start : start + length]
