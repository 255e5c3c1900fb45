"""Sessions on Whisper: a phrase found in what it wrote, or its word that nobody spoke."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import ctranslate2
from tokenizers import Tokenizer

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ctranslate2.spectrogram import Spectrogram, Spectrograms
from steelyard.backends.ctranslate2.text_match import fewest_errors, letters
from steelyard.errors import WorkerError

TASK = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
BEFORE = "<|startofprev|>"
# A clip of seconds holds a dozen words; without a limit a loop of the decoder runs to 448 tokens.
MOST_TOKENS = 32
FILES = ("model.bin", "config.json", "vocabulary.json", "tokenizer.json")

T = TypeVar("T")


class Recogniser:
    """Whisper's network and its tokens."""

    def __init__(self, spec: SessionSpec) -> None:
        folder = Path(spec.artifact)
        absent = [name for name in FILES if not (folder / name).is_file()]
        if absent:
            raise WorkerError(f"{folder}: has no {', '.join(absent)}; prepare the artefact again")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.compute_type = option(spec, "compute_type", "int8")
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder),
                device="cpu",
                compute_type=self.compute_type,
                intra_threads=spec.threads,
                inter_threads=1,
            )
        except (RuntimeError, ValueError) as error:
            raise WorkerError(f"{folder}: {error}") from error

    def token(self, name: str) -> int:
        """Return the number of a special token."""
        number = self.tokenizer.token_to_id(name)
        if number is None:
            raise WorkerError(f"tokenizer.json: no token {name}; prepare the artefact again")
        return int(number)

    def run(self, inputs: Spectrogram, prompt: list[int], **how: Any) -> Any:
        """Return CTranslate2's result for one clip."""
        features = ctranslate2.StorageView.from_array(inputs)
        return self._model.generate(features, [prompt], **how)[0]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return (f"ctranslate2 {ctranslate2.__version__}: cpu, {self.compute_type}",)


class PhraseSession:
    """Whisper writes what it hears; the phrase is there with at most `most_errors` letters wrong.

    With `hint` the phrase stands before the clip, as publishers advise for names that a recogniser
    does not know. A score is the share of the phrase's letters that are right.
    """

    def __init__(self, recogniser: Recogniser, spec: SessionSpec) -> None:
        self._recogniser = recogniser
        self._spectrogram = Spectrograms()
        self._phrase = option(spec, "phrase", "")
        self._most_errors = option(spec, "most_errors", 2)
        self._beam = option(spec, "beam_size", 5)
        self._label, self._other = two_labels(spec, option(spec, "label", ""))
        self._first = spec.labels[0].id == self._label
        self._prompt = [recogniser.token(name) for name in TASK]
        if option(spec, "hint", default=False):
            said = recogniser.tokenizer.encode(f" {self._phrase}", add_special_tokens=False).ids
            self._prompt = [recogniser.token(BEFORE), *said, *self._prompt]

    def encode(self, samples: Any) -> Spectrogram:
        """Return the spectrogram of one clip."""
        return self._spectrogram(samples)

    def infer(self, inputs: Spectrogram) -> list[int]:
        """Return the tokens that Whisper wrote."""
        found = self._recogniser.run(
            inputs,
            self._prompt,
            beam_size=self._beam,
            max_length=len(self._prompt) + MOST_TOKENS,
        )
        return list(found.sequences_ids[0])

    def text(self, outputs: list[int]) -> str:
        """Return what was written."""
        return str(self._recogniser.tokenizer.decode(outputs, skip_special_tokens=True))

    def decode(self, outputs: list[int]) -> Answer:
        """Answer whether the phrase stands in the text."""
        errors = fewest_errors(self._phrase, self.text(outputs))
        share = 1 - errors / max(1, len(letters(self._phrase)))
        label = self._label if errors <= self._most_errors else self._other
        scores = (share, 1 - share) if self._first else (1 - share, share)
        return Answer(label=label, scores=scores)

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return self._recogniser.describe()

    def close(self) -> None:
        """Drop the native model."""
        del self._recogniser


class ActivitySession:
    """A clip is speech where Whisper's probability of its no-speech token is below `threshold`."""

    def __init__(self, recogniser: Recogniser, spec: SessionSpec) -> None:
        self._recogniser = recogniser
        self._spectrogram = Spectrograms()
        self._threshold = option(spec, "threshold", 0.6)
        self._speech, self._other = two_labels(spec, option(spec, "speech", ""))
        self._first = spec.labels[0].id == self._speech
        self._prompt = [recogniser.token(name) for name in TASK]

    def encode(self, samples: Any) -> Spectrogram:
        """Return the spectrogram of one clip."""
        return self._spectrogram(samples)

    def infer(self, inputs: Spectrogram) -> float:
        """Return the probability that nobody spoke; only the first step of the decoder is run."""
        found = self._recogniser.run(
            inputs,
            self._prompt,
            beam_size=1,
            max_length=len(self._prompt) + 1,
            return_no_speech_prob=True,
        )
        return float(found.no_speech_prob)

    def decode(self, outputs: float) -> Answer:
        """Answer by the threshold; the scores are the probabilities of both."""
        label = self._speech if outputs < self._threshold else self._other
        scores = (1 - outputs, outputs) if self._first else (outputs, 1 - outputs)
        return Answer(label=label, scores=scores)

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return self._recogniser.describe()

    def close(self) -> None:
        """Drop the native model."""
        del self._recogniser


def open_listener(spec: SessionSpec) -> PhraseSession | ActivitySession:
    """Open what the task asks for, by which label it has: option `speech`, or option `label`."""
    ids = {label.id for label in spec.labels}
    if option(spec, "speech", "") in ids:
        return ActivitySession(Recogniser(spec), spec)
    if option(spec, "label", "") not in ids:
        raise WorkerError(
            f"session_options: neither `speech` nor `label` is one of {', '.join(sorted(ids))}"
        )
    if not letters(option(spec, "phrase", "")):
        raise WorkerError("session_options.phrase: missing; say what is listened for")
    return PhraseSession(Recogniser(spec), spec)


def option(spec: SessionSpec, name: str, default: T) -> T:
    """Return the session option `name`, of the type of `default`."""
    value: Any = spec.options.get(name, default)
    if type(value) is not type(default):
        raise WorkerError(
            f"session_options.{name}: expected {type(default).__name__}, "
            f"got {type(value).__name__} {value!r}; change it in the model's card"
        )
    return value


def two_labels(spec: SessionSpec, wanted: str) -> tuple[str, str]:
    """Return `wanted` and the task's other label; raise WorkerError where there are not two."""
    others = [label.id for label in spec.labels if label.id != wanted]
    if len(spec.labels) != 2 or len(others) != 1:
        known = ", ".join(label.id for label in spec.labels)
        raise WorkerError(f"session_options: {wanted!r} is none of the task's two labels ({known})")
    return wanted, others[0]
