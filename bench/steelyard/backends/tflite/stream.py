"""openWakeWord's stages as a stream: sound -> mel frames -> embeddings -> one score a step.

Its publisher's order (pyopen-wakeword 1.1.0, openwakeword.py): every 80 ms a spectrogram of the
last 110 ms gives eight mel frames; the last 76 of them give an embedding; the last 16 of these the
probability of the phrase. A stream begins with 8 s of silence in its buffers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

CHUNK, SEEN = 1280, 1760  # samples: 80 ms, and with the 30 ms before it
BANDS, MEL_FRAMES = 32, 76
EMBEDDING, EMBEDDINGS = 96, 16

Floats = NDArray[np.float32]
Network = Callable[[Floats], Floats]


class Networks(Struct, frozen=True, kw_only=True):
    """The three networks: (1, 1760) samples, (1, 76, 32, 1) mels, (1, 16, 96) embeddings."""

    spectrogram: Network
    embedding: Network
    phrase: Network


class Silence(Struct, frozen=True, kw_only=True):
    """The buffers after silence; they are the same for every clip and computed once."""

    mels: Any
    embeddings: Any


def silence(networks: Networks) -> Silence:
    """Return the buffers of a stream that heard nothing for as long as they reach."""
    frames = _mels(networks, np.zeros(SEEN, np.float32))
    mels = np.tile(frames, (-(-MEL_FRAMES // len(frames)), 1))[-MEL_FRAMES:]
    embedding = _embedding(networks, mels)
    return Silence(mels=mels, embeddings=np.tile(embedding, (EMBEDDINGS, 1)))


def scores(networks: Networks, start: Silence, samples: Any) -> Iterator[float]:
    """Yield the probability of the phrase after each 80 ms of a clip of 16-bit samples.

    A rest of less than 80 ms is filled up with silence.
    """
    mels: Floats = start.mels
    embeddings: Floats = start.embeddings
    steps = -(-len(samples) // CHUNK)
    heard = np.zeros(SEEN - CHUNK + steps * CHUNK, np.float32)
    heard[SEEN - CHUNK : SEEN - CHUNK + len(samples)] = samples
    for step in range(steps):
        new = _mels(networks, heard[step * CHUNK : step * CHUNK + SEEN])
        mels = np.concatenate([mels, new])[-MEL_FRAMES:]
        embeddings = np.concatenate([embeddings[1:], _embedding(networks, mels)[None]])
        yield float(networks.phrase(embeddings[None]).reshape(-1)[0])


def _mels(networks: Networks, heard: Floats) -> Floats:
    """Return new mel frames, (8, 32), as the embedding was trained on them."""
    frames = networks.spectrogram(heard[None]).reshape(-1, BANDS)
    return np.asarray(frames / 10 + 2, np.float32)


def _embedding(networks: Networks, mels: Floats) -> Floats:
    return networks.embedding(mels[None, :, :, None]).reshape(EMBEDDING)
