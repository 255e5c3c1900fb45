from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.unit.builders import cell, host, record
from tests.unit.costing import generalist, prices, put, workload

from steelyard import cost, energy
from steelyard.cost import CostOfCall, Demand, Total
from steelyard.energy import Absent
from steelyard.energy.price import YEAR_S
from steelyard.loads import GenerateResult, Generation
from steelyard.record import ArtifactRef, EnergyReading, Evidence, Measurement, PromptChoice
from steelyard.references import Price, Tariff, Use, boards

YEAR_DAYS = 365.25
DEMAND = Demand(calls_a_day=10_000, months=12)


def latency(values: tuple[int, ...]) -> Measurement:
    return Measurement(
        quantity="latency_end_to_end", unit="ns", method="counter", scope="call", values=values
    )


def parts(sum_: Total | CostOfCall | Absent) -> dict[str, float]:
    assert not isinstance(sum_, Absent)
    return {part.name: part.amount for part in sum_.parts}


def amount(sum_: Total | Absent) -> float:
    assert isinstance(sum_, Total)
    return sum_.amount


def test_a_box_of_ones_own_costs_labels_people_itself_and_its_electricity() -> None:
    declared = prices()

    found = cost.total(put(workload(), "box", declared), declared, DEMAND)

    # Idle 2 W for a year; 4 J more for each of the calls.
    joules = 2 * YEAR_S + 4 * 10_000 * YEAR_DAYS
    assert parts(found) == pytest.approx(
        {
            "labels": 120 * 0.5,
            "set-up": 10 * 50,
            "upkeep": 12 * 50,
            "machines": 100,
            "electricity": joules * 1e-7,
        }
    )
    assert isinstance(found, Total)
    assert found.amount == pytest.approx(1267.77252)
    assert found.computing_share == pytest.approx(107.77252 / 1267.77252)
    assert found.per_1000 == pytest.approx(1267.77252 / 3652.5)
    assert found.per_1000_correct == pytest.approx(1267.77252 / 3652.5 / 0.8)
    assert (found.machines, found.answer_s, found.modelled) == (1, 0.5, True)
    assert found.utilisation == pytest.approx(5000 / 86_400)


def test_a_rented_machine_is_paid_day_and_night_and_lies_behind_a_network() -> None:
    declared = prices()

    found = cost.total(put(workload(), "rented", declared), declared, DEMAND)

    assert parts(found)["hosting"] == pytest.approx(0.36 * 24 * YEAR_DAYS)
    assert parts(found)["network"] == pytest.approx(1e-6 * 10_000 * YEAR_DAYS)
    assert isinstance(found, Total)
    assert found.answer_s == pytest.approx(0.6)


def test_a_service_is_paid_by_the_token_and_needs_no_machine() -> None:
    declared = prices()

    found = cost.total(put(generalist(), "api", declared), declared, DEMAND)

    assert parts(found)["tokens"] == pytest.approx(420e-6 * 10_000 * YEAR_DAYS)
    assert isinstance(found, Total)
    assert (found.machines, found.answer_s, parts(found)["labels"]) == (None, None, 0)
    assert found.notes == ()


def test_a_price_of_another_model_is_told() -> None:
    declared, other = prices(), generalist(cell=cell(model="unlike"))

    found = cost.total(put(other, "api", declared), declared, DEMAND)

    assert isinstance(found, Total)
    assert "the price is of huge" in found.notes[0]


def test_a_service_needs_no_seconds_but_a_machine_does() -> None:
    declared = prices()
    untimed = generalist(seconds=None, no_seconds="p50 needs 8 samples, there are 7")

    assert isinstance(cost.total(put(untimed, "api", declared), declared, DEMAND), Total)
    assert cost.total(put(untimed, "box", declared), declared, DEMAND) == Absent(
        reason="p50 needs 8 samples, there are 7"
    )


def test_tokens_that_were_counted_go_before_those_that_were_stated() -> None:
    declared = prices()

    found = cost.per_call(put(generalist(input_tokens=80.0), "api", declared), declared)

    assert parts(found)["tokens"] == pytest.approx(100e-6)


def test_a_call_wears_the_box_and_draws_power_while_it_waits_too() -> None:
    declared = prices()

    found = cost.per_call(put(workload(), "box", declared), declared)

    # 5 J at work, and 2 W for as long again, since it works half of its time.
    assert parts(found) == pytest.approx({"machines": 50 / (5 * YEAR_S * 0.5), "electricity": 6e-7})
    assert isinstance(found, CostOfCall)
    assert found.per_1000_correct == pytest.approx(found.total * 1250)


def test_a_call_on_a_rented_machine_pays_for_the_time_between_calls() -> None:
    declared = prices()

    found = cost.per_call(put(workload(), "rented", declared), declared)

    assert parts(found) == pytest.approx({"hosting": 1e-4, "network": 1e-6})


def test_wear_is_that_of_the_joules_table() -> None:
    declared = prices()
    tariff = Tariff(region="X", period="2026", currency="EUR", per_kwh=0.36, source="test")
    price = Price(amount=100, currency="EUR", year=2026, source="test")
    use = Use(life_years=5, share=0.5, source="test")

    table = energy.cost(5, 0.5, tariff, price, use)

    assert isinstance(table, energy.Cost)
    ours = parts(cost.per_call(put(workload(), "box", declared), declared))
    assert ours["machines"] == pytest.approx(table.device)


def test_beyond_what_one_box_can_do_another_is_counted_and_said() -> None:
    declared = prices()
    box = put(workload(), "box", declared)

    # Half a second a call, half of the time: 86,400 calls a day.
    at = cost.total(box, declared, Demand(calls_a_day=86_400, months=12))
    above = cost.total(box, declared, Demand(calls_a_day=86_401, months=12))

    assert isinstance(at, Total)
    assert isinstance(above, Total)
    assert (at.machines, above.machines) == (1, 2)
    assert at.utilisation == pytest.approx(0.5)
    assert any("cannot meet the volume: it answers 86,400 calls a day" in n for n in above.notes)
    assert not any("cannot meet" in note for note in at.notes)


def test_a_box_is_bought_again_when_it_is_worn_out() -> None:
    declared = prices()
    box = put(workload(), "box", declared)

    bought = [
        parts(cost.total(box, declared, Demand(calls_a_day=1, months=months)))["machines"]
        for months in (1, 60, 61, 121)
    ]

    assert bought == [100, 100, 200, 300]


def test_a_reading_of_the_machine_goes_before_its_model() -> None:
    declared = prices()
    reading = EnergyReading(
        meter="plug", tier=1, gross_j=3.0, idle_watts=1.0, covers=("board",), scope="board"
    )

    found = cost.per_call(put(workload(reading=reading), "box", declared), declared)

    assert parts(found)["electricity"] == pytest.approx(3.5e-7)
    assert isinstance(found, CostOfCall)
    assert not found.modelled


def test_electricity_that_is_not_known_is_left_out_and_said() -> None:
    declared = prices(
        ('idle_w = { value = 2, source = "test", date = "2026" }\n', ""),
        ('busy_w = { value = 10, source = "test", date = "2026" }\n', ""),
    )
    box = put(workload(), "box", declared)

    found, call = cost.total(box, declared, DEMAND), cost.per_call(box, declared)

    assert "electricity" not in parts(found)
    assert isinstance(found, Total)
    assert found.no_electricity == "no meter was read and the power of a box is not stated"
    assert f"without electricity: {found.no_electricity}" in found.notes
    assert isinstance(call, CostOfCall)
    assert call.no_electricity == found.no_electricity
    # A place that leaves something out is not cheaper for that.
    best = cost.cheapest(workload(), declared, DEMAND)
    assert not isinstance(best, Absent)
    assert best.deployed.deployment.id == "rented"


def test_a_box_that_is_slower_than_the_machine_measured_takes_its_time() -> None:
    slow = 'slowdown = { value = 3, assumed = true, reason = "guess" }\nlife_years'
    declared = prices(("life_years", slow))
    reading = EnergyReading(meter="plug", tier=1, gross_j=3.0, covers=("board",))

    found = cost.total(put(workload(reading=reading), "box", declared), declared, DEMAND)

    assert isinstance(found, Total)
    assert found.answer_s == pytest.approx(1.5)
    # Joules of another machine are not this one's.
    assert found.modelled
    assert any("3 times what was measured" in note for note in found.notes)


def test_on_the_board_that_was_measured_nothing_is_assumed_of_its_speed() -> None:
    declared = cost.load_prices()
    pi = next(board for board in boards() if board.id == "raspberry-pi-5b").models[0]
    reading = EnergyReading(meter="pmic", tier=2, gross_j=0.2, idle_watts=2.5, covers=("board",))
    measured = workload(board=f"{pi} 1.0", reading=reading)

    found = cost.total(put(measured, "own-board", declared), declared, DEMAND)

    assert isinstance(found, Total)
    assert (found.answer_s, found.modelled) == (0.5, False)
    assert found.notes == ("electricity: tier 2, by pmic",)


def test_a_model_that_does_not_fit_or_does_not_belong_is_refused_with_the_reason() -> None:
    declared = prices()
    large = workload(memory_bytes=2_000_000_000)

    assert cost.total(put(large, "box", declared), declared, DEMAND) == Absent(
        reason="tiny@int8 needs 2 GB, a box has 1 GB for it"
    )
    assert cost.per_call(put(workload(), "api", declared), declared) == Absent(
        reason="a service is for generalist, not for a specialist"
    )


def test_a_model_is_put_where_it_costs_least() -> None:
    declared = prices()

    few = cost.cheapest(generalist(), declared, Demand(calls_a_day=1, months=12))
    many = cost.cheapest(generalist(), declared, Demand(calls_a_day=1e6, months=12))

    assert not isinstance(few, Absent)
    assert not isinstance(many, Absent)
    assert (few.deployed.deployment.id, many.deployed.deployment.id) == ("api", "box")
    order = [one.total.amount for one in cost.everywhere(generalist(), declared, DEMAND)]
    assert order == sorted(order)
    assert len(order) == 3


def test_a_service_that_sells_another_model_is_no_place_for_this_one() -> None:
    declared, other = prices(), generalist(cell=cell(model="unlike"))

    places = {one.deployed.deployment.id for one in cost.everywhere(other, declared, DEMAND)}

    assert "api" not in places
    assert "api" in {
        one.deployed.deployment.id for one in cost.everywhere(generalist(), declared, DEMAND)
    }


def test_a_price_in_another_currency_is_converted_at_the_stated_rate() -> None:
    rate = 'rates = [{ base = "EUR", quote = "USD", value = 1.25, source = "t", date = "2026" }]'
    turned = rate.replace('base = "EUR", quote = "USD"', 'base = "USD", quote = "EUR"')
    dollars = ('value = 100, currency = "EUR"', 'value = 100, currency = "USD"')

    for text, expected in ((rate, 80), (turned, 125)):
        declared = prices(("rates = []", text), dollars)
        found = cost.total(put(workload(), "box", declared), declared, DEMAND)
        assert parts(found)["machines"] == pytest.approx(expected)


def test_a_record_says_its_median_its_labels_and_its_share_of_correct_answers() -> None:
    made = record(
        measurements=(latency(tuple(range(1_000_000, 12_000_000, 1_000_000))),),
        artifact=ArtifactRef(
            sha256="a", size_bytes=1, recipe_sha256="b", parameters=1, labelled_items=500
        ),
        prompt=PromptChoice(
            paraphrase=0,
            normalisation="sum",
            calibration="none",
            shots=4,
            accuracy=0.5,
            n=16,
            candidates=(),
            prefix="",
            suffix="",
            max_chars=10,
        ),
        loads=(
            GenerateResult(
                max_new_tokens=2,
                generations=tuple(
                    Generation(item="i", prompt_tokens=n, cached_tokens=0, token_ns=(1, 2))
                    for n in (100, 200)
                ),
            ),
        ),
    )

    found = cost.workload(made, host())

    assert not isinstance(found, Absent)
    assert (found.seconds, found.labelled, found.input_tokens) == (0.006, 520, 150)
    assert (found.correct, found.processor) == (None, "Testium 9000")
    assert found.no_correct == "accuracy does not say which share of answers is correct"


def test_a_record_without_a_valid_median_says_why() -> None:
    few = cost.workload(record(measurements=(latency((1, 2)),)))
    none = cost.workload(record())
    failed = cost.workload(record(outcome="failed", reason="it broke"))

    assert not isinstance(few, Absent)
    assert not isinstance(none, Absent)
    assert few.no_seconds == "p50 needs 8 samples, there are 2"
    assert none.no_seconds == "no latency was measured"
    assert failed == Absent(reason="failed: it broke")


def test_the_best_reading_is_the_best_tier_that_counts_the_processor() -> None:
    gpu = EnergyReading(meter="gpu", tier=1, gross_j=1.0, covers=("gpu",))
    silent = EnergyReading(meter="off", tier=1, absent="no sensor", covers=("board",))
    sensor = EnergyReading(meter="sensor", tier=2, gross_j=2.0, covers=("cpu",))
    model = EnergyReading(meter="model", tier=3, gross_j=3.0, covers=("board",))

    assert cost.best_reading((gpu, silent, model, sensor)) == sensor
    assert cost.best_reading((gpu, silent)) is None


def test_joules_of_an_invalid_window_are_not_used() -> None:
    sensor = EnergyReading(meter="sensor", tier=2, gross_j=2.0, covers=("cpu",))
    window = Evidence(window="energy", seconds=1, readings=1, broken=("throttled",))

    valid = cost.workload(record(energy=(sensor,)))
    broken = cost.workload(record(energy=(sensor,), evidence=(window,), outcome="invalid"))

    assert not isinstance(valid, Absent)
    assert not isinstance(broken, Absent)
    assert (valid.reading, broken.reading) == (sensor, None)


def test_no_share_of_correct_answers_gives_no_price_of_a_correct_answer() -> None:
    declared = prices()
    unknown = workload(correct=None, no_correct="recall does not say")

    found = cost.total(put(unknown, "box", declared), declared, DEMAND)

    assert isinstance(found, Total)
    assert found.per_1000_correct is None
    assert found.per_1000 > 0
    assert amount(cost.total(put(replace(unknown, correct=1.0), "box", declared), declared, DEMAND))


def test_what_a_model_needs_includes_what_loading_took() -> None:
    sizes = (("memory_after_load", 900), ("memory_peak", 300))
    weighed = tuple(
        Measurement(quantity=name, unit="B", values=(size,), method="counter", scope="process")
        for name, size in sizes
    )

    found = cost.workload(record(measurements=weighed))

    assert isinstance(found, cost.Workload)
    assert found.memory_bytes == 900
