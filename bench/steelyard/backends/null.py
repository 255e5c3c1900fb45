"""Answer a constant label: the floor under every number."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from steelyard.api import Answer, SessionSpec
from steelyard.errors import WorkerError

ANSWER_FILE = "answer.json"


class Constant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `answer.json` holds: the label and, where known, a score a label id."""

    label: str
    scores: dict[str, float] | None = None


class NullBackend:
    """A runtime that computes nothing."""

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say that an option was given that nothing reads, or return None."""
        if spec.options:
            return f"backend 'null' has no session options, got {sorted(spec.options)}; remove them"
        return None

    def open(self, spec: SessionSpec) -> NullSession:
        """Load the constant answer."""
        return NullSession(_answer(_constant(Path(spec.artifact) / ANSWER_FILE), spec))


class NullSession:
    """A session that gives the same answer to every text."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def encode(self, text: str) -> str:
        return text

    def infer(self, inputs: str) -> Answer:  # noqa: ARG002
        return self._answer

    def decode(self, outputs: Answer) -> Answer:
        return outputs

    def close(self) -> None:
        """Hold nothing, free nothing."""


def _constant(path: Path) -> Constant:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Constant)
    except OSError as error:
        raise WorkerError(f"{path}: {error.strerror}; prepare the artefact again") from error
    except msgspec.MsgspecError as error:
        raise WorkerError(f"{path}: {error}; prepare the artefact again") from error


def _answer(constant: Constant, spec: SessionSpec) -> Answer:
    ids = [label.id for label in spec.labels]
    if constant.label not in ids:
        raise WorkerError(
            f"{spec.artifact}: the constant label {constant.label!r} is no label of the task; "
            "prepare the artefact again"
        )
    scores = constant.scores
    if scores is None:
        return Answer(label=constant.label)
    return Answer(label=constant.label, scores=tuple(scores.get(i, 0.0) for i in ids))
