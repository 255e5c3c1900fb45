from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.api import Answer, WeighingScorer
from steelyard.errors import PrepareError, SteelyardError
from steelyard.notation import format_numbers
from steelyard.scorers.forecast import Forecast

OPTIONS = {"scale": 2.0}


def answers(*forecasts: list[float]) -> list[Answer]:
    return [Answer(label=format_numbers(forecast)) for forecast in forecasts]


def expected(*series: list[float]) -> list[str]:
    return [format_numbers(one) for one in series]


def scores(said: list[Answer], was: list[str]) -> dict[str, float]:
    return {one.metric: one.value for one in Forecast().score(said, was, (), OPTIONS)}


def test_errors_are_means_over_items_in_units_of_the_scale() -> None:
    found = scores(answers([1, 2], [5, 9]), expected([2, 4], [5, 5]))

    # Mean errors 1.5 and 2, their mean 1.75, over 2; errors of 3 and 4 over loads of 6 and 10.
    assert found == {"mase": 0.875, "wape": 7 / 16, "answered": 1.0}


def test_the_task_s_metric_is_first_and_lower_is_better_for_a_better_forecast() -> None:
    near = Forecast().score(answers([2, 4]), expected([2, 5]), (), OPTIONS)
    far = Forecast().score(answers([2, 9]), expected([2, 5]), (), OPTIONS)

    assert near[0].metric == "mase"
    assert near[0].value < far[0].value


def test_what_is_not_forecast_counts_as_zero_and_is_told() -> None:
    found = scores([Answer(label="[]", unreadable=True), *answers([4.0])], expected([4], [4]))

    assert found == {"mase": 1.0, "wape": 0.5, "answered": 0.5}


def test_silence_is_not_better_than_the_last_week() -> None:
    was = expected([10.0, 12.0])

    assert scores(answers([]), was)["mase"] > scores(answers([11.0, 11.0]), was)["mase"]


def test_numbers_beyond_the_horizon_are_ignored() -> None:
    assert scores(answers([4, 5, 99]), expected([4, 5]))["mase"] == 0


def test_one_item_has_no_interval_and_several_have_one_around_the_value() -> None:
    (alone, *_) = Forecast().score(answers([1]), expected([2]), (), OPTIONS)
    (several, *_) = Forecast().score(
        answers([1], [2], [3], [9]), expected([2], [2], [5], [4]), (), OPTIONS
    )

    assert (alone.low, alone.high) == (None, None)
    assert several.low is not None
    assert several.high is not None
    assert 0 <= several.low < several.value < several.high <= 2.5
    assert several.n == 4


@given(
    pairs=st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=1, max_size=8),
    data=st.data(),
)
def test_weighing_is_scoring_items_as_often_as_they_were_drawn(
    pairs: list[tuple[int, int]], data: st.DataObject
) -> None:
    scorer = Forecast()
    assert isinstance(scorer, WeighingScorer)
    said = answers(*([float(a)] for a, _ in pairs))
    was = expected(*([float(b)] for _, b in pairs))
    counts = data.draw(
        st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs)).filter(any)
    )

    (weighed,) = scorer.weighted(said, was, (), OPTIONS)(np.array([counts]))

    off = [abs(a - b) for (a, b), n in zip(pairs, counts, strict=True) for _ in range(n)]
    assert weighed == pytest.approx(np.mean(off) / 2)


def test_a_draw_of_nothing_has_no_metric() -> None:
    weigh = Forecast().weighted(answers([1.0]), expected([2.0]), (), OPTIONS)

    assert np.isnan(weigh(np.array([[0]]))).all()


@pytest.mark.parametrize("options", [{}, {"scale": 0.0}, {"scale": "1"}, {"scale": 1.0, "x": 1}])
def test_a_card_s_options_are_checked(options: dict[str, float]) -> None:
    with pytest.raises(PrepareError, match=r"scorer\.options"):
        Forecast().score(answers([1]), expected([1]), (), options)


@pytest.mark.parametrize(
    ("said", "was", "reason"),
    [
        ([], [], "nothing to score"),
        (answers([1]), [], "1 answers for 0 items"),
        ([Answer(label="soon")], ["[1.0]"], "item 0: 'soon' is no list of numbers"),
        (answers([1]), ["[]"], "item 0: no numbers are expected"),
    ],
)
def test_what_cannot_be_scored_is_refused(said: list[Answer], was: list[str], reason: str) -> None:
    with pytest.raises(SteelyardError, match=reason):
        Forecast().score(said, was, (), OPTIONS)
