"""Read what an artefact says of itself; match its labels with the task's."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from steelyard.api import SessionSpec
from steelyard.errors import WorkerError

S = TypeVar("S", bound=Struct)


def read(path: Path, kind: type[S]) -> S:
    """Read a JSON file of an artefact; raise WorkerError if it is missing or damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise WorkerError(f"{path}: {error.strerror}; prepare the artefact again") from error
    except msgspec.MsgspecError as error:
        raise WorkerError(f"{path}: {error}; prepare the artefact again") from error


def columns(made: tuple[str, ...], spec: SessionSpec) -> list[int]:
    """Return where each label of the task stands among the columns the artefact was made with."""
    wanted = [label.id for label in spec.labels]
    if set(made) != set(wanted):
        odd = sorted(set(made) ^ set(wanted))
        raise WorkerError(
            f"{spec.artifact}: made for other labels than the task's ({', '.join(odd[:5])} "
            "differ); prepare the artefact again"
        )
    return [made.index(label) for label in wanted]
