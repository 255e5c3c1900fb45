"""Records -> a history: by time, device class and environment, with what else was new."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from tests.unit import builders, historic
from tests.unit.historic import CELL, kept
from tests.unit.verdicts import card

from steelyard.api import Score
from steelyard.card import TaskCard
from steelyard.errors import HistoryError
from steelyard.history.environments import environment
from steelyard.history.series import history
from steelyard.history.types import Address, History, Kept, Quantity, Series
from steelyard.record import EnergyReading, Evidence, Host


def made(runs: list[Kept], **address: str) -> History:
    return history(runs, Address(cell=CELL, **address))


def of(found: History, quantity: Quantity) -> Series:
    return next(one for one in found.series if one.quantity == quantity)


def host(**changes: Any) -> Host:
    return structs.replace(builders.host(), **changes)


def test_the_order_is_that_of_time_whatever_the_order_of_files() -> None:
    runs = historic.series(historic.stepped())

    assert made(runs[::-1]) == made(runs)
    assert [one.run for one in made(runs).moments] == [one.run for one in runs]


def test_times_are_compared_in_utc() -> None:
    east = kept(1, started="2026-01-02T00:30:00+02:00")
    west = kept(2, started="2026-01-01T23:00:00Z")

    assert [one.started for one in made([west, east]).moments] == [
        "2026-01-01T22:30:00+00:00",
        "2026-01-01T23:00:00+00:00",
    ]


def test_a_record_that_was_read_twice_counts_once() -> None:
    runs = historic.series([1_000_000, 1_100_000])

    assert made([*runs, *runs]) == made(runs)


def test_a_slow_down_stands_between_two_commits() -> None:
    found = made(historic.series(historic.stepped(20, 10, 1.1)))

    (change,) = of(found, "latency").changes
    assert (change.index, change.worse) == (10, True)
    assert change.shift == pytest.approx(0.1, abs=0.01)
    assert change.commit == historic.commit(10)
    assert change.previous_commit == historic.commit(9)
    assert of(found, "memory").changes == ()


def test_a_lower_score_is_worse_and_a_lower_latency_better() -> None:
    low = (Score(metric="accuracy", value=0.8, n=100),)
    runs = [kept(n, 1_000_000) for n in range(8)]
    runs += [kept(n, 500_000, scores=low) for n in range(8, 16)]
    found = made(runs)

    assert [one.worse for one in of(found, "score").changes] == [True]
    assert of(found, "score").changes[0].shift == pytest.approx(-0.1)
    assert [one.worse for one in of(found, "latency").changes] == [False]


def risen(metric: str) -> list[Kept]:
    """Return sixteen runs whose score goes from 1.0 to 1.5 in the middle."""
    scores = {n: (Score(metric=metric, value=1.0 if n < 8 else 1.5, n=100),) for n in range(16)}
    return [kept(n, metric=metric, scores=scores[n]) for n in range(16)]


@pytest.mark.parametrize(
    ("metric", "task", "worse"),
    [
        ("accuracy", None, False),
        ("mase", None, True),
        ("cer", None, True),
        ("bleurt", None, None),
        ("bleurt", card(metric="bleurt"), False),
        ("distance", card(metric="distance", higher_is_better=False), True),
        # The card is a later one, with another metric: it says nothing of this.
        ("distance", card(metric="accuracy", higher_is_better=False), None),
    ],
)
def test_a_risen_score_is_what_the_card_or_the_name_of_its_metric_makes_it(
    metric: str, task: TaskCard | None, worse: bool | None
) -> None:
    found = history(risen(metric), Address(cell=CELL), ("score",), task)

    (change,) = of(found, "score").changes
    assert change.worse is worse
    assert change.shift == pytest.approx(0.5)


def test_less_time_is_better_whatever_the_metric() -> None:
    slower = [kept(n, 1_000_000 if n < 8 else 2_000_000, metric="mase") for n in range(16)]

    found = history(slower, Address(cell=CELL), ("latency",), card(metric="mase"))

    assert [one.worse for one in of(found, "latency").changes] == [True]


def test_scores_of_another_metric_are_no_points_of_the_series() -> None:
    old = kept(0, scores=(Score(metric="accuracy", value=0.9, n=100),))
    new = kept(1, metric="mase", scores=(Score(metric="mase", value=1.2, n=100),))

    score = of(made([old, new]), "score")

    assert (score.values, score.reasons[0]) == ((None, 1.2), "no mase was kept")


def test_what_else_was_new_stands_beside_the_change() -> None:
    newer = host(packages={"onnxruntime": "1.32.0"})
    older = host(packages={"onnxruntime": "1.31.0"})
    runs = [
        kept(n, latency, host=newer if n >= 10 else older)
        for n, latency in enumerate(historic.stepped())
    ]

    (change,) = of(made(runs), "latency").changes

    assert change.differs == ("onnxruntime 1.31.0 -> 1.32.0",)
    assert len(made(runs).environments) == 2


def test_another_artefact_and_task_card_are_named() -> None:
    runs = [kept(0), kept(1, task_sha256="f" * 64, threads=2)]

    assert made(runs).moments[1].differs == ("task card", "threads")


def test_an_environment_is_addressed_by_its_key() -> None:
    other = host(python="3.12.1")
    runs = [kept(0), kept(1, host=other), kept(2)]

    found = made(runs, environment=environment(other).key)

    assert [one.run for one in found.moments] == ["run-001"]
    with pytest.raises(HistoryError, match="no environment is 'beef'; there are: "):
        made(runs, environment="beef")


def test_device_classes_are_never_mixed() -> None:
    board = host(board="Raspberry Pi 5", cores=4)
    runs = [kept(0), kept(1, host=board)]

    with pytest.raises(HistoryError, match=r"several device classes: Raspberry Pi 5, 4 cores; Te"):
        made(runs)
    with pytest.raises(HistoryError, match="no device class is 'Jetson'"):
        made(runs, machine="Jetson")
    assert made(runs, machine="pi 5").machine == "Raspberry Pi 5, 4 cores"
    assert len(made(runs, machine="Testium").moments) == 1


def test_an_emulated_machine_is_a_class_of_its_own() -> None:
    with pytest.raises(HistoryError, match="emulated"):
        made([kept(0), kept(1, host=host(emulated="qemu"))])


def test_an_absent_value_has_its_reason_and_is_no_point() -> None:
    latencies = historic.stepped(12, 6)
    runs = historic.series(latencies)
    broken = Evidence(window="latency", seconds=1.0, readings=3, broken=("throttled",))
    runs[3] = kept(3, 9_000_000, outcome="invalid", evidence=(broken,))
    runs[4] = kept(4, outcome="out_of_memory", reason="killed")

    latency = of(made(runs), "latency")

    assert latency.values[3:5] == (None, None)
    assert latency.reasons[3:5] == ("the window was invalid", "out of memory: killed")
    assert [one.index for one in latency.changes] == [6]
    assert of(made(runs), "score").values[3] == 0.9


def test_energy_counts_only_from_a_sensor_and_of_one_kind() -> None:
    counted = EnergyReading(meter="rapl", tier=2, scope="package", covers=("cpu",), gross_j=0.5)
    whole = structs.replace(counted, meter="ina", scope="board", covers=("board",), gross_j=0.9)
    modelled = structs.replace(counted, meter="model", tier=3)
    runs = [kept(0, energy=(whole,)), kept(1, energy=(counted, modelled))]

    energy = of(made(runs), "energy")

    assert energy.values == (None, 0.5)
    assert energy.reasons[0] == "not counted as in the latest run"
    assert ("energy", "no sensor counted it") in made([kept(0, energy=(modelled,))]).absent


def test_a_time_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="run-000: started at 'soon'"):
        made([kept(0, started="soon")])
