"""Gradient boosted trees that forecast one hour at a time from lags and the hour of the day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

from steelyard.api import BuildReport, BuildRequest
from steelyard.backends.ort.series_rows import FORECAST, HISTORY, Facts
from steelyard.errors import PrepareError
from steelyard.recipes import options, series_data, series_trees
from steelyard.recipes.series_data import Made, Windows

KNOWN = ("gap", "iterations", "leaves", "learning_rate", "seed", "season")
# Of a value in levels: sums of 32 bits against sums of 64.
TOLERANCE = 1e-4


class Settings(Struct, frozen=True, kw_only=True):
    """How the trees are grown."""

    iterations: int
    learning_rate: float
    seed: int


class SeriesBoosting:
    """One model of all hours ahead: what is an hour to be, in levels, given its row of features.

    It is trained on the absolute error, which is what forecasts are scored by.
    """

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnx", "onnxruntime", "scikit-learn")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, task or option is wrong, or return None."""
        return series_data.without(request, "series-boosting", KNOWN)

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Choose `leaves` by blocks of time, then train and write one folder a fold."""
        training = options.training(request, "series-boosting")
        return series_data.build_folds(request, training, out, _fold)


def _fold(request: BuildRequest, found: Windows, folder: Path) -> Made:
    settings = _settings(request)
    season = options.read(request.options, "season", 168)
    tried = options.read(request.options, "leaves", ["15", "31"])
    gap = options.read(request.options, "gap", 0)
    facts = series_data.facts_of(found, "hours", season)

    def error(train: Windows, test: Windows, leaves: str) -> float:
        return _error(_fit(train, facts, int(leaves), settings), test, facts)

    leaves, note = series_data.choose(found, tried, gap, error)
    encoded = checked(_fit(found, facts, int(leaves), settings), found, facts)
    series_data.write(folder, facts, encoded)
    return Made(parameters=nodes(encoded), note=f"leaves {note}")


def checked(model: Any, found: Windows, facts: Facts) -> bytes:
    """Return the trees as ONNX; raise PrepareError where it does not answer as they do."""
    import numpy as np
    import onnxruntime as ort

    rows = series_data.inputs(found.only(slice(None, None, 50)), facts)
    encoded = series_trees.graph(model, rows.shape[1])
    session = ort.InferenceSession(encoded, providers=["CPUExecutionProvider"])
    answered = np.asarray(session.run([FORECAST], {HISTORY: rows})[0]).reshape(-1)
    with series_data.one_thread():
        off = float(np.abs(answered - model.predict(rows)).max())
    if off > TOLERANCE:
        raise PrepareError(f"series-boosting: the exported trees are off the trained by {off:g}")
    return encoded


def nodes(encoded: bytes) -> int:
    """Return how many nodes the trees of an ONNX model have."""
    from onnx import load_model_from_string

    attributes = (a for node in load_model_from_string(encoded).graph.node for a in node.attribute)
    return sum(len(a.ints) for a in attributes if a.name == "nodes_nodeids")


def _settings(request: BuildRequest) -> Settings:
    read = request.options
    return Settings(
        iterations=options.read(read, "iterations", 200),
        learning_rate=options.read(read, "learning_rate", 0.05),
        seed=options.read(read, "seed", 0),
    )


def _fit(found: Windows, facts: Facts, leaves: int, settings: Settings) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        loss="absolute_error",
        max_leaf_nodes=leaves,
        max_iter=settings.iterations,
        learning_rate=settings.learning_rate,
        early_stopping=False,  # pyright: ignore[reportArgumentType]  # documented as str or bool
        random_state=settings.seed,
    )
    wanted = (found.after / series_data.levels(found, facts)).reshape(-1)
    with series_data.one_thread():
        return model.fit(series_data.inputs(found, facts), wanted)


def _error(model: Any, test: Windows, facts: Facts) -> float:
    with series_data.one_thread():
        output = model.predict(series_data.inputs(test, facts))
    return series_data.mean_error(output, test, facts)
