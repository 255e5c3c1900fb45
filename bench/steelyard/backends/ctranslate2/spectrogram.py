"""The spectrogram that Whisper reads: 80 mel bands, 30 s, whatever the clip's length.

As the publisher's `log_mel_spectrogram` (openai-whisper 20240930, whisper/audio.py): reflected
edges, powers, log10 above 1e-10, nothing more than 8 below the loudest, then (x + 4) / 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steelyard.backends import log_mel
from steelyard.errors import WorkerError

RATE, SIZE, HOP, BANDS, FRAMES = 16_000, 400, 160, 80, 3000
FLOOR = 1e-10

Spectrogram = NDArray[np.float32]


class Spectrograms:
    """Makes spectrograms (1, 80, 3000) of 16-bit samples at 16 kHz."""

    def __init__(self) -> None:
        self._filters = log_mel.filters(RATE, SIZE, BANDS).T
        self._window = log_mel.hann(SIZE)

    def __call__(self, samples: Any) -> Spectrogram:
        """Return the spectrogram of a clip of at most 30 s; raise WorkerError for others.

        What follows the clip is silence, whose frames are known and not computed.
        """
        if not SIZE <= len(samples) <= FRAMES * HOP:
            raise WorkerError(f"a clip of {len(samples)} samples; Whisper takes {SIZE} to 480000")
        scaled = np.asarray(samples, np.float64) / log_mel.FULL_SCALE
        edge, missing = SIZE // 2, FRAMES * HOP - len(scaled)
        whole = np.pad(scaled, (0, min(missing, SIZE)))
        # The end of 30 s is reflected, where anything but silence stands there.
        after = whole[-2 : -edge - 2 : -1] if missing < SIZE else whole[:0]
        framed = np.concatenate([scaled[edge:0:-1], whole, after])
        mels = log_mel.powers(framed, SIZE, HOP, self._window) @ self._filters
        logs = np.full((FRAMES, BANDS), np.log10(FLOOR))
        count = min(FRAMES, len(mels))
        logs[:count] = np.log10(np.maximum(mels[:count], FLOOR))
        made = (np.maximum(logs, logs.max() - 8.0) + 4.0) / 4.0
        return np.ascontiguousarray(made.T[None], np.float32)
