"""The series session: a history in, the hours that follow it out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from msgspec import Struct

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.backends.ort.facts import read
from steelyard.backends.ort.series_rows import (
    FACTS,
    FORECAST,
    GRAPH,
    HISTORY,
    Facts,
    Floats,
    forecast_of,
    rows_of,
)
from steelyard.errors import WorkerError
from steelyard.notation import format_numbers


class Inputs(Struct, frozen=True, kw_only=True):
    """A history, and the rows that the graph is given of it."""

    history: Floats
    rows: Floats


class Outputs(Struct, frozen=True, kw_only=True):
    """A history, and what the graph gave."""

    history: Floats
    output: Floats


class SeriesSession:
    """An opened model of a series."""

    def __init__(self, session: ort.InferenceSession, facts: Facts) -> None:
        self._session = session
        self._facts = facts

    def encode(self, payload: Any, /) -> Inputs:
        """Return the rows of a history; raise WorkerError for one of another length."""
        history = np.asarray(payload, dtype=np.float32)
        if history.shape != (self._facts.history,):
            raise WorkerError(
                f"a history of shape {history.shape}, the model was made for "
                f"{self._facts.history} values; prepare the artefact again"
            )
        return Inputs(history=history, rows=rows_of(history, self._facts))

    def infer(self, inputs: Inputs) -> Outputs:
        """Run the graph."""
        output = self._session.run([FORECAST], {HISTORY: inputs.rows})[0]
        return Outputs(history=inputs.history, output=np.asarray(output, dtype=np.float32))

    def decode(self, outputs: Outputs) -> Answer:
        """Return the forecast as numbers."""
        forecast = forecast_of(outputs.output, outputs.history, self._facts)
        return Answer(label=format_numbers(forecast.tolist()))

    def encode_batch(self, payloads: Sequence[Any], /) -> list[Inputs]:
        return [self.encode(payload) for payload in payloads]

    def infer_batch(self, inputs: list[Inputs]) -> list[Outputs]:
        """Run the graph for one history after the other."""
        return [self.infer(each) for each in inputs]

    def decode_batch(self, outputs: list[Outputs]) -> list[Answer]:
        return [self.decode(each) for each in outputs]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return options.runs_on(self._session)

    def close(self) -> None:
        """Drop the native session."""
        del self._session


def open_series(spec: SessionSpec) -> SeriesSession:
    """Open the artefact of a `seasonal-naive` or `series-...` recipe."""
    folder = Path(spec.artifact)
    return SeriesSession(options.open_session(folder / GRAPH, spec), read(folder / FACTS, Facts))
