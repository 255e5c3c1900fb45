"""Features of a stretch of a signal, in numpy alone: the recipe trains on them, the session asks.

Frequencies are shares of the Nyquist frequency, so that stretches of one rate and of any length
have comparable features. Every feature is finite, also of a constant signal.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steelyard.errors import WorkerError

# Whoever changes what a feature means changes this: artefacts name the version they were made with.
VERSION = 1
FEWEST_SAMPLES = 8
SEGMENTS = 8
BANDS = 24
QUANTILES = np.array([0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0])
TINY = 1e-12

Matrix = NDArray[np.float64]


def features(array: Any) -> NDArray[np.float32]:
    """Return the features of samples x channels, or of samples alone; raise WorkerError if short.

    For n channels there are n x `PER_CHANNEL` + n (n - 1) / 2 of them.
    """
    rows = np.atleast_2d(np.asarray(array, np.float64).T)
    if rows.ndim != 2 or rows.shape[1] < FEWEST_SAMPLES:
        raise WorkerError(
            f"a signal of shape {np.shape(array)}; expected (samples,) or (samples, channels) "
            f"with at least {FEWEST_SAMPLES} samples"
        )
    centred = rows - rows.mean(axis=1, keepdims=True)
    own = np.concatenate(
        [_statistics(rows, centred), _course(rows), _spectrum(centred), _envelope(centred)], axis=1
    )
    return np.concatenate([own.ravel(), _correlations(centred)]).astype(np.float32)


def _statistics(rows: Matrix, centred: Matrix) -> Matrix:
    """Return what does not depend on the order of samples, and how often they change."""
    deviation = centred.std(axis=1)
    unit = centred / (deviation[:, None] + TINY)
    strength = np.sqrt(np.mean(rows**2, axis=1))
    steps = np.diff(rows, axis=1)
    named = [
        rows.mean(axis=1),
        deviation,
        strength,
        np.abs(rows).mean(axis=1),
        np.abs(rows).max(axis=1) / (strength + TINY),  # crest factor
        np.mean(unit**3, axis=1),  # skewness
        np.mean(unit**4, axis=1),  # kurtosis
        np.abs(steps).mean(axis=1),
        steps.std(axis=1) / (deviation + TINY),
        _crossings(rows),
        _crossings(centred),
        _crossings(steps),  # turning points
        np.full(len(rows), rows.shape[1], np.float64),
    ]
    return np.concatenate([np.stack(named, axis=1), _quantiles(rows)], axis=1)


def _quantiles(rows: Matrix) -> Matrix:
    """Return what `numpy.quantile` does, whose generality takes longer than all other features."""
    ordered = np.sort(rows, axis=1)
    at = QUANTILES * (rows.shape[1] - 1)
    below = at.astype(np.int64)
    above = np.minimum(below + 1, rows.shape[1] - 1)
    found: Matrix = ordered[:, below] + (at - below) * (ordered[:, above] - ordered[:, below])
    return found


def _crossings(rows: Matrix) -> Matrix:
    """Return the share of neighbours between which the sign changes."""
    above = rows > 0
    shares: Matrix = np.mean(above[:, 1:] != above[:, :-1], axis=1)
    return shares


def _course(rows: Matrix) -> Matrix:
    """Return mean and standard deviation of each eighth of the stretch, in order."""
    starts = (np.arange(SEGMENTS) * rows.shape[1]) // SEGMENTS
    sizes = np.diff(np.append(starts, rows.shape[1]))
    means = np.add.reduceat(rows, starts, axis=1) / sizes
    squares = np.add.reduceat(rows**2, starts, axis=1) / sizes
    return np.concatenate([means, np.sqrt(np.maximum(squares - means**2, 0))], axis=1)


def _spectrum(centred: Matrix) -> Matrix:
    """Return band powers (Hann window), and centre, width, flatness and peak of the spectrum."""
    power = _power(centred)
    total = power.sum(axis=1, keepdims=True)
    share = power / (total + TINY)
    at = np.linspace(0, 1, power.shape[1])
    centre = share @ at
    width = np.sqrt(np.maximum(share @ at**2 - centre**2, 0))
    entropy = -np.sum(share * np.log(share + TINY), axis=1) / np.log(power.shape[1])
    shape = np.stack([centre, width, entropy, at[power.argmax(axis=1)]], axis=1)
    return np.concatenate(
        [np.log(total + TINY), shape, _bands(share, EVEN), _bands(share, OCTAVES)], axis=1
    )


def _envelope(centred: Matrix) -> Matrix:
    """Return the bands of the envelope's spectrum: impacts repeat there, whatever they excite.

    The envelope is the magnitude of the analytic signal (Hilbert transform by FFT).
    """
    weights = _analytic(centred.shape[1])
    envelope = np.abs(np.fft.ifft(np.fft.fft(centred, axis=1) * weights, axis=1))
    level = envelope.mean(axis=1, keepdims=True)
    unit = envelope / (level + TINY)
    power = _power(unit - unit.mean(axis=1, keepdims=True))
    share = power / (power.sum(axis=1, keepdims=True) + TINY)
    shape = np.stack([unit.std(axis=1), unit.max(axis=1)], axis=1)
    return np.concatenate([shape, _bands(share, OCTAVES)], axis=1)


@lru_cache(maxsize=64)
def _analytic(size: int) -> NDArray[np.float64]:
    """Return the weights of a spectrum that leave the analytic signal: no negative frequencies."""
    weights = np.zeros(size)
    weights[0] = 1
    weights[1 : (size + 1) // 2] = 2
    if size % 2 == 0:
        weights[size // 2] = 1
    return weights


@lru_cache(maxsize=64)
def _window(size: int) -> NDArray[np.float64]:
    return np.hanning(size)


def _power(rows: Matrix) -> Matrix:
    return np.abs(np.fft.rfft(rows * _window(rows.shape[1]), axis=1)) ** 2


EVEN = np.linspace(0, 1, BANDS + 1)
# Finer where it is low: quarters of an octave, six octaves down from the Nyquist frequency.
OCTAVES = np.concatenate([[0.0], 2.0 ** np.linspace(-BANDS / 4, 0, BANDS)])


def _bands(share: Matrix, edges: NDArray[np.float64]) -> Matrix:
    """Return the logarithm of the share of power between neighbouring edges.

    Between bins the cumulated power is interpolated, so that no band is empty for want of a bin.
    """
    at = np.linspace(0, 1, share.shape[1] + 1)
    zero = np.zeros((len(share), 1))
    summed = np.concatenate([zero, np.cumsum(share, axis=1)], axis=1)
    parts = np.stack([np.diff(np.interp(edges, at, row)) for row in summed])
    levels: Matrix = np.log(np.maximum(parts, 0) + 1e-6)
    return levels


def _correlations(centred: Matrix) -> NDArray[np.float64]:
    """Return the correlation of every pair of channels."""
    norms = np.sqrt(np.sum(centred**2, axis=1)) + TINY
    table = (centred @ centred.T) / np.outer(norms, norms)
    found: NDArray[np.float64] = table[np.triu_indices(len(centred), 1)]
    return found
