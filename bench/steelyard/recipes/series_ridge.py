"""A ridge regression from a whole history to every hour of the forecast."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from steelyard.api import BuildReport, BuildRequest
from steelyard.backends.ort.series_rows import FORECAST, HISTORY, Facts
from steelyard.recipes import options, series_data
from steelyard.recipes.series_data import Made, Windows

KNOWN = ("alpha", "gap", "season")


class SeriesRidge:
    """Learns, for every hour ahead, weights of every hour of the history, both in levels.

    Without the level (the mean of the last season) taken out, the seasons of a year drown the
    week.
    """

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnx", "scikit-learn")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, task or option is wrong, or return None."""
        return series_data.without(request, "series-ridge", KNOWN)

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Choose `alpha` by blocks of time, then train and write one folder a fold."""
        training = options.training(request, "series-ridge")
        return series_data.build_folds(request, training, out, _fold)


def _fold(request: BuildRequest, found: Windows, folder: Path) -> Made:
    season = options.read(request.options, "season", 168)
    tried = options.read(request.options, "alpha", ["1", "10", "100", "1000"])
    gap = options.read(request.options, "gap", 0)
    facts = series_data.facts_of(found, "relative", season)

    def error(train: Windows, test: Windows, alpha: str) -> float:
        return _error(_fit(train, facts, float(alpha)), test, facts)

    alpha, note = series_data.choose(found, tried, gap, error)
    model = _fit(found, facts, float(alpha))
    series_data.write(folder, facts, graph(model, facts))
    size = int(model.coef_.size + model.intercept_.size)
    return Made(parameters=size, note=f"alpha {note}")


def graph(model: Any, facts: Facts) -> bytes:
    """Return the ONNX model: history float32[1, history] -> forecast float32[1, horizon]."""
    import numpy as np
    from onnx import TensorProto, checker, helper, numpy_helper

    weights, intercept = model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32)
    made = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("MatMul", [HISTORY, "weights"], ["sums"]),
                helper.make_node("Add", ["sums", "intercept"], [FORECAST]),
            ],
            "series-ridge",
            [helper.make_tensor_value_info(HISTORY, TensorProto.FLOAT, [1, facts.history])],
            [helper.make_tensor_value_info(FORECAST, TensorProto.FLOAT, [1, facts.horizon])],
            [
                numpy_helper.from_array(np.ascontiguousarray(weights), "weights"),
                numpy_helper.from_array(intercept, "intercept"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", series_data.OPSET)],
        ir_version=series_data.IR_VERSION,
        producer_name="steelyard",
    )
    checker.check_model(made)
    return bytes(made.SerializeToString(deterministic=True))


def _fit(found: Windows, facts: Facts, alpha: float) -> Any:
    import numpy as np
    from sklearn.linear_model import Ridge

    rows = series_data.inputs(found, facts).astype(np.float64)
    wanted = found.after / series_data.levels(found, facts) - 1
    with series_data.one_thread():
        return Ridge(alpha=alpha, solver="cholesky").fit(rows, wanted)


def _error(model: Any, test: Windows, facts: Facts) -> float:
    with series_data.one_thread():
        output = model.predict(series_data.inputs(test, facts))
    return series_data.mean_error(output, test, facts)
