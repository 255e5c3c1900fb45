"""Recordings of two rates become ones of a single rate that cannot be told apart."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from steelyard.errors import PrepareError
from steelyard.readers.resampling import decimate, factor_of, low_pass, windows


def tone(hertz: float, rate_hz: float, seconds: float = 2.0) -> NDArray[np.float64]:
    at = np.arange(int(rate_hz * seconds)) / rate_hz
    made: NDArray[np.float64] = np.sin(2 * np.pi * hertz * at)
    return made


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_tone_below_the_new_limit_stays(factor: int) -> None:
    kept = decimate(tone(100, 1000 * factor), factor)

    assert kept.std() * 2**0.5 == pytest.approx(1, abs=0.01)
    assert np.abs(np.fft.rfft(kept)).argmax() / kept.size * 1000 == pytest.approx(100, abs=1)


@pytest.mark.parametrize("hertz", [500, 600, 900, 1400])
def test_a_tone_above_it_does_not_fold_back(hertz: float) -> None:
    assert np.abs(decimate(tone(hertz, 4000), 4)).max() < 1e-3


def test_both_rates_pass_the_same_hertz() -> None:
    for hertz in (10, 300, 430, 450, 470):
        from_lower, from_higher = (
            decimate(tone(hertz, 1000 * factor), factor).std() for factor in (2, 4)
        )
        assert from_lower == pytest.approx(from_higher, abs=0.02)


def test_the_filter_keeps_a_constant_as_it_is() -> None:
    assert low_pass(3).sum() == pytest.approx(1)
    assert decimate(np.full(500, 2.5), 2) == pytest.approx(2.5)


def test_only_whole_factors_are_taken() -> None:
    assert factor_of(97656, 24414, "a") == 4
    with pytest.raises(PrepareError, match="no multiple"):
        factor_of(44100, 24414, "a")


def test_windows_do_not_overlap_and_the_rest_is_left_out() -> None:
    assert [one.tolist() for one in windows(np.arange(7), 3)] == [[0, 1, 2], [3, 4, 5]]
