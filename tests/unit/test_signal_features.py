"""Features of signals, held against numpy's and scipy's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal, stats

from steelyard.backends.ort import signal_features as own
from steelyard.errors import WorkerError

NOISE = np.random.default_rng(0).gamma(2.0, size=(3, 257))
CENTRED = NOISE - NOISE.mean(axis=1, keepdims=True)


def test_statistics_are_those_of_scipy() -> None:
    found = own._statistics(NOISE, CENTRED)

    assert found[:, 5] == pytest.approx(stats.skew(NOISE, axis=1))
    assert found[:, 6] == pytest.approx(stats.kurtosis(NOISE, axis=1, fisher=False))


def test_quantiles_are_those_of_numpy() -> None:
    assert own._quantiles(NOISE) == pytest.approx(np.quantile(NOISE, own.QUANTILES, axis=1).T)


@pytest.mark.parametrize("size", [16, 17, 256, 257])
def test_the_envelope_is_that_of_scipy(size: int) -> None:
    rows = CENTRED[:, :size]
    made = np.abs(np.fft.ifft(np.fft.fft(rows, axis=1) * own._analytic(size), axis=1))

    expected: Any = signal.hilbert(rows, axis=1)
    assert made == pytest.approx(np.abs(expected))


def test_bands_hold_all_power_and_each_its_own() -> None:
    share = np.zeros((1, 100))
    share[0, 30] = 1.0

    bands = np.exp(own._bands(share, np.array([0.0, 0.25, 0.5, 1.0])))[0]

    assert bands == pytest.approx([0, 1, 0], abs=1e-5)


def test_eighths_follow_the_course() -> None:
    rising = np.repeat(np.arange(8.0), 5)[None]

    assert own._course(rising)[0] == pytest.approx([*range(8), *[0] * 8])


def test_crossings_are_counted_between_neighbours() -> None:
    assert own._crossings(np.array([[1.0, -1, 1, 1, -1]])) == pytest.approx([3 / 4])


def test_channels_are_told_apart_and_set_beside_each_other() -> None:
    one = np.sin(np.arange(64.0))
    found = own.features(np.stack([one, -one, one + 5], axis=1))

    single = own.features(one)
    assert found.size == 3 * single.size + 3
    assert found[: single.size] == pytest.approx(single, abs=1e-5)
    assert found[-3:] == pytest.approx([-1, 1, -1], abs=1e-5)


@given(
    st.sampled_from([(8,), (9,), (200,), (50, 3)]),
    st.sampled_from([0.0, 1.0, -3.0, 1e-20, 1e6]),
    st.booleans(),
)
def test_features_are_finite_whatever_the_signal(
    shape: tuple[int, ...], level: float, varied: bool
) -> None:
    array = np.full(shape, level)
    if varied:
        array[::3] *= -1

    assert np.all(np.isfinite(own.features(array)))


@pytest.mark.parametrize("array", [np.ones(7), np.ones((2, 3, 4)), np.float32(1)])
def test_what_is_no_stretch_of_a_signal_is_refused(array: Any) -> None:
    with pytest.raises(WorkerError, match="a signal of shape"):
        own.features(array)
