"""What a model of a series is given of a history: the same when it is trained and when it runs."""

from __future__ import annotations

from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FACTS, GRAPH = "series.json", "series.onnx"
HISTORY, FORECAST = "history", "forecast"
DAY = 24

# plain: the history as it is. relative: its distance from the level, in levels. hours: one row of
# features a forecast hour, in levels.
Form = Literal["plain", "relative", "hours"]


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `series.json` holds. Lengths are in hours; the level is the mean of the last season."""

    form: Form
    history: int
    horizon: int
    season: int


def level_of(history: Floats, season: int) -> float:
    """Return the mean of the last season; 1 where it is 0, since rows are divided by it."""
    return float(history[-season:].mean(dtype=np.float64)) or 1.0


def rows_of(history: Floats, facts: Facts) -> Floats:
    """Return a model's input, float32 [rows, columns]."""
    if facts.form == "plain":
        return history[None]
    scaled = (history / np.float32(level_of(history, facts.season))).astype(np.float32)
    if facts.form == "relative":
        relative: Floats = (scaled - np.float32(1))[None].astype(np.float32)
        return relative
    return _hours(scaled, facts)


def forecast_of(output: Floats, history: Floats, facts: Facts) -> Floats:
    """Return the forecast, float32 [horizon], of a model's output."""
    flat = output.reshape(-1)
    if facts.form == "plain":
        return flat
    level = np.float32(level_of(history, facts.season))
    forecast: Floats = (flat + np.float32(facts.form == "relative")) * level
    return forecast


def _hours(scaled: Floats, facts: Facts) -> Floats:
    """Return the features of each forecast hour, in levels.

    The same hour of each season of the history, their mean, and of the last day; how the last day
    stands to the day before and to that of a season before; how the last season stands to the one
    before; the hour of the day (counted from the history's end) and how far ahead it is.
    """
    seasons = len(scaled) // facts.season
    past = scaled[len(scaled) - seasons * facts.season :].reshape(seasons, facts.season)
    ahead = np.arange(facts.horizon)
    lags = past[:, ahead % facts.season]
    last, before = scaled[-DAY:].mean(), scaled[-2 * DAY : -DAY].mean()
    earlier = past[-2] if seasons > 1 else past[-1]
    ratios = [_over(last, before), _over(last, earlier[-DAY:].mean()), _over(1.0, earlier.mean())]
    columns = [
        *lags,
        lags.mean(axis=0),
        scaled[-DAY:][ahead % DAY],
        *(np.full(facts.horizon, ratio) for ratio in ratios),
        ahead % DAY,
        ahead,
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _over(one: float, other: float) -> float:
    """Return a ratio, 1 where there is nothing to divide by."""
    return float(one) / float(other) if other else 1.0
