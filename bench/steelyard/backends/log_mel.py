"""Log-mel spectrograms in numpy: the mel scale, the filters, the frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Slaney's Auditory Toolbox (1998), as librosa has it: linear below 1 kHz, then logarithmic.
LINEAR_HZ = 200.0 / 3
BREAK_HZ = 1000.0
LOG_STEP = np.log(6.4) / 27.0
FULL_SCALE = 32768.0


def to_mel(hertz: Floats) -> Floats:
    """Return frequencies on Slaney's mel scale."""
    above = BREAK_HZ / LINEAR_HZ + np.log(np.maximum(hertz, BREAK_HZ) / BREAK_HZ) / LOG_STEP
    return np.where(hertz < BREAK_HZ, hertz / LINEAR_HZ, above)


def to_hertz(mel: Floats) -> Floats:
    """Return the frequencies of values on Slaney's mel scale."""
    from_break = mel - BREAK_HZ / LINEAR_HZ
    above = BREAK_HZ * np.exp(LOG_STEP * np.maximum(from_break, 0.0))
    return np.where(from_break < 0, mel * LINEAR_HZ, above)


def filters(rate: int, size: int, bands: int) -> Floats:
    """Return triangular filters of equal area, (bands, size // 2 + 1), from 0 to half the rate.

    `size` is the length of the Fourier transform.
    """
    bins = np.linspace(0.0, rate / 2, size // 2 + 1)
    ends = to_mel(np.array([0.0, rate / 2]))
    corners = to_hertz(np.linspace(ends[0], ends[1], bands + 2))
    widths = np.diff(corners)
    slopes = corners[:, None] - bins[None]
    rising, falling = -slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    areas: Floats = triangles * (2.0 / (corners[2:] - corners[:-2]))[:, None]
    return areas


def powers(samples: Floats, size: int, hop: int, window: Floats) -> Floats:
    """Return the power spectrum, (frames, size // 2 + 1), of whole frames."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    spectrum = np.fft.rfft(frames * window, axis=1)
    made: Floats = spectrum.real**2 + spectrum.imag**2
    return made


def hann(size: int) -> Floats:
    """Return the periodic Hann window."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
