"""Each claim in both directions, on made-up runs whose figures can be worked out."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import structs
from tests.unit import builders
from tests.unit.claiming import LARGE, MB, SMALL, TASKS, Model, claim, judged, ledger, run

from steelyard import claims, stats
from steelyard.claims import Ledger, embedding
from steelyard.loads import ArrivalTimes, SensorResult, Warmed
from steelyard.record import Dependability, Measurement, MemoryLimit

BOARD = structs.replace(builders.host(), board="Raspberry Pi 5 Model B Rev 1.0")


def swapped(small: Model, large: Model) -> tuple[Model, Model]:
    """Give each side the other's figures."""
    return (
        structs.replace(large, name=small.name, role=small.role),
        structs.replace(small, name=large.name, role=large.role),
    )


def test_without_anything_measured_nothing_is_tested() -> None:
    empty = claims.ledger((), ())

    assert [one.standing for one in empty.claims] == ["not tested"] * 8


def test_a_faster_specialist_supports_and_a_slower_one_refutes() -> None:
    fast = claim(ledger(SMALL, LARGE), "faster")
    slow = claim(ledger(*swapped(SMALL, LARGE)), "faster")

    assert (fast.standing, slow.standing) == ("supported", "refuted")
    # 1000 ms over 10 ms.
    assert fast.tasks[0].estimate == pytest.approx(100, rel=1e-3)
    assert "p50 100 times" in fast.tasks[0].text
    assert "p99 100 times" in fast.tasks[0].text


def test_equal_speed_is_not_faster() -> None:
    equal = claim(ledger(SMALL, structs.replace(LARGE, call_ms=10.0)), "faster")

    assert equal.standing == "refuted"


def test_too_few_calls_for_a_p99_are_said() -> None:
    few = claim(ledger(SMALL, structs.replace(LARGE, calls=40)), "faster")

    assert few.standing == "supported"
    assert "p99 compared in 0 of 3 pairs" in few.reason
    assert "p99 not compared: p99 needs 299 samples, there are 40" in few.tasks[0].text


def test_two_tasks_are_too_few_for_any_claim() -> None:
    two = claim(ledger(SMALL, LARGE, tasks=TASKS[:2]), "faster")

    assert two.standing == "undecided"
    assert two.reason.startswith("2 for, 0 against, 0 undecided of 2 tasks; 3 tasks are needed")


def test_one_slow_specialist_among_fast_ones_leaves_a_task_undecided() -> None:
    slow = Model(name="slow", role="specialist", call_ms=5000.0)

    mixed = claim(ledger(SMALL, slow, LARGE), "faster")

    assert [one.standing for one in mixed.tasks] == ["undecided"] * 3
    assert mixed.tasks[0].text.startswith("of 2: 1 for, 1 against; least for it slow@int8")


def test_efficiency_is_score_over_time_and_memory() -> None:
    found = claim(ledger(SMALL, structs.replace(LARGE, right=40)), "efficient")
    contrary = claim(ledger(*swapped(SMALL, structs.replace(LARGE, right=40))), "efficient")

    assert (found.standing, contrary.standing) == ("supported", "refuted")
    # Twice the score at a hundredth of the time and a thirtieth of the memory.
    assert found.tasks[0].estimate == pytest.approx(60)
    assert "by time 200 times" in found.tasks[0].text


def test_efficient_in_time_and_wasteful_in_memory_is_undecided() -> None:
    hungry = structs.replace(SMALL, peak=9000 * MB)

    assert claim(ledger(hungry, LARGE), "efficient").standing == "undecided"


@pytest.mark.parametrize(
    ("large_j", "standing"), [(1.5, "supported"), (0.5, "refuted"), (1.0, "undecided")]
)
def test_much_less_energy_is_a_tenth_or_less(large_j: float, standing: str) -> None:
    small = structs.replace(SMALL, joules=0.1)

    found = claim(ledger(small, structs.replace(LARGE, joules=large_j)), "less-energy")

    assert found.standing == standing
    assert found.tasks[0].estimate == pytest.approx(10 * large_j)


def test_energies_of_different_tiers_are_not_compared() -> None:
    small = structs.replace(SMALL, joules=0.1, tier=1)

    found = claim(ledger(small, structs.replace(LARGE, joules=9.0)), "less-energy")

    assert found.standing == "not tested"
    assert "different tiers" in found.reason


def test_a_models_energy_decides_nothing() -> None:
    small = structs.replace(SMALL, joules=0.1, tier=3)

    found = claim(ledger(small, structs.replace(LARGE, joules=9.0, tier=3)), "less-energy")

    assert found.standing == "undecided"
    assert "a model's figures decide nothing" in found.tasks[0].text


def test_no_meter_is_said_once_and_shortly() -> None:
    refused = {"no_energy": ("rapl: a page of reasons", "nvml: another")}

    found = claim(
        ledger(structs.replace(SMALL, more=refused), structs.replace(LARGE, more=refused)),
        "less-energy",
    )

    assert found.standing == "not tested"
    assert found.reason == "no meter can read the machine (steelyard doctor says why)"


def test_often_is_more_than_half_of_the_tasks_either_way() -> None:
    good, bad = structs.replace(SMALL, right=95), structs.replace(LARGE, right=60)

    wins = claim(ledger(good, bad), "often-better")
    loses = claim(ledger(*swapped(good, bad)), "often-better")

    assert (wins.standing, loses.standing) == ("supported", "refuted")
    assert wins.tasks[0].estimate == pytest.approx(35)
    assert loses.tasks[0].estimate == pytest.approx(-35)


def test_often_is_adjusted_for_the_number_of_tasks() -> None:
    # Eight items only the small one has right and none the other way: p = 2 / 2^8.
    p = stats.mcnemar_exact(0, 8)
    good = structs.replace(SMALL, right=88)

    few = claim(ledger(good, LARGE), "often-better")
    many = claim(ledger(good, LARGE, tasks=[f"t{n}" for n in range(8)]), "often-better")

    assert p == pytest.approx(2 / 2**8)
    assert few.standing == "supported"
    assert f"p {3 * p:.2g} after Holm" in few.tasks[0].text
    assert many.standing == "undecided"


def test_the_best_of_several_specialists_pays_for_the_choice() -> None:
    good = structs.replace(SMALL, right=88)
    others = [Model(name=f"other-{n}", role="specialist", right=70) for n in range(3)]

    found = claim(ledger(good, *others, LARGE), "often-better")

    # Bonferroni over four specialists, Holm over three tasks.
    assert found.tasks[0].standing == "undecided"
    assert f"p {12 * stats.mcnemar_exact(0, 8):.2g} after Holm" in found.tasks[0].text


def again(**changes: object) -> Dependability:
    whole = Dependability(
        n=40, correct=30, repeats_differ=0, answers=160, outside=0, label_scored=True, flipped=0
    )
    return structs.replace(whole, **changes)


STEADY = again(label_scored=False, flipped=None, answers=80, no_paraphrases="no words")


@pytest.mark.parametrize(
    ("flipped", "standing"), [(12, "supported"), (0, "refuted"), (4, "undecided")]
)
def test_dependable_is_held_against_a_tenth_of_answers_that_change(
    flipped: int, standing: str
) -> None:
    small = structs.replace(SMALL, again=STEADY)
    large = structs.replace(LARGE, again=again(flipped=flipped))

    found = claim(ledger(small, large), "dependable")

    low, high = stats.wilson(flipped, 40)
    assert found.standing == standing
    assert (found.tasks[0].low, found.tasks[0].high) == (low, high)
    assert "by construction" in found.tasks[0].text


def test_a_specialist_that_differs_the_second_time_is_no_ground_for_the_claim() -> None:
    shaky = structs.replace(SMALL, again=structs.replace(STEADY, repeats_differ=20))
    firm = structs.replace(LARGE, again=again())

    assert claim(ledger(shaky, firm), "dependable").standing == "refuted"


def test_a_generalist_that_differs_the_second_time_supports_the_claim() -> None:
    small = structs.replace(SMALL, again=STEADY)
    large = structs.replace(LARGE, again=again(repeats_differ=20))

    assert claim(ledger(small, large), "dependable").standing == "supported"


def test_nobody_asked_twice_is_not_tested_and_says_how() -> None:
    found = claim(ledger(SMALL, LARGE), "dependable")

    assert found.standing == "not tested"
    assert "dependability = { items = 40 }" in found.reason


def sensor(late: int, of: int = 1000) -> SensorResult:
    """`late` of `of` arrivals are answered after the deadline of 10 ms."""
    latency = [20_000_000] * late + [1_000_000] * (of - late)
    return SensorResult(
        rate_hz=10.0,
        times=ArrivalTimes(
            seconds=of / 10,
            deadline_ns=10_000_000,
            arrivals=of,
            unserved=0,
            latency_ns=stats.pack(latency),
            service_ns=stats.pack(latency),
            answers=(),
            warm_up=Warmed(calls=1, seconds=0.1, settled=True),
        ),
    )


def on_board(model: Model) -> Ledger:
    return judged(run([model], host=BOARD))


@pytest.mark.parametrize(("late", "standing"), [(0, "supported"), (50, "refuted")])
def test_on_a_board_the_deadline_decides(late: int, standing: str) -> None:
    small = structs.replace(SMALL, more={"loads": (sensor(late),)})

    found = claim(on_board(small), "embeddable")

    assert found.standing == standing
    assert "on Raspberry Pi 5" in found.tasks[0].text


def test_what_fits_on_no_board_is_said_and_decides_nothing() -> None:
    small = structs.replace(SMALL, more={"loads": (sensor(0),)})

    found = claim(ledger(small, LARGE), "embeddable")

    assert found.standing == "undecided"
    assert "not on a board" in found.reason
    assert "peak below 512MB, not held by a limit" in found.tasks[0].text


def test_what_fits_nowhere_refutes_on_any_machine() -> None:
    found = claim(ledger(structs.replace(SMALL, peak=1001 * MB), LARGE), "embeddable")

    assert found.standing == "refuted"
    assert "fits in none of 512MB, 1GB: peak 1,001 MB" in found.tasks[0].text


def test_a_cgroup_that_was_too_small_refutes_a_peak_below_it() -> None:
    limit = MemoryLimit(bytes=512 * MB, kind="cgroup")
    broke = builders.record(memory_limit=limit, outcome="out_of_memory")
    peak = Measurement(
        quantity="memory_peak", unit="B", method="counter", scope="process", values=(100 * MB,)
    )
    free = builders.record(measurements=(peak,))

    alone = embedding.holds(("512MB", "1GB"), [free])
    both = embedding.holds(("512MB", "1GB"), [free, broke])
    neither = embedding.holds(("512MB",), [free, broke])

    assert [one.budget for one in (alone, both, neither) if one] == ["512MB", "1GB", None]
    assert neither is not None
    assert neither.how == "fits in none of 512MB: out of memory under a limit"
    assert embedding.holds(("512MB",), [builders.record()]) is None


def test_a_limit_that_was_held_is_named_as_such() -> None:
    limit = MemoryLimit(bytes=512 * MB, kind="cgroup")
    small = structs.replace(SMALL, more={"memory_limit": limit, "loads": (sensor(0),)})

    found = claim(on_board(small), "embeddable")

    assert found.standing == "supported"
    assert "runs in 512MB, held by a limit" in found.tasks[0].text


def test_the_scope_names_models_tasks_items_and_machine() -> None:
    found = ledger(SMALL, LARGE, titles={"huge": "Huge, code-tuned"})

    assert claim(found, "faster").scope == (
        "against Huge, code-tuned (1 billion parameters), asked in a way that was not kept, "
        "on 3 tasks, 100 items each, on a virtual machine (Testium 9000, 2 cores)"
    )


def test_what_would_help_the_large_side_is_named() -> None:
    said = " ".join(ledger(SMALL, LARGE).not_done)

    for helps in ("retrieval", "reasoning", "fine-tuning", "no few-shot run", "1 billion"):
        assert helps in said
    assert "95 % of projects" in said


def test_a_ledger_travels_as_json() -> None:
    made = ledger(SMALL, LARGE)

    assert msgspec.json.decode(msgspec.json.encode(made), type=Ledger) == made
