"""A backend whose inputs were prepared before: what is left to time is `InferenceSession.run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.agreement import bare

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options


class Prepared:
    """Opens a toy with steelyard's own session options."""

    def refuse(self, spec: SessionSpec) -> str | None:  # noqa: ARG002
        """Refuse nothing."""
        return None

    def open(self, spec: SessionSpec) -> PreparedSession:
        """Open the model and read its inputs."""
        folder = Path(spec.artifact)
        session = options.open_session(folder / "model.onnx", spec)
        return PreparedSession(session.run, bare.feeds(folder), spec)


class PreparedSession:
    """Encodes the number of an item into its prepared feed."""

    def __init__(self, run: Any, feeds: list[dict[str, Any]], spec: SessionSpec) -> None:
        self._run = run
        self._feeds = feeds
        self._labels = [label.id for label in spec.labels]

    def encode(self, text: str) -> dict[str, Any]:
        return self._feeds[int(text)]

    def infer(self, inputs: dict[str, Any]) -> Any:
        return self._run(None, inputs)

    def decode(self, outputs: Any) -> Answer:
        return Answer(label=self._labels[int(outputs[0].argmax())])

    def close(self) -> None:
        """Drop the native session."""
        del self._run
