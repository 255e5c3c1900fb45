"""The CRF backend: features in Python, the best sequence of tags by CRFsuite."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from steelyard.api import Answer, SessionSpec
from steelyard.errors import WorkerError
from steelyard.notation import format_spans
from steelyard.recipes.crf_features import features
from steelyard.recipes.span_tags import Place, Units, places, spans_of

FACTS, MODEL = "tagger.json", "model.crfsuite"


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `tagger.json` holds: the units that are tagged, and the types of spans."""

    units: Units
    kinds: tuple[str, ...]


class CrfSuite:
    """Opens a conditional random field that the recipe `crf-tagger` trained."""

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say which package this machine lacks or which option nothing reads, or return None."""
        if find_spec("pycrfsuite") is None:
            return "python-crfsuite not installed\ntry: pip install 'steelyard[crf]'"
        if spec.options:
            return f"backend 'crfsuite' has no session options, got {sorted(spec.options)}"
        return None

    def import_runtime(self, spec: SessionSpec) -> None:  # noqa: ARG002
        """Load CRFsuite."""
        import_module("pycrfsuite")

    def open(self, spec: SessionSpec) -> CrfSession:
        """Load the model; raise WorkerError for one that is damaged or of another task."""
        folder = Path(spec.artifact)
        try:
            facts = msgspec.json.decode((folder / FACTS).read_bytes(), type=Facts)
        except (OSError, msgspec.MsgspecError) as error:
            raise WorkerError(f"{folder / FACTS}: {error}; prepare the artefact again") from error
        odd = set(facts.kinds) - {label.id for label in spec.labels}
        if odd:
            raise WorkerError(f"{folder}: {', '.join(sorted(odd))}: no labels of the task")
        return CrfSession(_tagger(folder / MODEL), facts.units)


class CrfSession:
    """An opened CRF. CRFsuite uses one thread, whatever the device's."""

    def __init__(self, tagger: Any, units: Units) -> None:
        self._tagger = tagger
        self._units: Units = units

    def encode(self, text: str) -> tuple[list[list[str]], list[Place]]:
        """Return the features of a text's units, and where they stand."""
        at = places(text, self._units)
        return features(text, at), at

    def infer(self, inputs: tuple[list[list[str]], list[Place]]) -> tuple[list[str], list[Place]]:
        described, at = inputs
        return self._tagger.tag(described), at

    def decode(self, outputs: tuple[list[str], list[Place]]) -> Answer:
        return Answer(label=format_spans(spans_of(*outputs)))

    def close(self) -> None:
        """Drop the model."""
        self._tagger.close()


def _tagger(path: Path) -> Any:
    suite: Any = import_module("pycrfsuite")
    tagger = suite.Tagger()
    try:
        tagger.open(str(path))
    except (OSError, ValueError) as error:
        raise WorkerError(f"{path}: {error}; prepare the artefact again") from error
    return tagger
