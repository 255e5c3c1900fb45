"""A history as text, Markdown, JSON and a page of its own."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit import historic
from tests.unit.historic import CELL, kept
from tests.unit.paging import HOSTILE, Reader

from steelyard.cli.history import command
from steelyard.history import html, markdown, text
from steelyard.history.series import history
from steelyard.history.types import Address, History
from steelyard.report.html.types import Plot

STEPPED = historic.series(historic.stepped(30, 20, 1.12))


def made() -> History:
    return history(STEPPED, Address(cell=CELL))


def hostile() -> History:
    runs = [
        kept(n, latency, backend=HOSTILE[n % len(HOSTILE)])
        for n, latency in enumerate(historic.stepped())
    ]
    renamed = [
        type(one)(run=HOSTILE[n % 8] + str(n), host=one.host, record=one.record, commit=HOSTILE[1])
        for n, one in enumerate(runs)
    ]
    return history(renamed, Address(cell=HOSTILE[0]))


def no_drawing(plot: Plot) -> str:
    return "<svg></svg>"


def test_blocks_go_from_the_least_to_the_most() -> None:
    assert text.spark([1.0, 2.0, None, 8.0]) == "▁▂·█"
    assert text.spark([3.0, 3.0]) == "▅▅"
    assert len(text.spark([1.0] * 1000)) == text.WIDTH


def test_a_mark_stands_below_the_column_that_holds_its_run() -> None:
    values: list[float] = [1.0] * 700 + [2.0] * 300

    column = text.spark(values).index("█")

    assert text.under(1000, [700]).index("^") in (column - 1, column)
    assert text.under(4, [2]) == "  ^"


def test_the_text_says_the_change_and_fits_a_pipe() -> None:
    lines = "\n".join(text.told(made())).splitlines()
    told = " ".join(" ".join(lines).split())

    assert max(map(len, lines)) <= 100
    assert "latency p50 +12.0 % (worse): 1 ms -> 1.12 ms since 2026-01-21" in told
    assert "after commit 0013eeeeeeee, up to 0014eeeeeeee" in told
    assert "run run-020" in told
    assert "10 earlier runs are not shown" in told
    assert "\x1b" not in told


def test_few_runs_are_said_to_be_few() -> None:
    told = "\n".join(text.told(history(STEPPED[:4], Address(cell=CELL))))

    assert "4 of the 6 runs that a change point needs" in told


def test_markdown_has_all_runs_and_no_foreign_markup() -> None:
    assert markdown.document(made()).count("| 2026-") == 30
    escaped = markdown.document(hostile())
    assert "<script" not in escaped
    assert "<img" not in escaped


def test_json_is_the_history(tmp_path: Path) -> None:
    folder = historic.write(tmp_path / "runs", STEPPED)
    arguments = [CELL, str(folder), "-f", "json"]

    told = json.loads(CliRunner().invoke(command, arguments, catch_exceptions=False).stdout)

    assert told["schema"] == 1
    assert told["cell"] == CELL
    assert [one["quantity"] for one in told["series"]] == ["latency", "score", "memory", "size"]
    assert [one["index"] for one in told["series"][0]["changes"]] == [20]


def test_one_quantity_can_be_asked_for(tmp_path: Path) -> None:
    folder = historic.write(tmp_path / "runs", STEPPED)
    target = tmp_path / "out.md"
    arguments = [CELL, str(folder), "--quantity", "size", "-f", "markdown", "-o", str(target)]

    done = CliRunner().invoke(command, arguments, catch_exceptions=False)

    assert f"written: {target}" in done.stderr
    assert "**size**" in target.read_text()
    assert "latency" not in target.read_text().splitlines()[6]


def test_the_page_loads_nothing_and_foreign_names_stay_text() -> None:
    pytest.importorskip("jinja2", reason="the extra `report` is not installed")
    usual, other = (html.html(one, no_drawing) for one in (made(), hostile()))

    for page in (usual, other):
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
        script = page[page.rindex("<script>") + 8 : page.rindex("</script>")]
        digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in policy
        assert policy.startswith("default-src 'none'")
        assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
    tags = [{tag for tag, _ in Reader(page).elements} for page in (usual, other)]
    assert tags[1] <= tags[0]
    assert HOSTILE[0] in "".join(Reader(other).texts)


def test_the_page_draws_levels_and_changes() -> None:
    drawn = html.plot(made().series[0], made())

    assert [point.name for point in drawn.points] == ["+12.0 %", ""]
    assert [line.role for line in drawn.lines] == ["front", "specialist", "specialist"]
    assert drawn.lines[1].x == (1.0, 21.0)
