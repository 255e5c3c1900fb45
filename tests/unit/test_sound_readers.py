"""Readers of sounds: windows of prompts in noise, and phrases that engines said."""

from __future__ import annotations

import shutil
import subprocess
import wave
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from steelyard.api import ArrayItems, Label
from steelyard.errors import PrepareError, SourceError
from steelyard.readers import sounds, speech_engines
from steelyard.readers.prompts_in_noise import PromptsInNoise
from steelyard.readers.speech_engines import Clip
from steelyard.readers.spoken_phrases import SIZE, SpokenPhrases, trimmed

LABELS = tuple(Label(id=name, words=name) for name in ("speech", "no-speech"))
PHRASES = tuple(Label(id=name, words=name) for name in ("jarvis", "other"))


def write(path: Path, samples: Any, rate: int = 8000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", "none"))
        file.writeframes(np.asarray(samples, "<i2").tobytes())


def talk(seed: str, seconds: float, rate: int = 8000) -> Any:
    """Return what passes for speech: noise that comes and goes."""
    size = int(seconds * rate)
    swell = np.sin(np.arange(size) * 2 * np.pi * 3 / rate) ** 2
    return np.rint(sounds.white(seed, size) // 4 * swell)


@pytest.fixture
def prompts(tmp_path: Path) -> dict[str, Path]:
    """Return two voices of eight prompts and a beep, and two tunes, as packages have them."""
    for voice in ("one", "two"):
        top = tmp_path / voice / "usr" / "voice"
        for number in range(8):
            write(top / ("digits" if number % 2 else ".") / f"{number}.wav", talk(f"{number}", 2))
        write(top / "beep.wav", talk("beep", 1))
        write(top / "silence" / "1.wav", np.zeros(8000))
    for tune in ("early", "late"):
        write(tmp_path / "music" / f"{tune}.wav", talk(tune, 4))
    return {name: tmp_path / name for name in ("one", "two", "music")}


OPTIONS: dict[str, Any] = {
    "train": ["one"], "test": ["two"], "music": "music", "train_music": ["early*"],
    "test_music": ["late*"], "leave_out": ["beep"], "snr_db": ["20", "0"], "speech": "speech",
    "silence": "no-speech",
}  # fmt: skip


def windows(prompts: dict[str, Path], **changes: Any) -> ArrayItems:
    return PromptsInNoise().read_arrays(prompts, OPTIONS | changes, LABELS)


def test_each_recording_gives_a_window_of_either_label(prompts: dict[str, Path]) -> None:
    found = windows(prompts)

    assert Counter((item.fold, item.label) for item in found.items) == {
        (fold, label): 8 for fold in (None, 0) for label in ("speech", "no-speech")
    }
    assert {array.shape for array in found.arrays} == {(32 * 512,)}
    assert {str(array.dtype) for array in found.arrays} == {"int16"}


def test_both_labels_of_a_recording_are_in_the_same_noise_at_the_same_ratio(
    prompts: dict[str, Path],
) -> None:
    conditions = Counter(tuple(item.id.split("/")[-3:-1]) for item in windows(prompts).items)

    assert len(conditions) == 8  # four noises, two ratios
    assert set(conditions.values()) == {4}


def test_what_holds_no_speech_is_left_out(prompts: dict[str, Path]) -> None:
    names = {item.group for item in windows(prompts, recordings=100).items}

    assert "one/beep" not in names  # by its name
    assert "one/silence/1" not in names  # by its energy
    assert {"one/0", "one/digits/1"} <= names


def test_recordings_are_drawn_by_a_hash_of_their_names(prompts: dict[str, Path]) -> None:
    few, all_of_them = windows(prompts, recordings=3), windows(prompts)

    assert len(few.items) == 12
    assert {item.group for item in few.items} < {item.group for item in all_of_them.items}


def test_the_same_files_give_the_same_samples(prompts: dict[str, Path]) -> None:
    one, again = windows(prompts), windows(prompts)

    assert all(map(np.array_equal, one.arrays, again.arrays))


def test_speech_is_as_loud_as_its_condition_says(prompts: dict[str, Path]) -> None:
    found = windows(prompts)
    powers = {
        item.id: sounds.power(array.astype(np.int64))
        for item, array in zip(found.items, found.arrays, strict=True)
    }
    at_20 = [power for name, power in powers.items() if name.endswith("20dB/speech")]
    at_0 = [power for name, power in powers.items() if name.endswith("/0dB/speech")]

    assert np.median(at_20) > 10 * np.median(at_0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"speech": "talk"}, "speech and silence name the task's two labels"),
        ({"train_music": ["nothing*"]}, "no prompts or no music"),
        ({"music": "tunes"}, "no file 'tunes' in the card"),
        ({"pitch": 3}, "pitch"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    prompts: dict[str, Path], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(PrepareError, match=message):
        windows(prompts, **changes)


@pytest.fixture
def phrases(tmp_path: Path) -> dict[str, Path]:
    clips = []
    for part, engine in (("train", "espeak-ng"), ("test", "flite")):
        for number, text in enumerate(("hey jarvis", "good morning")):
            file = f"{part}/{engine}/v/{number}.wav"
            silence = np.zeros(800)
            said = np.concatenate([silence, talk(file, 0.7, 22_050), silence])
            write(tmp_path / "said" / file, said, 22_050)
            clips.append(
                Clip(file=file, part=part, engine=engine, voice="v", text=text, wanted=number == 0)
            )
    (tmp_path / "said" / "index.json").write_bytes(msgspec.json.encode(clips))
    return {"said": tmp_path / "said"}


def said(phrases: dict[str, Path], **changes: Any) -> ArrayItems:
    options: dict[str, Any] = {
        "wanted": "jarvis",
        "other": "other",
        "snr_db": ["20", "5"],
        "times": 3,
    }
    return SpokenPhrases().read_arrays(phrases, options | changes, PHRASES)


def test_parts_are_parted_by_engine_and_a_clip_stays_one_group(phrases: dict[str, Path]) -> None:
    found = said(phrases)

    assert {(item.fold, item.id.split("/")[1]) for item in found.items} == {
        (None, "espeak-ng"), (0, "flite"),
    }  # fmt: skip
    assert Counter(item.group for item in found.items) == dict.fromkeys(
        {item.group for item in found.items}, 3
    )
    assert {item.label for item in found.items} == {"jarvis", "other"}


def test_a_phrase_ends_0_3_to_0_6_seconds_before_its_clip(phrases: dict[str, Path]) -> None:
    found = said(phrases, snr_db=["90"])

    for array in found.arrays:
        loud = np.flatnonzero(np.abs(array.astype(int)) > 100)
        assert array.shape == (SIZE,)
        # The swelling stand-in for speech is faint at its very end.
        assert 4_800 <= SIZE - loud[-1] <= 9_600 + 1_600


def test_an_archive_without_its_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match=r"said: index\.json"):
        said({"said": tmp_path})


def test_a_silent_clip_is_refused() -> None:
    with pytest.raises(PrepareError, match="a clip is silent"):
        trimmed(np.zeros(10, np.int64))


class Engines:
    """Stands in for the programs: writes a WAV file where each was told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, installed: bool = True) -> None:
        self.commands: list[list[str]] = []
        self.voices = True
        monkeypatch.setattr(subprocess, "run", self.run)
        monkeypatch.setattr(shutil, "which", lambda name: name if installed else None)

    def run(self, command: list[str], **_: Any) -> Any:
        self.commands.append(command)
        if command[0] == "festival":
            script = Path(command[-1]).read_text()
            paths = [line.split('"')[3] for line in script.splitlines() if "save.wave" in line]
        else:
            paths = [command[command.index("-o" if command[0] == "flite" else "-w") + 1]]
        for path in paths if self.voices else []:
            write(Path(path), [1, 2, 3])
        return subprocess.CompletedProcess(command, 0)


def spoken(out: Path, **changes: Any) -> list[Clip]:
    options: dict[str, Any] = {
        "wanted": ["hey jarvis"], "train": ["a", "b", "c"], "test": ["x", "y"], "others": 1,
    }  # fmt: skip
    speech_engines.speak(out, **options | changes)
    with zipfile.ZipFile(out) as made:
        clips = msgspec.json.decode(made.read("index.json"), type=list[Clip])
        assert {*made.namelist()} == {"index.json", *(clip.file for clip in clips)}
    return clips


def test_no_engine_and_no_phrase_but_the_wanted_one_is_in_both_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Engines(monkeypatch)

    clips = spoken(tmp_path / "a.zip")

    by_part = {
        part: {(clip.engine, clip.text) for clip in clips if clip.part == part}
        for part in ("train", "test")
    }
    assert {engine for engine, _ in by_part["train"]} == {"espeak-ng"}
    assert {engine for engine, _ in by_part["test"]} == {"flite", "festival"}
    assert {text for _, text in by_part["train"]} == {"hey jarvis", "a", "b", "c"}
    assert {text for _, text in by_part["test"]} == {"hey jarvis", "x", "y"}


def test_the_same_sounds_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Engines(monkeypatch)

    for name in ("a.zip", "b.zip"):
        spoken(tmp_path / name)

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_texts_that_differ_in_punctuation_alone_have_files_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Engines(monkeypatch)

    clips = spoken(tmp_path / "a.zip", wanted=["hey jarvis", "hey, jarvis", "hey jarvis!"])

    assert len({clip.file for clip in clips}) == len(clips)


def test_a_missing_engine_is_refused_with_the_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Engines(monkeypatch, installed=False)

    with pytest.raises(SourceError, match="espeak-ng, flite, festival not installed\ntry: apt-get"):
        spoken(tmp_path / "a.zip")


def test_a_missing_voice_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Engines(monkeypatch).voices = False

    with pytest.raises(SourceError, match="espeak-ng has no voice en-us\ntry: apt-get"):
        spoken(tmp_path / "a.zip")
