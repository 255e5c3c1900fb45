from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.costing import TEXT, changed, prices

from steelyard import cost
from steelyard.cost import Money
from steelyard.errors import PricesError

BAD = {
    "unknown field": ("[labelling]", "[labelling]\nhours = 1\n"),
    "Expected `float`, got `str`": ("value = 1, low = 0.5", 'value = "1", low = 0.5'),
    "Expected `float` >= 0.0": ("{ value = 30,", "{ value = -30,"),
    "needs `source` and `date`": (
        '{ value = 30, currency = "EUR", source = "test", ',
        '{ value = 30, currency = "EUR", ',
    ),
    "assumed without a reason": ('reason = "a guess", ', ""),
    "`low` and `high` go together": ("low = 0.5, high = 4", "low = 0.5"),
    "1 is not between low 2 and high 4": ("low = 0.5", "low = 2"),
    "Expected `float` >= 0.0 - at `$.labelling": ("{ value = 30,", "{ value = nan,"),
    "inf is not between": ("{ value = 30,", "{ value = inf,"),
    "deployments.box.price: in USD, but all is told in EUR": (
        'value = 100, currency = "EUR"',
        'value = 100, currency = "USD"',
    ),
    "matching regex": ('value = 100, currency = "EUR"', 'value = 100, currency = "euro"'),
    "missing required field `currency`": ('value = 100, currency = "EUR"', "value = 100"),
    "utilisation is a share": ("utilisation = { value = 0.5", "utilisation = { value = 1.5"),
    "life_years must be above 0": ("life_years = { value = 5", "life_years = { value = 0"),
    "two deployments of id 'box'": ('id = "rented"', 'id = "box"'),
    "Invalid value 'barter'": ('kind = "hour"', 'kind = "barter"'),
    "`idle_w` and `busy_w` go together": (
        'busy_w = { value = 10, source = "test", date = "2026" }\n',
        "",
    ),
    "needs a `price`, or a `board`": (
        'price = { value = 100, currency = "EUR", source = "test", date = "2026" }\n',
        "",
    ),
    "no board 'toaster'; known: raspberry-pi-3b": (
        "memory_bytes = 1_000_000_000",
        'board = "toaster"',
    ),
    "board 'raspberry-pi-3b' has no price": (
        'price = { value = 100, currency = "EUR", source = "test", date = "2026" }\n',
        'board = "raspberry-pi-3b"\n',
    ),
    "a rate of EUR to EUR": (
        "rates = []",
        'rates = [{ base = "EUR", quote = "EUR", value = 1, source = "t", date = "2026" }]',
    ),
    "a rate of EUR to USD must be above 0": (
        "rates = []",
        'rates = [{ base = "EUR", quote = "USD", value = 0, source = "t", date = "2026" }]',
    ),
    "Expected `int` >= 1": ("months = 12", "months = 0"),
    "slowdown must be above 0": (
        "life_years",
        'slowdown = { value = 0, assumed = true, reason = "r" }\nlife_years',
    ),
}


@pytest.mark.parametrize("expected", BAD)
def test_a_bad_file_of_prices_is_refused_in_one_line_that_names_it(expected: str) -> None:
    with pytest.raises(PricesError) as refused:
        cost.read_prices(changed(BAD[expected]), "mine.toml")

    text = str(refused.value)
    assert text.startswith("mine.toml: ")
    assert expected in text
    assert "\n" not in text


def test_broken_toml_and_missing_files_are_refused_in_one_line(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.toml", binary):
        with pytest.raises(PricesError, match="cannot be read"):
            cost.load_prices(path)
    huge = tmp_path / "huge.toml"
    huge.write_text("#" * 1_000_001)
    with pytest.raises(PricesError, match="larger than 1000000 bytes"):
        cost.load_prices(huge)
    with pytest.raises(PricesError, match=r"not\.toml: "):
        cost.read_prices("currency = ", "not.toml")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_as_prices(text: str) -> None:
    with pytest.raises(PricesError):
        cost.read_prices(text, "any.toml")


def test_the_shipped_prices_each_have_a_source_and_a_date_or_are_assumed() -> None:
    stated = cost.assumptions(cost.load_prices())

    assert len(stated) > 30
    for one in stated:
        assert one.assumed == one.origin.startswith("assumed: ")
        assert one.assumed or one.origin[-4:].isdigit() or one.origin[-2:].isdigit()
    assert {"labelling.wage_an_hour", "electricity_a_kwh"} <= {
        one.path for one in stated if not one.assumed
    }


def test_a_board_brings_its_power_as_a_range_and_its_price_where_none_is_stated() -> None:
    declared = prices(
        ('price = { value = 100, currency = "EUR", source = "test", date = "2026" }\n', ""),
        ("memory_bytes = 1_000_000_000", 'board = "raspberry-pi-5b"'),
        ('idle_w = { value = 2, source = "test", date = "2026" }\n', ""),
        ('busy_w = { value = 10, source = "test", date = "2026" }\n', ""),
        (
            "rates = []",
            'rates = [{ base = "EUR", quote = "USD", value = 1.25, source = "t", date = "2026" }]',
        ),
    )

    box = declared.deployment("box")

    assert isinstance(box, cost.OwnMachine)
    assert isinstance(box.price, Money)
    assert declared.amount(box.price) == pytest.approx(64)
    assert box.busy_w is not None
    assert (box.busy_w.low, box.busy_w.high) == (7.9, 13.8)
    assert box.busy_w.value == pytest.approx(10.85)
    assert box.busy_w.assumed


def test_the_same_file_says_the_same() -> None:
    assert cost.read_prices(TEXT, "a") == cost.read_prices(TEXT, "b")
    assert cost.load_prices() == cost.read_prices(cost.shipped_text(), "again")


@pytest.mark.parametrize(("text", "calls"), [("5000/day", 5000), ("0.5/day", 0.5), ("1/day", 1)])
def test_a_volume_is_a_number_a_day(text: str, calls: float) -> None:
    assert cost.demand(text, 36) == cost.Demand(calls_a_day=calls, months=36)


@pytest.mark.parametrize(
    "text",
    [
        "5000",
        "5000/hour",
        "-1/day",
        "0/day",
        "1e9999/day",
        "5 000/day",
        "5000 /day",
        "/day",
        "5_000/day",
        "5000/day\n",
        "\u0665/day",
        "nan/day",
        "9999999999/day",
        "",
        "1./day",
    ],
)
def test_anything_else_is_no_volume(text: str) -> None:
    with pytest.raises(PricesError, match="expected a number of calls"):
        cost.demand(text, 36)


@pytest.mark.parametrize("months", [0, -1, 241])
def test_a_horizon_is_one_to_240_months(months: int) -> None:
    with pytest.raises(PricesError, match="expected 1 to 240"):
        cost.demand("1/day", months)


@given(st.floats(min_value=0.001, max_value=1e9))
def test_every_volume_that_is_printed_plainly_is_read_again(calls: float) -> None:
    assert cost.demand(f"{calls:.6f}/day", 1).calls_a_day == pytest.approx(calls, abs=1e-6)


def test_no_deployment_of_that_name_tells_those_there_are() -> None:
    with pytest.raises(PricesError, match="no deployment 'moon'; known: box, rented, api"):
        prices().deployment("moon")
