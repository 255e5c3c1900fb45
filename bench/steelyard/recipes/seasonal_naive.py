"""The baseline of a series: the last season again, learned from nothing."""

from __future__ import annotations

from pathlib import Path

from steelyard.api import BuildReport, BuildRequest
from steelyard.backends.ort.series_rows import FORECAST, HISTORY, Facts
from steelyard.recipes import options, series_data


class SeasonalNaive:
    """Writes a graph that repeats the last `season` hours of a history."""

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnx")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package or task is missing, or return None."""
        return (
            options.missing(("onnx",))
            or options.without_task(request, "seasonal-naive")
            or options.unknown(request.options, ("season",))
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write one folder a fold: they hold the same, since nothing is learned but lengths."""
        training = options.training(request, "seasonal-naive")
        season = options.read(request.options, "season", 168)
        for fold in range(training.folds):
            found = series_data.windows(request, training, fold)
            facts = series_data.facts_of(found, "plain", season)
            series_data.write(out / f"fold-{fold}", facts, graph(facts))
        return BuildReport(parameters=0)


def graph(facts: Facts) -> bytes:
    """Return the ONNX model: history float32[1, history] -> forecast float32[1, horizon]."""
    import numpy as np
    from onnx import TensorProto, checker, helper, numpy_helper

    ahead = np.arange(facts.horizon, dtype=np.int64)
    places = facts.history - facts.season + ahead % facts.season
    history = helper.make_tensor_value_info(HISTORY, TensorProto.FLOAT, [1, facts.history])
    forecast = helper.make_tensor_value_info(FORECAST, TensorProto.FLOAT, [1, facts.horizon])
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Gather", [HISTORY, "places"], [FORECAST], axis=1)],
            "seasonal-naive",
            [history],
            [forecast],
            [numpy_helper.from_array(places, "places")],
        ),
        opset_imports=[helper.make_opsetid("", series_data.OPSET)],
        ir_version=series_data.IR_VERSION,
        producer_name="steelyard",
    )
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
