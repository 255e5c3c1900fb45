"""Cut windows of recorded prompts mixed into noise, and of the same noise alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct

from steelyard.api import ArrayItems, Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.rows import decode_options, named_path
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
from steelyard.readers.speech_activity import FRAME, activity

NOISES = ("white", "pink", "babble", "music")
TALKERS = 16
LEVELS_DB = (-52, -46, -40, -34)


class PromptOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`train` and `test` list the files of prompts of either part, `music` one of noise.

    `train_music` and `test_music` are patterns of its names; `leave_out` of prompts that hold no
    speech. Each file of prompts gives `recordings` items of each label. A window of `frames` frames
    (of 32 ms) is speech where `fewest` of them are.
    """

    train: list[str]
    test: list[str]
    music: str
    train_music: list[str]
    test_music: list[str]
    leave_out: list[str]
    snr_db: list[str]
    speech: str
    silence: str
    recordings: int = 300
    frames: int = 32
    fewest: int = 8


class Part(Struct, frozen=True, kw_only=True):
    """The train or the test part: its recordings by name, and its music. All at 16 kHz."""

    fold: int | None
    prompts: dict[str, Any]
    music: dict[str, Any]


class PromptsInNoise:
    """Reader `prompts-in-noise`."""

    def read_arrays(
        self, paths: Mapping[str, Path], options: Mapping[str, Option], labels: Sequence[Label]
    ) -> ArrayItems:
        """Return windows of 16-bit samples at 16 kHz, two of each recording that is used."""
        how = decode_options(options, PromptOptions)
        _check_labels(how, labels)
        made = [
            window
            for fold, files, music in (
                (None, how.train, how.train_music),
                (0, how.test, how.test_music),
            )
            for window in _windows(_part(paths, how, fold, files, music), how)
        ]
        return ArrayItems(
            items=tuple(item for item, _ in made), arrays=tuple(array for _, array in made)
        )


def _check_labels(how: PromptOptions, labels: Sequence[Label]) -> None:
    if {how.speech, how.silence} != {label.id for label in labels}:
        raise PrepareError("reader.options: speech and silence name the task's two labels")


def _part(
    paths: Mapping[str, Path],
    how: PromptOptions,
    fold: int | None,
    files: Sequence[str],
    music: Sequence[str],
) -> Part:
    prompts: dict[str, Samples] = {}
    for name in files:
        found = _sounds(named_path(paths, name), name)
        speaking = {
            where: path
            for where, path in found.items()
            if not any(fnmatch(where, f"{name}/{pattern}") for pattern in how.leave_out)
        }
        # By a hash of the name: a folder's first names are all of one kind, digits or letters.
        chosen = sorted(speaking, key=lambda where: Draws(f"recording:{where}").below(1 << 64))
        prompts |= dict(islice(_spoken(speaking, chosen, how), how.recordings))
    tunes = {
        where: _at_rate(path, where)
        for where, path in _sounds(named_path(paths, how.music), how.music).items()
        if any(fnmatch(path.name, pattern) for pattern in music)
    }
    if not prompts or not tunes:
        raise PrepareError("reader.options: no prompts or no music for one of the parts")
    return Part(fold=fold, prompts=prompts, music=tunes)


def _spoken(
    paths: Mapping[str, Path], chosen: Sequence[str], how: PromptOptions
) -> Iterator[tuple[str, Samples]]:
    """Yield the recordings, by name, that hold enough speech for a window."""
    for where in chosen:
        sound = read_wav(paths[where], where)
        samples = resample(sound.samples, sound.rate, RATE)
        if int(activity(samples).sum()) >= how.fewest:
            yield where, samples


def _sounds(root: Path, name: str) -> dict[str, Path]:
    """Return the WAV files below `root` by `name` and their place below the recordings' folder."""
    found = sorted(root.rglob("*.wav"))
    if not found:
        raise PrepareError(f"{name}: no WAV files in it")
    # All of a package's recordings lie below one folder, named for the voice: the shortest path.
    top = min((path.parent for path in found), key=lambda folder: len(folder.parts))
    return {f"{name}/{path.relative_to(top).with_suffix('')}": path for path in found}


def _at_rate(path: Path, where: str) -> Samples:
    sound = read_wav(path, where)
    return resample(sound.samples, sound.rate, RATE)


def _windows(part: Part, how: PromptOptions) -> Iterator[tuple[Item, Any]]:
    """Yield, for each recording, a window with its speech and one of noise alone."""
    conditions = [(noise, snr) for snr in how.snr_db for noise in NOISES]
    for number, where in enumerate(part.prompts):
        for label in (how.speech, how.silence):
            noise, snr = conditions[number % len(conditions)]
            draws = Draws(f"window:{where}:{label}")
            sound = _noise(part, noise, draws, how.frames * FRAME)
            if label == how.speech:
                sound = sound + _speech(part.prompts[where], sound, float(snr), draws, how)
            name = f"{where}/{noise}/{snr}dB/{label}"
            yield Item(id=name, label=label, group=where, fold=part.fold), clipped(sound)


def _noise(part: Part, kind: str, draws: Draws, size: int) -> Samples:
    """Return `size` samples of noise at one of a few levels, which do not depend on the label."""
    seed = f"noise:{draws.below(1 << 64)}"
    if kind == "white":
        made = white(seed, size)
    elif kind == "pink":
        made = pink(seed, size)
    elif kind == "music":
        made = _stretch(part.music, draws, size)
    else:
        made = sum((_stretch(part.prompts, draws, size) for _ in range(TALKERS)), silence(size))
    return at_level(made, LEVELS_DB[draws.below(len(LEVELS_DB))])


def _stretch(sounds: Mapping[str, Samples], draws: Draws, size: int) -> Samples:
    """Return a stretch of one of the sounds, long enough and not silent, wherever it begins."""
    names = sorted(name for name, samples in sounds.items() if len(samples) >= size)
    if not names:
        raise PrepareError(f"none of {len(sounds)} recordings is {size / RATE:.2f} s long")
    while True:
        samples = sounds[names[draws.below(len(names))]]
        begin = draws.below(len(samples) - size + 1)
        made = samples[begin : begin + size]
        if power(made) > 1:
            return made


def _speech(
    prompt: Samples, noise: Samples, snr_db: float, draws: Draws, how: PromptOptions
) -> Samples:
    """Return a window over the prompt, at `snr_db` over the noise while somebody speaks."""
    active = activity(prompt)
    size = how.frames * FRAME
    room = [int(active[max(0, at) : at + how.frames].sum()) for at in _starts(active, how)]
    possible = [at for at, n in zip(_starts(active, how), room, strict=True) if n >= how.fewest]
    begin = possible[draws.below(len(possible))] * FRAME
    spoken = prompt[: len(active) * FRAME].reshape(-1, FRAME)[active].reshape(-1)
    loud = scaled(prompt, snr_db, power(noise), power(spoken))
    window = silence(size)
    first, last = max(0, begin), min(len(loud), begin + size)
    window[first - begin : last - begin] = loud[first:last]
    return window


def _starts(active: Any, how: PromptOptions) -> range:
    """Return where a window may begin, in frames: before the prompt's beginning too."""
    return range(-how.frames + 1, len(active))
