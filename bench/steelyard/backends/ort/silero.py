"""The Silero session: voice activity, frame after frame with a state that begins anew each clip.

The network sees 32 ms at a time behind the last 4 ms of the frame before, as its publisher's own
wrapper feeds it (silero_vad/utils_vad.py, OnnxWrapper).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.errors import WorkerError

OWN = ("rate", "speech", "threshold")
CONTEXT = {8_000: 32, 16_000: 64}
FRAME = {8_000: 256, 16_000: 512}
STATE = (2, 1, 128)
TASK_RATE = 16_000
FULL_SCALE = np.float32(32768)

Frames = NDArray[np.float32]


class SileroSession:
    """An opened detector: a clip is speech where one of its frames is.

    Option `rate` is what the network runs at; a clip of 16 kHz loses every second sample for 8 kHz,
    which is right only for telephone sound. `speech` names the task's label.
    """

    def __init__(self, session: ort.InferenceSession, spec: SessionSpec) -> None:
        self._session = session
        self._rate = _rate(spec)
        self._inputs = {"sr": np.array(self._rate, np.int64)}
        self._threshold = options.option(spec, "threshold", 0.5)
        self._speech, self._other = _labels(spec)
        self._first = spec.labels[0].id == self._speech

    def encode(self, samples: Any) -> Frames:
        """Return frames with their context, (frames, context + frame); a rest is filled up."""
        frame, context = FRAME[self._rate], CONTEXT[self._rate]
        thinned = np.asarray(samples)[:: TASK_RATE // self._rate].astype(np.float32) / FULL_SCALE
        count = max(1, -(-len(thinned) // frame))
        padded = np.zeros(context + count * frame, np.float32)
        padded[context : context + len(thinned)] = thinned
        windows = np.lib.stride_tricks.sliding_window_view(padded, context + frame)
        return np.ascontiguousarray(windows[::frame])

    def infer(self, inputs: Frames) -> Frames:
        """Return the probability of speech of each frame."""
        state = np.zeros(STATE, np.float32)
        found = np.empty(len(inputs), np.float32)
        for number, frame in enumerate(inputs):
            given = {"input": frame[None], "state": state, **self._inputs}
            probability, state = self._session.run(None, given)
            found[number] = np.asarray(probability)[0, 0]
        return found

    def decode(self, outputs: Frames) -> Answer:
        """Answer by the most probable frame; scores are its probability and the rest."""
        highest = float(outputs.max())
        label = self._speech if highest >= self._threshold else self._other
        scores = (highest, 1 - highest) if self._first else (1 - highest, highest)
        return Answer(label=label, scores=scores)

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return (*options.runs_on(self._session), f"{self._rate} Hz")

    def close(self) -> None:
        """Drop the native session."""
        del self._session


def open_silero(spec: SessionSpec) -> SileroSession:
    """Open an artefact that is one ONNX file."""
    files = sorted(Path(spec.artifact).glob("*.onnx"))
    if len(files) != 1:
        raise WorkerError(f"{spec.artifact}: expected one ONNX file, found {len(files)}")
    return SileroSession(options.open_session(files[0], spec, OWN), spec)


def _rate(spec: SessionSpec) -> int:
    rate = options.option(spec, "rate", TASK_RATE)
    if rate not in FRAME:
        raise WorkerError(f"session_options.rate: {rate}; the network knows 8000 and 16000")
    return rate


def _labels(spec: SessionSpec) -> tuple[str, str]:
    """Return the label of speech and the other one."""
    speech = options.option(spec, "speech", "speech")
    others = [label.id for label in spec.labels if label.id != speech]
    if len(spec.labels) != 2 or len(others) != 1:
        raise WorkerError(f"session_options.speech: {speech!r} is none of the task's two labels")
    return speech, others[0]
