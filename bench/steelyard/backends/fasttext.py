"""Language identification by a fastText model, read with fasttext-predict."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from steelyard.api import Answer, SessionSpec
from steelyard.errors import WorkerError

PREFIX = "__label__"
ALL = 100_000  # more than any model's labels; the library stops at its own number
SUFFIXES = (".ftz", ".bin")
KNOWN = ("label_map",)

Predictions = tuple[tuple[str, ...], tuple[float, ...]]


class FastText:
    """Opens a folder that holds one `.ftz` or `.bin` file."""

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say which package or option is wrong, or return None."""
        unknown = sorted(set(spec.options) - set(KNOWN))
        if unknown:
            return f"session_options: unknown {', '.join(unknown)}; known: {', '.join(KNOWN)}"
        if not isinstance(spec.options.get("label_map", {}), dict):
            return "session_options.label_map: expected a table of model code = task label"
        if spec.session != "labels":
            return f"backend 'fasttext' has no session {spec.session!r}; it has: labels"
        if find_spec("fasttext") is None:
            return "fasttext not installed\ntry: pip install 'steelyard[fasttext]'"
        return None

    def import_runtime(self, spec: SessionSpec) -> None:  # noqa: ARG002
        """Load the library."""
        import_module("fasttext")

    def open(self, spec: SessionSpec) -> FastTextSession:
        """Load the model."""
        import fasttext

        path = _model_file(Path(spec.artifact))
        try:
            model = fasttext.load_model(str(path))
        except (RuntimeError, ValueError) as error:
            raise WorkerError(f"{path}: no fastText model: {error}") from error
        return FastTextSession(model, spec)


class FastTextSession:
    """An opened fastText model whose answers are restricted to the task's labels.

    The other models are asked for one of the task's labels too. Codes that `label_map` sends to
    the same label compete, the highest probability counts.
    """

    def __init__(self, model: Any, spec: SessionSpec) -> None:
        self._predict = model.predict
        self._labels = tuple(label.id for label in spec.labels)
        self._column = _columns(self._labels, spec.options.get("label_map"))

    def encode(self, text: str) -> str:
        """Return the text on one line, which is what fastText reads."""
        return text.replace("\n", " ")

    def infer(self, inputs: str) -> Predictions:
        return self._predict(inputs, ALL, 0.0)  # type: ignore[no-any-return]

    def decode(self, outputs: Predictions) -> Answer:
        """Return the most probable label of the task; the first where none was seen."""
        scores = [0.0] * len(self._labels)
        for code, probability in zip(*outputs, strict=True):
            column = self._column.get(code)
            if column is not None and probability > scores[column]:
                scores[column] = probability
        return Answer(label=self._labels[scores.index(max(scores))], scores=tuple(scores))

    def close(self) -> None:
        """Drop the native model."""
        del self._predict


def _columns(labels: tuple[str, ...], label_map: Any) -> dict[str, int]:
    """Map `__label__xx` to the task's columns: the label of the same name, then the map's."""
    columns = {PREFIX + label: number for number, label in enumerate(labels)}
    for code, label in (label_map or {}).items():
        if label in labels:  # a card serves tasks with other label sets too
            columns[PREFIX + code] = labels.index(label)
    return columns


def _model_file(folder: Path) -> Path:
    found = sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES)
    if len(found) != 1:
        raise WorkerError(
            f"{folder}: expected one file ending in {' or '.join(SUFFIXES)}, found {len(found)}; "
            "prepare the artefact again"
        )
    return found[0]
