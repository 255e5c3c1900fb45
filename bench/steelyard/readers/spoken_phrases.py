"""Mix clips of `speech_engines`, in which one phrase or another is spoken, into noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from steelyard.api import ArrayItems, Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.rows import decode_options, named_path, only_name
from steelyard.readers.sounds import (
    RATE,
    Draws,
    Samples,
    at_level,
    clipped,
    pink,
    power,
    read_wav,
    resample,
    scaled,
    silence,
    white,
)
from steelyard.readers.speech_engines import INDEX, Clip

SIZE = 38_400  # 2.4 s, 30 steps of 80 ms
TAILS = range(4_800, 9_600, 160)  # samples of noise after the phrase: 0.3 to 0.6 s
LEVELS_DB = (-32, -26, -20)
NOISES = ("white", "pink", "babble")
TALKERS = 16
BELOW_PEAK = 100  # what is 40 dB below the loudest sample is no part of the phrase


class PhraseOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`wanted` and `other` are the labels; each clip is mixed with noise `times` at `snr_db`."""

    wanted: str
    other: str
    snr_db: list[str]
    times: int = 2
    file: str | None = None


class SpokenPhrases:
    """Reader `spoken-phrases`."""

    def read_arrays(
        self, paths: Mapping[str, Path], options: Mapping[str, Option], labels: Sequence[Label]
    ) -> ArrayItems:
        """Return clips of 16-bit samples at 16 kHz, the parts as the index has them."""
        how = decode_options(options, PhraseOptions)
        if {how.wanted, how.other} != {label.id for label in labels}:
            raise PrepareError("reader.options: wanted and other name the task's two labels")
        name = only_name(paths, how.file)
        root = named_path(paths, name)
        made = [
            mixed
            for part, fold in (("train", None), ("test", 0))
            for mixed in _mixed(_spoken(root, name, part), fold, how)
        ]
        return ArrayItems(
            items=tuple(item for item, _ in made), arrays=tuple(array for _, array in made)
        )


def _spoken(root: Path, name: str, part: str) -> list[tuple[Clip, Samples]]:
    """Return the clips of a part, at 16 kHz and without what is before and after the words."""
    try:
        index = msgspec.json.decode((root / INDEX).read_bytes(), type=list[Clip])
    except (OSError, msgspec.MsgspecError) as error:
        raise PrepareError(f"{name}: {INDEX}: {error}") from error
    found = []
    for clip in index:
        if clip.part == part:
            sound = read_wav(named_path({clip.file: root / clip.file}, clip.file), clip.file)
            found.append((clip, trimmed(resample(sound.samples, sound.rate, RATE))))
    return found


def trimmed(samples: Samples) -> Samples:
    """Return samples from the first to the last that is no more than 40 dB below the loudest."""
    loud = np.abs(samples) * BELOW_PEAK > np.abs(samples).max(initial=0)
    places = np.flatnonzero(loud)
    if not len(places):
        raise PrepareError("a clip is silent; make the clips again")
    return samples[places[0] : places[-1] + 1]


def _mixed(
    spoken: Sequence[tuple[Clip, Samples]], fold: int | None, how: PhraseOptions
) -> Iterator[tuple[Item, Any]]:
    conditions = [(noise, snr) for snr in how.snr_db for noise in NOISES]
    voices = [samples for clip, samples in spoken if not clip.wanted]
    for clip, samples in spoken:
        for time in range(how.times):
            draws = Draws(f"phrase:{clip.file}:{time}")
            noise, snr = conditions[draws.below(len(conditions))]
            name = f"{clip.file.removesuffix('.wav')}/{noise}/{snr}dB/{time}"
            array = _mix(samples, _noise(noise, voices, draws), float(snr), draws)
            label = how.wanted if clip.wanted else how.other
            yield Item(id=name, label=label, group=clip.file, fold=fold), clipped(array)


def _mix(samples: Samples, noise: Samples, snr_db: float, draws: Draws) -> Samples:
    """Return the phrase in noise, its end 0.3 to 0.6 s before the clip's."""
    placed = silence(SIZE)
    end = SIZE - TAILS[draws.below(len(TAILS))]
    kept = samples[-end:]
    placed[end - len(kept) : end] = at_level(kept, LEVELS_DB[draws.below(len(LEVELS_DB))])
    spoken = placed[end - len(kept) : end]
    return placed + scaled(noise, -snr_db, power(spoken), power(noise))


def _noise(kind: str, voices: Sequence[Samples], draws: Draws) -> Samples:
    """Return a clip's length of noise; babble is what many voices of the same part say at once."""
    seed = f"noise:{draws.below(1 << 64)}"
    if kind == "white":
        return white(seed, SIZE)
    if kind == "pink":
        return pink(seed, SIZE)
    total = silence(SIZE)
    for _ in range(TALKERS):
        voice = voices[draws.below(len(voices))]
        total += np.resize(at_level(voice, -40), SIZE + len(voice))[draws.below(len(voice)) :][
            :SIZE
        ]
    return total
