"""What energy comes to: a correct answer, carbon, cost; in figures, in CSV and in JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import cast

import pytest
from msgspec import structs
from tests.unit.builders import header, record

from steelyard.api import Score
from steelyard.energy import Absent
from steelyard.energy.price import YEAR_S
from steelyard.record import SCHEMA, EnergyReading, Host, Record, RunFile
from steelyard.references import Price, usual_use
from steelyard.report import formats, joules
from steelyard.report.joules import Bill, Carbon, Money, Share, bill
from steelyard.report.rows import TaskTable, billed, tables

ACCURACY = Score(metric="accuracy", value=0.75, n=4)
KETTLE = EnergyReading(
    meter="rapl",
    tier=2,
    method="counter",
    scope="package",
    covers=("cpu",),
    gross_j=3.6,
    gross_u_j=0.36,
    seconds_a_call=2.0,
    calls=10,
    windows=1,
    updates=60,
)
GERMANY = joules.place("DEU")
PRICE = Price(amount=100.0, currency="EUR", year=2025, source="a shop")


def approx(value: float) -> float:
    return cast("float", pytest.approx(value))


def come_to(*readings: EnergyReading, price: Price | None = PRICE, region: str = "DEU") -> Bill:
    return bill(readings, ACCURACY, joules.place(region), price)


def table(*records: Record, region: str | None = "DEU", host: Host | None = None) -> TaskTable:
    head = header()
    run = RunFile(
        schema=SCHEMA,
        tool_version=head.tool_version,
        run=head.run,
        suite=head.suite,
        device="cpu-1t",
        started=head.started,
        host=host or head.host,
        records=records,
    )
    (made,) = tables([run])
    return billed(made, joules.place(region))


def test_a_correct_answer_takes_what_all_answers_took() -> None:
    # 4 calls of 3.6 J for 3 correct answers.
    assert come_to(KETTLE).correct == Share(joules=approx(4.8), expanded_j=approx(0.48))


def test_carbon_is_energy_times_the_grid_named() -> None:
    carbon = come_to(KETTLE).carbon

    # 3.6 J are a millionth of a kWh.
    assert GERMANY.grid is not None
    assert isinstance(carbon, Carbon)
    assert carbon.call_kg == pytest.approx(GERMANY.grid.g_per_kwh * 1e-9)
    assert carbon.correct_kg == pytest.approx(carbon.call_kg * 4 / 3)
    assert (carbon.region, carbon.year) == ("DEU", GERMANY.grid.year)


def test_cost_is_electricity_and_the_devices_share_of_its_life() -> None:
    money = come_to(KETTLE).money

    use = usual_use()
    share = 100.0 * 2.0 / (use.life_years * YEAR_S * use.share)
    assert isinstance(money, Money)
    assert money.electricity == pytest.approx(0.3943e-6)
    assert money.device == pytest.approx(share)
    assert money.call == pytest.approx(0.3943e-6 + share)
    assert money.correct == pytest.approx((0.3943e-6 + share) * 4 / 3)
    assert (money.currency, money.no_total) == ("EUR", None)


@pytest.mark.parametrize(
    ("price", "said"),
    [(None, "price is not known"), (structs.replace(PRICE, currency="USD"), "device in USD")],
)
def test_without_the_devices_price_in_that_currency_there_is_electricity_alone(
    price: Price | None, said: str
) -> None:
    money = come_to(KETTLE, price=price).money

    assert isinstance(money, Money)
    assert money.electricity == pytest.approx(0.3943e-6)
    assert (money.device, money.call, money.correct) == (None, None, None)
    assert said in (money.no_total or "")


def test_a_call_of_unknown_length_costs_electricity_alone() -> None:
    money = come_to(structs.replace(KETTLE, seconds_a_call=None)).money

    assert isinstance(money, Money)
    assert money.device is None
    assert "how long a call took" in (money.no_total or "")


def test_a_grid_without_a_tariff_has_carbon_and_no_cost() -> None:
    found = come_to(KETTLE, region="WORLD")

    assert isinstance(found.carbon, Carbon)
    assert found.money == Absent(reason="no tariff is known for WORLD")


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        (None, "there is no score"),
        (Score(metric="macro_f1", value=0.7, n=10), "macro_f1 is no share of correct answers"),
        (Score(metric="accuracy", value=0.0, n=10), "none of 10 answers was correct"),
    ],
)
def test_what_has_no_share_of_correct_answers_has_nothing_per_answer(
    score: Score | None, reason: str
) -> None:
    found = bill((KETTLE,), score, GERMANY, PRICE)

    assert found.correct == Absent(reason=reason)
    assert isinstance(found.carbon, Carbon)
    assert isinstance(found.money, Money)
    assert (found.carbon.correct_kg, found.money.correct) == (None, None)


def test_the_host_is_counted_beside_the_graphics_card() -> None:
    card = structs.replace(KETTLE, meter="nvml", covers=("gpu",), gross_j=4.0, gross_u_j=0.48)

    # sqrt(0.36^2 + 0.48^2) = 0.6
    assert come_to(KETTLE, card).with_gpu == Share(joules=approx(7.6), expanded_j=approx(0.6))
    assert come_to(KETTLE).with_gpu is None
    board = structs.replace(KETTLE, meter="external", covers=("board",))
    assert come_to(board, card).with_gpu is None  # which counts the card already


def test_csv_has_carbon_and_cost_with_their_region_and_currency() -> None:
    board = structs.replace(header().host, board="Raspberry Pi 5 Model B Rev 1.0")
    made = table(record(energy=(KETTLE,), scores=(ACCURACY,)), host=board)

    (row,) = csv.DictReader(io.StringIO(formats.csv_text([made])))

    assert GERMANY.grid is not None
    assert float(row["carbon_kg"]) == pytest.approx(GERMANY.grid.g_per_kwh * 1e-9)
    assert (row["carbon_region"], row["carbon_missing"]) == ("DEU", "")
    assert float(row["cost_electricity"]) == pytest.approx(0.3943e-6)
    assert row["cost_tariff"].startswith("DEU 2024")
    assert row["cost_currency"] == "EUR"
    assert float(row["energy_per_correct_j"]) == pytest.approx(4.8)


def test_json_has_the_same_figures_as_the_csv() -> None:
    made = table(record(energy=(KETTLE,), scores=(ACCURACY,)))

    (row,) = json.loads(formats.json_text([made]))["tasks"][0]["rows"]

    flat = formats.flat(made.rows[0])
    assert row["bill"]["carbon"]["call_kg"] == flat["carbon_kg"]
    assert row["bill"]["correct"]["joules"] == flat["energy_per_correct_j"]
    assert row["bill"]["money"]["electricity"] == flat["cost_electricity"]
    assert row["bill"]["money"]["no_total"] == flat["cost_missing"]


def test_without_a_region_or_without_energy_both_forms_say_why() -> None:
    nowhere = formats.flat(table(record(energy=(KETTLE,)), region=None).rows[0])
    unmetered = table(record(no_energy=("rapl: no RAPL here",)))

    assert (nowhere["carbon_kg"], nowhere["cost"]) == (None, None)
    assert nowhere["carbon_missing"] == "no region was named (--region)"
    assert nowhere["cost_missing"] == "no region was named (--region)"
    flat = formats.flat(unmetered.rows[0])
    assert flat["energy_per_correct_missing"] == "no meter has a figure"
    assert flat["carbon_missing"] == "no meter has a figure"
    (row,) = json.loads(formats.json_text([unmetered]))["tasks"][0]["rows"]
    assert row["bill"]["carbon"] == {"reason": "no meter has a figure"}
