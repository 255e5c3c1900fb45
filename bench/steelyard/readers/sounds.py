"""Sounds as whole numbers: read them, resample them, make noise, mix at a ratio.

All is integer arithmetic on seeded hashes, so that the same files give the same samples on every
machine: sums of floats depend on the processor, and numpy's generators may change by version.
"""

from __future__ import annotations

import hashlib
import math
import wave
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.errors import PrepareError

Samples = NDArray[np.int64]

RATE = 16_000
FULL_SCALE = 32_768
GAIN_BITS = 16
TAP_BITS = 15
LOBES = 16  # zero crossings of the resampling filter on either side
PINK_OCTAVES = 12


class Sound(Struct, frozen=True, kw_only=True):
    """One channel of 16-bit samples."""

    rate: int
    samples: Any  # Samples; msgspec cannot decode arrays and never has to


def read_wav(path: Path, where: str) -> Sound:
    """Read a WAV file of one channel and 16 bits; raise PrepareError, with `where`, for others."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise PrepareError(f"{where}: no WAV file that can be read: {error}") from error
    if (channels, width) != (1, 2):
        raise PrepareError(
            f"{where}: {channels} channels of {8 * width} bits; expected one of 16 bits"
        )
    return Sound(rate=rate, samples=np.frombuffer(data, "<i2").astype(np.int64))


class Draws:
    """Random numbers from a hash of a text: the same on any machine, for ever."""

    def __init__(self, seed: str) -> None:
        self._seed, self._drawn = seed, 0

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1."""
        self._drawn += 1
        digest = hashlib.sha256(f"{self._seed}:{self._drawn}".encode()).digest()
        return int.from_bytes(digest[:16], "big") % limit


def silence(size: int) -> Samples:
    """Return `size` samples of nothing."""
    return np.zeros(size, np.int64)


def white(seed: str, size: int) -> Samples:
    """Return white noise: uniform 16-bit samples from SHAKE-128 of `seed`."""
    digest = hashlib.shake_128(seed.encode()).digest(2 * size)
    return np.frombuffer(digest, "<i2").astype(np.int64)


def pink(seed: str, size: int) -> Samples:
    """Return noise that falls by about 3 dB an octave.

    The sum of white noises, each held twice as long as the one before (Voss and Clarke, J. Acoust.
    Soc. Am. 63, 1978).
    """
    total = np.zeros(size, np.int64)
    for octave in range(PINK_OCTAVES):
        held = 1 << octave
        values = white(f"{seed}:{octave}", -(-size // held))
        total += np.repeat(values, held)[:size]
    return total


def resample(samples: Samples, rate: int, to: int) -> Samples:
    """Return samples at another rate, by a windowed sinc below the lower of both Nyquist rates.

    Doubling a rate keeps every sample and puts one between each two.
    """
    if rate == to:
        return samples
    common = math.gcd(rate, to)
    up, down = to // common, rate // common
    taps, before = _taps(up, down)
    width = taps.shape[1]
    moments = np.arange(-(-len(samples) * up // down), dtype=np.int64) * down
    phases, places = moments % up, moments // up
    padded = np.concatenate([np.zeros(before, np.int64), samples, np.zeros(width, np.int64)])
    total = np.zeros(len(moments), np.int64)
    for tap in range(width):
        total += padded[places + tap] * taps[phases, tap]
    rounded: Samples = (total + (1 << (TAP_BITS - 1))) >> TAP_BITS
    return rounded


def _taps(up: int, down: int) -> tuple[Samples, int]:
    """Return whole-number filter taps, (phases, width), and how many stand before a sample."""
    cut = min(1.0, up / down)
    half = math.ceil(LOBES / cut)
    rows = []
    for phase in range(up):
        row = [_tap(step - half + 1 - phase / up, cut, half) for step in range(2 * half)]
        row[half - 1] += (1 << TAP_BITS) - sum(row)  # a constant stays what it is
        rows.append(row)
    return np.array(rows, np.int64), half - 1


def _tap(distance: float, cut: float, half: int) -> int:
    """Return one tap of a Hann-windowed sinc, as a whole number."""
    if abs(distance) >= half:
        return 0
    angle = math.pi * distance * cut
    sinc = 1.0 if angle == 0.0 else math.sin(angle) / angle
    window = 0.5 + 0.5 * math.cos(math.pi * distance / half)
    return round(sinc * window * cut * (1 << TAP_BITS))


def power(samples: Samples) -> int:
    """Return the mean square of samples, rounded down; 0 for none."""
    return int((samples * samples).sum()) // len(samples) if len(samples) else 0


def scaled(samples: Samples, ratio_db: float, reference: int, own: int) -> Samples:
    """Return samples of power `own` at `ratio_db` over the power `reference`."""
    gain = math.sqrt(reference / own) * 10 ** (ratio_db / 20)
    made: Samples = (samples * round(gain * (1 << GAIN_BITS))) >> GAIN_BITS
    return made


def at_level(samples: Samples, level_db: float) -> Samples:
    """Return samples at a level below full scale (dB FS, of the power)."""
    return scaled(samples, level_db, FULL_SCALE**2, power(samples))


def clipped(samples: Samples) -> NDArray[np.int16]:
    """Return 16-bit samples; what is louder is cut, as a converter would."""
    return np.clip(samples, -FULL_SCALE, FULL_SCALE - 1).astype("<i2")
