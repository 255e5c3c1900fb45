"""The tokens of a decoder's prompt and answers."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct, structs
from tokenizers import Tokenizer

from steelyard.api import RenderedPrompt, SessionSpec
from steelyard.backends.ort.labels import IntArray
from steelyard.errors import WorkerError

CHAT = "chat.json"
# Texts whose first characters differ in kind, to find how much of the prefix's tokens none moves.
PROBES = ("a", "A", "1", '"', "é")


class Pieces(Struct, frozen=True):
    """What `chat.json` says that a session needs: the text around an answer."""

    assistant: tuple[str, str]


def tokenise(tokenizer: Tokenizer, text: str) -> IntArray:
    """Return the tokens of a text, none added around it."""
    return np.asarray(tokenizer.encode(text, add_special_tokens=False).ids, dtype=np.int64)


def control_tokens(tokenizer: Tokenizer) -> re.Pattern[str]:
    """Return a pattern of the tokens that steer the model; without any, one that never matches."""
    added = tokenizer.get_added_tokens_decoder().values()
    spelled = sorted((token.content for token in added if token.special), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, spelled)) if spelled else "(?!)")


def common(one: IntArray, other: IntArray) -> int:
    """Return how many tokens two sequences have in common at their beginning."""
    length = min(len(one), len(other))
    differ = np.flatnonzero(one[:length] != other[:length])
    return int(differ[0]) if differ.size else length


class PromptReader:
    """Turns texts into the tokens of their prompts."""

    def __init__(self, tokenizer: Tokenizer, prompt: RenderedPrompt) -> None:
        self._tokenizer = tokenizer
        self._prompt = prompt
        self._control = control_tokens(tokenizer)

    def tokens(self, text: str) -> IntArray:
        """Return the tokens of prefix, text and suffix, tokenised in one piece."""
        prompt = self._prompt
        # A text that spells a control token must not end the turn: it is data, not template.
        inert = self._control.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
        whole = prompt.prefix + inert[: prompt.max_chars] + prompt.suffix
        return tokenise(self._tokenizer, whole)

    def shared(self) -> IntArray:
        """Return the tokens that every prompt begins with, whatever its text."""
        first, *others = [self.tokens(probe) for probe in PROBES]
        # A space at the prefix's end belongs to the text's first token in most vocabularies.
        alone = tokenise(self._tokenizer, self._prompt.prefix.rstrip(" "))
        return first[: min(common(first, other) for other in (*others, alone))]


def prompt_of(spec: SessionSpec) -> RenderedPrompt:
    """Return the prompt of a decoder's session; raise WorkerError where there is none.

    Spaces at its end are moved to the answers: a space belongs to the token after it.
    """
    prompt = spec.prompt
    if prompt is None:
        raise WorkerError(f"session {spec.session!r} needs a prompt; the task's card must have one")
    suffix = prompt.suffix.rstrip(" ")
    space = prompt.suffix[len(suffix) :]
    answers = tuple(space + answer for answer in prompt.answers)
    return structs.replace(prompt, suffix=suffix, answers=answers)


def tokenizer_at(path: Path) -> Tokenizer:
    """Read a tokenizer.json; raise WorkerError where that cannot be done."""
    # Tokenising one text at a time gains nothing from threads, and they disturb the measurement.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing narrower
        raise WorkerError(f"{path}: {error}; prepare the artefact again") from error


def answer_tokens(
    tokenizer: Tokenizer, prompt: RenderedPrompt, folder: Path
) -> tuple[tuple[int, ...], ...]:
    """Return each answer's tokens as they continue the prompt, with the end-of-turn token last."""
    end = _pieces(folder / CHAT).assistant[1]
    asked = tokenise(tokenizer, prompt.suffix)
    found = []
    for answer in prompt.answers:
        whole = tokenise(tokenizer, prompt.suffix + answer + end)
        rest = len(tokenise(tokenizer, end)) - 1
        if common(asked, whole) < len(asked):
            raise WorkerError(
                f"the answer {answer!r} melts into the prompt's last token; "
                "let the label's words begin with a letter or a digit"
            )
        found.append(tuple(int(t) for t in whole[len(asked) : len(whole) - rest]))
    return tuple(found)


def end_of_turn(tokenizer: Tokenizer, folder: Path) -> int:
    """Return the token that ends an answer."""
    return int(tokenise(tokenizer, _pieces(folder / CHAT).assistant[1])[0])


def _pieces(path: Path) -> Pieces:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Pieces)
    except (OSError, msgspec.MsgspecError) as error:
        raise WorkerError(f"{path}: {error}; prepare the artefact again") from error
