"""Let speech synthesis engines of the system say phrases: the generator of the task wake-word.

The engines are programs that a person installed; nothing is fetched here. What they say depends on
their version, so the card's sha256 holds for the versions that its README names.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct

from steelyard.errors import SourceError
from steelyard.readers.sounds import Draws

INDEX = "index.json"
INSTALL = (
    "apt-get install espeak-ng flite festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts"
)
ACCENTS = (
    "en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd",
    "en-029", "en-us-nyc",
)  # fmt: skip
TIMBRES = ("", "+m1", "+m3", "+m5", "+m7", "+f1", "+f2", "+f3", "+f4", "+klatt2")
WORDS_A_MINUTE = (135, 160, 185)
PITCHES = (35, 50, 65)
FLITE = (("kal16", (90, 115)), ("awb", (110, 140)), ("rms", (85, 110)), ("slt", (150, 190)))
FESTIVAL = ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts")
STRETCHES = ("0.85", "1.0", "1.2")
LONGEST_S = 120
EARLIEST = (1980, 1, 1, 0, 0, 0)


class Voice(Struct, frozen=True, kw_only=True):
    """An engine and its settings; `name` tells them apart."""

    engine: str
    name: str
    settings: tuple[str, ...]


class Clip(Struct, frozen=True, kw_only=True):
    """One line of the index: a file of the archive, and what is said in it."""

    file: str
    part: str
    engine: str
    voice: str
    text: str
    wanted: bool


def speak(out: Path, wanted: list[str], train: list[str], test: list[str], others: int = 6) -> None:
    """Write a zip of WAV files and an index; each voice says `wanted` and `others` other phrases.

    espeak-ng says the train part, flite and festival the test part. Raises SourceError where an
    engine or a voice is missing.
    """
    _check_engines()
    with TemporaryDirectory(prefix="steelyard-speech-") as name, zipfile.ZipFile(out, "w") as made:
        clips = []
        for part, voices, phrases in (
            ("train", list(espeak_voices()), train),
            ("test", [*flite_voices(), *festival_voices()], test),
        ):
            for number, voice in enumerate(voices):
                said = [*wanted, *drawn(phrases, others, number)]
                files = _say(voice, said, Path(name))
                for text, data in zip(said, files, strict=True):
                    clip = _clip(part, voice, text, wanted=text in wanted)
                    clips.append(clip)
                    _add(made, clip.file, data)
        _add(made, INDEX, msgspec.json.encode(clips, order="sorted"))


def drawn(phrases: Sequence[str], count: int, number: int) -> list[str]:
    """Return the phrases of the voice `number`: in turn, so that all are said equally often."""
    return [phrases[(number * count + step) % len(phrases)] for step in range(count)]


def espeak_voices() -> Iterator[Voice]:
    """Yield each accent in each timbre, its speed and pitch drawn by its name."""
    for accent, timbre in product(ACCENTS, TIMBRES):
        draws = Draws(f"espeak:{accent}{timbre}")
        speed = WORDS_A_MINUTE[draws.below(len(WORDS_A_MINUTE))]
        pitch = PITCHES[draws.below(len(PITCHES))]
        settings = ("-v", f"{accent}{timbre}", "-s", str(speed), "-p", str(pitch))
        yield Voice(engine="espeak-ng", name=f"{accent}{timbre}", settings=settings)


def flite_voices() -> Iterator[Voice]:
    """Yield each voice at several speeds and two pitches (Hz)."""
    for (voice, pitches), stretch in product(FLITE, STRETCHES):
        for pitch in pitches:
            values = f"duration_stretch={stretch}", f"int_f0_target_mean={pitch}"
            settings = ("-voice", voice, "--setf", values[0], "--setf", values[1])
            yield Voice(engine="flite", name=f"{voice}-{stretch}-{pitch}", settings=settings)


def festival_voices() -> Iterator[Voice]:
    """Yield each voice at several speeds."""
    for voice, stretch in product(FESTIVAL, STRETCHES):
        yield Voice(engine="festival", name=f"{voice}-{stretch}", settings=(voice, stretch))


def _check_engines() -> None:
    missing = [name for name in ("espeak-ng", "flite", "festival") if shutil.which(name) is None]
    if missing:
        raise SourceError(f"{', '.join(missing)} not installed\ntry: {INSTALL}")


def _say(voice: Voice, texts: Sequence[str], folder: Path) -> list[bytes]:
    """Return a WAV file for each text."""
    paths = [folder / f"{number}.wav" for number in range(len(texts))]
    for path in paths:
        path.unlink(missing_ok=True)
    if voice.engine == "festival":
        _run(["festival", "--batch", str(_script(voice, texts, paths, folder))])
    else:
        for text, path in zip(texts, paths, strict=True):
            _run(_command(voice, text, path))
    if not all(path.is_file() for path in paths):
        raise SourceError(f"{voice.engine} has no voice {voice.name}\ntry: {INSTALL}")
    return [path.read_bytes() for path in paths]


def _command(voice: Voice, text: str, path: Path) -> list[str]:
    if voice.engine == "flite":
        return ["flite", *voice.settings, "-t", text, "-o", str(path)]
    return ["espeak-ng", *voice.settings, "-w", str(path), text]


def _script(voice: Voice, texts: Sequence[str], paths: Sequence[Path], folder: Path) -> Path:
    """Write what festival is to do; it speaks Scheme."""
    name, stretch = voice.settings
    lines = [f"(voice_{name})", f"(Parameter.set 'Duration_Stretch {stretch})"]
    for text, path in zip(texts, paths, strict=True):
        quoted = text.replace("\\", "").replace('"', "")
        spoken = f'(utt.synth (Utterance Text "{quoted}"))'
        lines.append(f'(utt.save.wave {spoken} "{path}" \'riff)')
    script = folder / "say.scm"
    script.write_text("\n".join(lines) + "\n", encoding="ascii")
    return script


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(
            command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=LONGEST_S
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SourceError(f"{command[0]}: {error}\ntry: {INSTALL}") from error


def _clip(part: str, voice: Voice, text: str, *, wanted: bool) -> Clip:
    words = re.sub(r"[^a-z]+", "-", text.lower()).strip("-")
    mark = "".join(f"{ord(letter):x}" for letter in text if letter in ",?!.")
    file = f"{part}/{voice.engine}/{voice.name}/{words}{mark and '-' + mark}.wav"
    return Clip(
        file=file, part=part, engine=voice.engine, voice=voice.name, text=text, wanted=wanted
    )


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a file uncompressed and undated, so that the bytes depend on the sound alone."""
    entry = zipfile.ZipInfo(name, EARLIEST)
    entry.external_attr = 0o644 << 16
    with archive.open(entry, "w") as sink, io.BytesIO(data) as source:
        shutil.copyfileobj(source, sink)
