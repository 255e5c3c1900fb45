from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import arrays
from steelyard.api import ArrayRef, BatchSession, BuildRequest, Item, SessionSpec, TrainingSet
from steelyard.card import Options
from steelyard.errors import PrepareError, WorkerError
from steelyard.notation import format_numbers, parse_numbers

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
pytest.importorskip("sklearn")

from steelyard.backends.ort.series import SeriesSession, open_series
from steelyard.backends.ort.series_rows import Facts, forecast_of, rows_of
from steelyard.recipes import series_data, series_trees
from steelyard.recipes.seasonal_naive import SeasonalNaive
from steelyard.recipes.series_boosting import SeriesBoosting
from steelyard.recipes.series_data import Windows
from steelyard.recipes.series_ridge import SeriesRidge

DAY, SEASON, HISTORY, HORIZON = 24, 48, 192, 48
SMALL: Options = {"season": SEASON, "gap": 2}
TREES: Options = {**SMALL, "leaves": ["4"], "iterations": 20, "learning_rate": 0.3}


def wave(hours: int) -> np.ndarray:
    """Return a load that repeats itself every season, on a level that drifts."""
    at = np.arange(hours)
    shape = 1 + 0.5 * np.sin(2 * np.pi * at / DAY) + 0.2 * (at % SEASON < DAY)
    load: np.ndarray = (shape * (100 + 0.3 * at)).astype("<f4")
    return load


def training(folder: Path, hours: int = 1200) -> tuple[TrainingSet, Path]:
    series = wave(hours)
    starts = range(HISTORY, hours - HORIZON, DAY)
    arrays.write(folder, [series[start - HISTORY : start] for start in starts])
    items = tuple(
        Item(
            id=f"w-{start:05}",
            label=format_numbers(series[start : start + HORIZON].tolist()),
            array=ArrayRef(row=row, sha256="0"),
        )
        for row, start in enumerate(starts)
    )
    return TrainingSet(task="toy", labels=(), folds=1, items=items), folder


def built(
    recipe: SeasonalNaive | SeriesRidge | SeriesBoosting, folder: Path, options: Options
) -> tuple[SeriesSession, Path]:
    (folder / "arrays").mkdir(parents=True)
    made, kept = training(folder / "arrays")
    request = BuildRequest(files={}, options=options, threads=1, training=made, arrays=kept)
    assert recipe.refuse(request) is None
    out = folder / "out"
    out.mkdir()
    report = recipe.build(request, out)
    if not isinstance(recipe, SeasonalNaive):
        assert report.labelled_items == len(made.items)
        assert report.parameters > 0
    spec = SessionSpec(
        artifact=str(out / "fold-0"), session="series", threads=1, labels=(), options={}
    )
    return open_series(spec), out


def forecast(session: SeriesSession, history: np.ndarray) -> np.ndarray:
    answer = session.decode(session.infer(session.encode(history)))
    return np.array(parse_numbers(answer.label))


def test_the_naive_forecast_is_the_last_season_again(tmp_path: Path) -> None:
    session, _ = built(SeasonalNaive(), tmp_path, {"season": 24})
    history = np.arange(HISTORY, dtype="<f4")

    # A season shorter than the horizon is repeated.
    assert forecast(session, history).tolist() == [*range(168, 192), *range(168, 192)]


@pytest.mark.parametrize(("recipe", "options"), [(SeriesRidge(), SMALL), (SeriesBoosting(), TREES)])
def test_what_is_trained_beats_the_last_season_where_the_level_drifts(
    tmp_path: Path, recipe: SeriesRidge | SeriesBoosting, options: Options
) -> None:
    naive, _ = built(SeasonalNaive(), tmp_path / "naive", {"season": SEASON})
    session, _ = built(recipe, tmp_path / "trained", options)
    later = wave(2000)
    history, after = later[1296 : 1296 + HISTORY], later[1296 + HISTORY : 1296 + HISTORY + HORIZON]

    def off(session: SeriesSession) -> float:
        return float(np.abs(forecast(session, history) - after).mean())

    assert off(session) < off(naive)


@pytest.mark.parametrize(
    ("recipe", "options"),
    [(SeasonalNaive(), {"season": SEASON}), (SeriesRidge(), SMALL), (SeriesBoosting(), TREES)],
)
def test_the_same_windows_give_the_same_bytes(
    tmp_path: Path, recipe: SeasonalNaive | SeriesRidge | SeriesBoosting, options: Options
) -> None:
    _, one = built(recipe, tmp_path / "one", options)
    _, other = built(recipe, tmp_path / "other", options)

    for name in ("series.json", "series.onnx"):
        assert (one / "fold-0" / name).read_bytes() == (other / "fold-0" / name).read_bytes()


def test_ridge_is_scikit_learns(tmp_path: Path) -> None:
    from sklearn.linear_model import Ridge

    session, _ = built(SeriesRidge(), tmp_path, {**SMALL, "alpha": ["10"]})
    made, kept = training(tmp_path / "arrays")
    found = series_data.windows(
        BuildRequest(files={}, options={}, threads=1, training=made, arrays=kept), made, 0
    )
    level = found.history[:, -SEASON:].mean(axis=1, dtype=np.float64)[:, None]
    model = Ridge(alpha=10).fit(found.history / level - 1, found.after / level - 1)
    expected = (model.predict(found.history[:1] / level[:1] - 1) + 1) * level[:1]

    np.testing.assert_allclose(forecast(session, found.history[0]), expected[0], rtol=1e-4)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6, width=32))
def test_a_rounded_threshold_sends_every_float32_the_same_way(exact: float, value: float) -> None:
    rounded = series_trees.below(np.array([exact]))[0]

    assert rounded.dtype == np.float32
    assert (np.float64(value) <= exact) == (np.float32(value) <= rounded)


def test_a_history_of_another_length_is_refused(tmp_path: Path) -> None:
    session, _ = built(SeasonalNaive(), tmp_path, {"season": 24})

    with pytest.raises(WorkerError, match="made for 192 values"):
        session.encode(np.zeros(10, dtype="<f4"))


def test_several_histories_are_answered_in_one_call(tmp_path: Path) -> None:
    session, _ = built(SeriesRidge(), tmp_path, SMALL)
    histories = [wave(HISTORY), wave(HISTORY) * 2]

    assert isinstance(session, BatchSession)
    batch = session.decode_batch(session.infer_batch(session.encode_batch(histories)))

    assert [parse_numbers(answer.label) for answer in batch] == [
        tuple(forecast(session, history)) for history in histories
    ]


def test_rows_of_hours_hold_lags_in_levels() -> None:
    facts = Facts(form="hours", history=96, horizon=30, season=24)
    history = np.repeat(np.array([1, 2, 3, 4], dtype="<f4"), 24)

    rows = rows_of(history, facts)

    assert rows.shape == (30, 11)
    # Four lags of one hour over the level of the last day (4), their mean, the last day's hour,
    # last day over the day before and over that of a season before, last season over the one
    # before (1 in levels over .75), hour of the day, hours ahead.
    np.testing.assert_allclose(
        rows[25], [0.25, 0.5, 0.75, 1, 0.625, 1, 4 / 3, 4 / 3, 4 / 3, 1, 25], rtol=1e-6
    )


def test_a_series_of_nothing_is_forecast_without_dividing_by_it() -> None:
    facts = Facts(form="relative", history=48, horizon=2, season=24)
    nothing = np.zeros(48, dtype="<f4")

    assert np.isfinite(rows_of(nothing, facts)).all()
    assert np.isfinite(forecast_of(np.zeros((1, 2), dtype="<f4"), nothing, facts)).all()


def test_windows_beside_a_held_out_block_are_not_trained_on() -> None:
    at = np.arange(9, dtype="<f4")[:, None]
    seen: list[tuple[list[float], list[float]]] = []

    def error(train: Windows, test: Windows, _: str) -> float:
        seen.append((train.history[:, 0].tolist(), test.history[:, 0].tolist()))
        return 1.0

    best, note = series_data.choose(Windows(history=at, after=at), ["a", "b"], 1, error)

    assert best == "a"
    assert "a: 1.00, b: 1.00" in note
    assert seen[0] == ([4, 5, 6, 7, 8], [0, 1, 2])
    assert seen[2] == ([0, 1, 7, 8], [3, 4, 5])
    assert seen[4] == ([0, 1, 2, 3, 4], [6, 7, 8])


def test_the_option_that_errs_least_is_chosen() -> None:
    at = np.arange(9, dtype="<f4")[:, None]
    errors = {"a": 2.0, "b": 1.0}

    best, _ = series_data.choose(
        Windows(history=at, after=at), ["a", "b"], 0, lambda _, __, one: errors[one]
    )

    assert best == "b"


def test_a_gap_that_leaves_nothing_is_refused() -> None:
    at = np.arange(9, dtype="<f4")[:, None]

    with pytest.raises(PrepareError, match=r"options\.gap: 9 leaves nothing"):
        series_data.choose(Windows(history=at, after=at), ["a", "b"], 9, lambda *_: 1.0)


def test_a_task_without_arrays_is_no_task_of_series() -> None:
    made = TrainingSet(task="toy", labels=(), folds=1, items=(Item(id="x", text="t", label="[1]"),))
    request = BuildRequest(files={}, options={}, threads=1, training=made)

    with pytest.raises(PrepareError, match="task toy has no arrays"):
        series_data.windows(request, made, 0)


@pytest.mark.parametrize("recipe", [SeasonalNaive(), SeriesRidge(), SeriesBoosting()])
def test_an_option_that_nothing_reads_is_refused(
    recipe: SeasonalNaive | SeriesRidge | SeriesBoosting,
) -> None:
    made = TrainingSet(task="toy", labels=(), folds=1, items=())
    request = BuildRequest(files={}, options={"lag": 1}, threads=1, training=made)

    assert "unknown lag" in (recipe.refuse(request) or "")
    assert "needs a task" in (recipe.refuse(BuildRequest(files={}, options={}, threads=1)) or "")
