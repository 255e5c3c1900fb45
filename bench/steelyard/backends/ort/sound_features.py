"""What a sound model is shown of a clip of 16-bit samples; recipes train on the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.backends import log_mel
from steelyard.errors import WorkerError

FACTS, GRAPH = "sound.json", "sound.onnx"
SIZE, HOP, BANDS = 512, 256, 40  # frames of 32 ms every 16 ms, at 16 kHz
QUIET = 1e-9  # about the power of one step of 16 bits
QUANTILES = (0.1, 0.5, 0.9)

Vector = NDArray[np.float32]
Kind = Literal["energy", "statistics", "spectrogram"]


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `sound.json` holds: what the graph is shown, and the order of its scores."""

    labels: tuple[str, ...]
    features: Kind
    rate: int
    segments: int = 1


def maker(kind: Kind, rate: int, segments: int) -> Callable[[Any], Vector]:
    """Return the function that makes a clip's features.

    `energy`: the loudest tenth of the frames over the quietest (dB), the flattest and the least
    flat spectrum (dB), and the level. `statistics`: of each mel band quantiles over time and the
    mean of each of `segments` stretches, less the clip's mean, which is the last. `spectrogram`:
    (bands, frames), less the clip's mean.
    """
    weights = log_mel.filters(rate, SIZE, BANDS).T
    window = log_mel.hann(SIZE)

    def spectrum(samples: Any) -> log_mel.Floats:
        if len(samples) < SIZE * max(2, segments):
            raise WorkerError(f"a clip of {len(samples)} samples is too short for these features")
        scaled = np.asarray(samples, np.float64) / log_mel.FULL_SCALE
        return log_mel.powers(scaled, SIZE, HOP, window)

    def mels(samples: Any) -> log_mel.Floats:
        logs: log_mel.Floats = 10 * np.log10(spectrum(samples) @ weights + QUIET)
        return logs

    return {
        "energy": lambda samples: energy(spectrum(samples)),
        "statistics": lambda samples: statistics(mels(samples), segments),
        "spectrogram": lambda samples: spectrogram(mels(samples)),
    }[kind]


def energy(spectrum: log_mel.Floats) -> Vector:
    """Return contrast, flatness (least, most) and level of a clip, all in dB."""
    levels = 10 * np.log10(spectrum.sum(axis=1) + QUIET)
    logs = np.log(spectrum + QUIET)
    # Wiener entropy: the geometric over the arithmetic mean; 0 dB for white noise.
    flatness = 10 / np.log(10) * (logs.mean(axis=1) - np.log(spectrum.mean(axis=1) + QUIET))
    quiet, loud = np.quantile(levels, [0.1, 0.9])
    flat = np.quantile(flatness, [0.1, 0.9])
    return np.array([loud - quiet, flat[0], flat[1], levels.mean()], np.float32)


def statistics(mels: log_mel.Floats, segments: int) -> Vector:
    """Return the quantiles and the stretches' means of each band, and the clip's mean."""
    mean = mels.mean()
    centred = mels - mean
    parts = [part.mean(axis=0) for part in np.array_split(centred, segments)]
    made = [*np.quantile(centred, QUANTILES, axis=0), *parts, np.array([mean])]
    return np.concatenate(made).astype(np.float32)


def spectrogram(mels: log_mel.Floats) -> Vector:
    """Return (bands, frames) in tens of dB around the clip's mean."""
    return np.ascontiguousarray(((mels - mels.mean()) / 10).T, np.float32)
