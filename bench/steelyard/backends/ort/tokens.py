"""The tokens of a decoder's prompt and answers."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from tokenizers import Tokenizer

from steelyard.api import RenderedPrompt
from steelyard.backends.ort.labels import IntArray
from steelyard.errors import WorkerError

CHAT = "chat.json"


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
