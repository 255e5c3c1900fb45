"""The gate on simulated machines: few alarms where nothing changed, +5 % found. Seeded."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.gate.bounds import DEDICATED, ELSEWHERE, TOLERATED
from steelyard.gate.sequence import ALPHA, Looks, find
from steelyard.gate.types import Bounds, Status

pytest.importorskip("benchmarks.gate_noise")

from benchmarks.gate_noise import Noise, blocks

BOARD = Noise(process=0.008, call=0.05)
CLOUD = Noise()
UNLUCKY = Noise(process=0.015, slow_share=0.05)
WILD = Noise(process=0.2)
TRIALS = 300


def bounds(margin: float) -> Bounds:
    return Bounds(tolerated=TOLERATED * margin, margin=margin)


def gate(logs: list[float], within: Bounds) -> tuple[Status, int]:
    """Look as the gate does; return what it says and after how many blocks."""
    looks = Looks()
    for n in looks.blocks:
        found = find(logs[:n], within, looks)
        if found.p_fine <= ALPHA:
            return "ok", n
        if found.p_slow <= ALPHA:
            return "regression", n
    return "inconclusive", looks.blocks[-1]


def shares(change: float, noise: Noise, margin: float) -> dict[Status, float]:
    generator = np.random.default_rng(20261123)
    most = Looks().blocks[-1]
    said = [
        gate(blocks(most, change, noise, generator).tolist(), bounds(margin))[0]
        for _ in range(TRIALS)
    ]
    every: tuple[Status, ...] = ("ok", "regression", "inconclusive")
    return {status: said.count(status) / TRIALS for status in every}


@pytest.mark.parametrize(
    ("noise", "margin"), [(BOARD, DEDICATED), (CLOUD, ELSEWHERE), (UNLUCKY, ELSEWHERE)]
)
def test_the_same_arm_twice_raises_no_alarm_and_ends_ok(noise: Noise, margin: float) -> None:
    found = shares(0.0, noise, margin)

    assert found["regression"] <= 0.01
    assert found["ok"] >= 0.95


@pytest.mark.parametrize(
    ("noise", "margin"), [(BOARD, DEDICATED), (CLOUD, ELSEWHERE), (UNLUCKY, ELSEWHERE)]
)
def test_five_per_cent_slower_is_found(noise: Noise, margin: float) -> None:
    assert shares(0.05, noise, margin)["regression"] >= 0.95


def test_a_machine_that_is_all_noise_cries_wolf_no_more_often_than_its_level() -> None:
    found = shares(0.0, WILD, ELSEWHERE)

    # 1 % and the sampling error of the trials; most end undecided, as they should.
    assert found["regression"] <= 0.01 + 3 * (0.01 * 0.99 / TRIALS) ** 0.5
    assert found["inconclusive"] >= 0.9


def test_medians_are_as_noisy_as_those_of_calls_that_were_drawn() -> None:
    noise = Noise(day=0, drift=0, process=0, call=0.15, calls=100)
    drawn = np.median(np.random.default_rng(1).normal(0, 0.15, (4000, 101)), axis=1)

    made = blocks(4000, 0.0, noise, np.random.default_rng(2))

    # A block is the difference of two medians.
    assert made.std() == pytest.approx(drawn.std() * 2**0.5, rel=0.05)
