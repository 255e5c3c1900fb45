from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console
from tests.unit.builders import host, record
from tests.unit.costing import generalist, prices, workload

from steelyard import cost
from steelyard.cli.cost import command
from steelyard.cost import CostReport, Demand, Found, Workload
from steelyard.energy import Absent
from steelyard.errors import PricesError, StoreError
from steelyard.record import SCHEMA, RunFile
from steelyard.record_file import encode
from steelyard.report import cheapest, costs, table
from steelyard.report.money import money

DEMAND = Demand(calls_a_day=10_000, months=12)


def found(work: Workload | Absent, name: str = "tiny@int8", role: str = "specialist") -> Found:
    return Found(task="spam", name=name, device="cpu-1t", role=role, work=work)


def made(where: str | None = None) -> CostReport:
    several = [
        found(workload()),
        found(generalist(correct=0.4), "huge@int8", "generalist"),
        found(Absent(reason="failed: it broke"), "broken@fp32"),
    ]
    return cost.report(several, prices(), DEMAND, where)


def printed(report: CostReport, width: int, *, terminal: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, no_color=True)
    table.show_sheet(costs.sheet(report), console)
    table.show_lines(costs.closing_lines([report]), console)
    return out.getvalue()


def test_a_row_says_what_a_model_costs_and_where() -> None:
    lines = printed(made(), 200).splitlines()

    assert lines[0] == "spam: 10,000 calls a day for 12 months, in EUR"
    assert lines[1].startswith("At 10,000 calls a day for 12 months the cheapest in total is huge@")
    row = next(line for line in lines if line.startswith("specialist  tiny@int8"))
    assert row.split()[2:] == [
        "(cpu-1t)", "box", "1", "500", "ms", "80.0", "%", "of", "100",
        "~1,268", "~0.347", "~0.434", "~0.00123", "8.5", "%",
    ]  # fmt: skip
    broken = next(line for line in lines if "broken@fp32" in line)
    assert "none: failed: it broke" in broken


def test_the_first_sentence_is_of_whichever_side_is_the_cheapest() -> None:
    dear = prices(("set_up_hours = { value = 10,", "set_up_hours = { value = 40,"))
    asked = [found(workload()), found(generalist(), "huge@int8", "generalist")]

    large = cheapest.sentence(cost.report(asked, dear, Demand(calls_a_day=1000, months=12)))
    alone = cheapest.sentence(cost.report(asked[:1], dear, DEMAND))

    assert re.match(
        r"At 1,000 calls a day for 12 months the cheapest in total is huge@int8 \(~?[\d,]+ EUR\); "
        r"tiny@int8 costs ~2,\d{3} EUR and (is cheaper from [\d,]+|costs more in total at)",
        large,
    )
    assert " People's hours decide it, not computing (" in large
    assert "most of all engineering." in large
    assert alone.endswith("; no generalist has a cost here to set beside it.")


def test_where_the_small_side_is_cheapest_the_sentence_says_from_which_volume() -> None:
    free = prices(("set_up_hours = { value = 10,", "set_up_hours = { value = 0,"))
    asked = [found(workload()), found(generalist(), "huge@int8", "generalist")]

    said = cheapest.sentence(cost.report(asked, free, DEMAND))

    # Ten hours of set-up less, at 50 EUR.
    assert "is tiny@int8 (~768 EUR); huge@int8 costs ~908 EUR, and tiny@int8 is cheaper " in said


def test_below_stands_who_breaks_even_where_and_what_matters_most() -> None:
    text = " ".join(printed(made(), 200).split())

    # Dear labels make the ratio least, 1.254; the large one's set-up makes it most, 1.749.
    assert (
        "tiny@int8 (box) against huge@int8 (box): costs more in total at every volume up to "
        "8,640,000 calls a day; at 10,000 a day a correct answer of the large one costs 1.43 times "
        "as much (1.25 to 1.75), 2 times as much to run; matters most: "
    ) in text
    assert (
        "engineering.generalist.set_up_hours (assumed, 2 to 8: 1.27 to 1.75 times), "
        "labelling.minutes_a_label (0.5 to 4: "
    ) in text


def test_assumptions_are_listed_apart_from_sources() -> None:
    text = " ".join(printed(made(), 200).split())

    assert "assumed, not known: engineering.generalist.set_up_hours = 4 (2 to 8): a guess" in text
    assert "from a source: labelling.wage_an_hour = 30 EUR: test, 2026" in text
    # Nobody was put where these matter.
    assert "tokens." not in text
    assert "network." not in text


def test_all_places_can_be_seen_side_by_side() -> None:
    everywhere = made("all")

    assert [(row.name, row.deployment) for row in everywhere.rows] == [
        ("tiny@int8", "box"),
        ("tiny@int8", "rented"),
        ("huge@int8", "box"),
        ("huge@int8", "rented"),
        ("huge@int8", "api"),
        ("broken@fp32", None),
    ]
    # Against each other they are set where each costs least.
    assert len(everywhere.versus) == 1
    assert everywhere.versus[0].small.deployed.deployment.id == "box"


def test_a_place_that_refuses_a_model_says_why() -> None:
    rows = made("api").rows

    assert rows[0].absent == "a service is for generalist, not for a specialist"
    assert rows[1].deployment == "api"


def test_a_narrow_terminal_gets_paragraphs() -> None:
    text = printed(made(), 60, terminal=True)

    assert "tiny@int8 (cpu-1t) (specialist)" in text


def test_markdown_keeps_hostile_names_as_text() -> None:
    hostile = found(workload(), "<script>|[x](y)")

    text = costs.markdown_text([cost.report([hostile], prices(), DEMAND)])

    assert "<script" not in text
    assert "[x](y)" not in text
    assert "| per 1,000 correct |" in text


def test_json_has_the_curves_and_the_origin_of_every_figure() -> None:
    document = json.loads(costs.json_text([made()]))

    task = document["tasks"][0]
    assert document["schema"] == 1
    assert task["currency"] == "EUR"
    assert task["rows"][0]["per_1000_correct"] == pytest.approx(1267.77252 / 3652.5 / 0.8)
    assert task["curves"][0]["y"][-1] == pytest.approx(1267.77252)
    assert all(one["origin"] for one in task["stated"])


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0"),
        (7029.4, "7,029"),
        (99.96, "100"),
        (1.2834, "1.28"),
        (3.08e-6, "0.00000308"),
        (1e9, "1,000,000,000"),
        (0.0175, "0.0175"),
    ],
)
def test_money_has_three_digits_and_no_exponent(amount: float, text: str) -> None:
    assert money(amount) == text


def test_the_shipped_prices_are_written_for_editing_and_never_over_a_file(tmp_path: Path) -> None:
    mine = tmp_path / "prices.toml"

    done = CliRunner().invoke(command, ["--write-prices", str(mine)])

    assert done.exit_code == 0
    assert mine.read_text() == cost.shipped_text()
    assert cost.load_prices(mine) == cost.load_prices()
    again = CliRunner().invoke(command, ["--write-prices", str(mine)])
    assert isinstance(again.exception, PricesError)
    assert "is there already" in str(again.exception)


def test_a_bad_volume_or_place_is_refused_before_anything_is_read() -> None:
    for options in (["--volume", "5000"], ["--horizon", "0"], ["--deployment", "moon"]):
        refused = CliRunner().invoke(command, options)
        assert isinstance(refused.exception, PricesError)


def test_runs_of_which_nothing_has_a_cost_end_with_that(tmp_path: Path) -> None:
    run = RunFile(
        schema=SCHEMA,
        tool_version="0.1.0",
        run="r",
        suite="toy",
        device="cpu-1t",
        started="2026-11-22T12:00:00+00:00",
        host=host(),
        records=(record(outcome="failed", reason="it broke"),),
    )
    (tmp_path / "cpu-1t.json").write_bytes(encode(run))

    refused = CliRunner().invoke(command, [str(tmp_path)])

    assert isinstance(refused.exception, StoreError)
    assert refused.exception.exit_code == 3
    assert "failed: it broke" in refused.output
