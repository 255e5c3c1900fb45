"""The HTML report: one file that asks for nothing, in which foreign names stay text."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from functools import cache
from itertools import pairwise

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from tests.unit.paging import (
    HOSTILE,
    Reader,
    findings,
    hostile_run,
    no_drawing,
    usual_run,
    watched,
)

from steelyard.cli.report import command
from steelyard.errors import Refusal
from steelyard.record import RunFile
from steelyard.report.html import document, libraries, page
from steelyard.report.html.view import Page

pytest.importorskip("jinja2", reason="the extra `report` is not installed")


@cache
def made(run: str = "usual") -> str:
    return page.html(findings(usual_run() if run == "usual" else hostile_run()), no_drawing)


def shown(*runs: RunFile) -> Page:
    return document.page(findings(*runs), no_drawing)


def test_no_foreign_name_makes_an_element_or_an_attribute() -> None:
    usual, hostile = Reader(made()), Reader(made("hostile"))

    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in usual.elements}
    names = {name for _, attributes in hostile.elements for name in attributes}
    assert names <= {name for _, attributes in usual.elements for name in attributes}
    assert not [name for name in names if name.startswith("on")]


def test_foreign_names_are_shown_as_they_are_written() -> None:
    text = "".join(Reader(made("hostile")).texts)

    assert HOSTILE[0] in text
    assert HOSTILE[1] in text
    assert HOSTILE[4] in text


def test_the_title_is_answered_in_one_sentence_from_the_verdicts() -> None:
    text = "".join(Reader(made()).texts)

    assert (
        "The small side wins on 3 of 3 tasks here, the large on 0, 0 are undecided; "
        "the large side has at most 1 B parameters." in text
    )
    assert document.answer(()) == "No verdicts were made."


def test_a_task_without_a_generalist_that_answered_is_not_counted_as_undecided() -> None:
    first, second, third = findings(usual_run()).tables
    assert third.verdict
    rows = tuple(row for row in third.rows if row.role != "generalist")
    alone = replace(third, rows=rows, verdict=replace(third.verdict, pairs=(), by=None))

    assert document.answer((first, second, alone)).startswith(
        "The small side wins on 2 of 2 tasks here, the large on 0, 0 are undecided; "
        "on 1 more no generalist answered; "
    )


def test_of_many_models_the_sizes_are_told_and_of_one_that_refused_nothing() -> None:
    usual = findings(usual_run())
    table = usual.tables[0]
    (tiny,) = (row for row in table.rows if row.role == "specialist")
    more = tuple(
        replace(tiny, cell=replace(tiny.cell, model=f"tiny-{n}"), parameters=n * 1000)
        for n in range(1, 8)
    )
    refused = replace(tiny, role="generalist", score=None)
    many = replace(usual, tables=(replace(table, rows=(*table.rows, *more, refused)),))

    told = next(document.subject(many))

    assert "8 specialists (1 k to 1 M parameters) against 1 generalist (huge, " in told


def test_shown_figures_have_minus_signs_and_claims_no_backticks() -> None:
    usual = findings(usual_run())
    turned = replace(
        usual,
        ledger=replace(
            usual.ledger,
            claims=tuple(
                replace(one, reason="-6 to 19 points [-1.5,-0.5] since 2026-11-22; use `items = 4`")
                for one in usual.ledger.claims
            ),
        )
        if usual.ledger
        else None,
    )

    text = "".join(Reader(page.html(turned, no_drawing)).texts)

    assert "\u22126 to 19 points [\u22121.5,\u22120.5] since 2026-11-22; use 'items = 4'" in text
    assert "`items" not in text


def test_controls_and_direction_overrides_are_made_visible() -> None:
    text = made("hostile")

    assert "\\u202egnp.exe\\u2066" in text
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x00\x1b\r]", text)


def test_there_is_one_script_and_one_style_and_the_policy_names_both_by_hash() -> None:
    reader = Reader(made("hostile"))
    policy = next(
        meta["content"] for meta in reader.all("meta") if meta.get("http-equiv") is not None
    )

    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        assert len(reader.all(tag)) == 1
        text = "".join(reader.inside[tag])
        digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_the_page_refers_to_nothing_but_itself() -> None:
    reader = Reader(made("hostile"))
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    addresses = [
        value
        for _, attributes in reader.elements
        for name, value in attributes.items()
        if name in {"href", "src", "srcset", "action", "data", "poster"}
    ]

    assert addresses
    assert all(address.startswith("#") and address[1:] in ids for address in addresses)
    assert len(ids) == len(set(ids))
    assert not [1 for _, attributes in reader.elements if "style" in attributes]


def test_labels_point_at_what_is_there() -> None:
    reader = Reader(made())
    ids = {attributes["id"] for _, attributes in reader.elements if "id" in attributes}
    named = [a["aria-labelledby"] for _, a in reader.elements if "aria-labelledby" in a]

    assert named
    assert set(named) <= ids


def test_every_table_has_a_caption_and_headings_skip_no_level() -> None:
    reader = Reader(made())
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch(r"h[1-6]", tag)]

    assert len(reader.all("caption")) == len(reader.all("table"))
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_same_findings_make_the_same_bytes() -> None:
    assert page.html(findings(usual_run()), no_drawing) == made()


def test_the_ledger_comes_first_then_verdicts_tables_devices_method_and_provenance() -> None:
    ids = [
        attributes["id"]
        for tag, attributes in Reader(made()).elements
        if tag == "h2" and attributes
    ]

    assert ids == [
        "claims",
        "verdicts",
        "task-1",
        "task-2",
        "task-3",
        "devices",
        "method",
        "provenance",
    ]


def test_standings_without_a_claim_are_named_too() -> None:
    groups = shown(usual_run()).groups

    assert [group.standing for group in groups] == [
        "supported",
        "refuted",
        "undecided",
        "not tested",
    ]
    assert sum(len(group.claims) for group in groups) == 8


def test_what_was_not_done_is_grouped_by_its_first_words() -> None:
    grouped = document.grouped(("not tested: a: b", "not done: c", "not tested: d", "e"))

    assert grouped == (("not tested", ("a: b", "d")), ("not done", ("c", "e")))


def test_the_subject_names_both_sides_the_machine_and_the_day() -> None:
    assert list(document.subject(findings(usual_run()))) == [
        "3 tasks: 1 specialist (tiny, 1 M parameters) against 1 generalist (huge, 1 B parameters).",
        "Measured on Testium 9000 (virtual: kvm), 2026-11-22.",
    ]


def test_a_report_of_nothing_says_so() -> None:
    text = page.html(findings(), no_drawing)

    assert "0 tasks: 0 specialists (none) against 0 generalists (none)." in text
    assert "No verdicts were made." in text


def test_none_is_never_printed() -> None:
    broken = replace(shown(usual_run()), version=None)

    with pytest.raises(TypeError, match="say in words"):
        page.render(broken)


def test_a_device_that_nobody_watched_is_said_to_be_unwatched() -> None:
    (device,) = shown(usual_run()).devices

    assert "did not watch the machine" in device.evidence[0]


def test_what_the_watch_saw_is_summed_up_and_broken_windows_are_named() -> None:
    run = usual_run()
    seen = (
        watched(foreign_load=0.02, lowest_clock_hz=2_000_000_000, highest_clock_hz=2_400_000_000),
        watched(foreign_load=0.9, broken=("others used 0.9 cores",), untold=("temperature",)),
    )
    first = replace(run.records[0], evidence=seen, warnings=("hot",))
    (device,) = shown(replace(run, records=(first,))).devices

    assert device.evidence == (
        "2 windows were watched, 20 readings in all; 1 broke a rule and count for nothing.",
        "clock of the fastest core: 2 to 2.4 GHz",
        "processor time of others: 0.02 to 0.9 cores",
        "latency: others used 0.9 cores",
        "this machine does not tell: temperature",
    )
    assert device.warnings == ("one/tiny@int8/cpu-1t: hot",)


def test_two_machines_of_one_name_get_a_section_each() -> None:
    run = usual_run()
    other = replace(run, host=replace(run.host, cpu="Otherium"))

    assert len(shown(run, run, other).devices) == 2


def test_provenance_has_the_beginning_of_every_hash_and_says_what_is_not_recorded() -> None:
    (run,) = shown(usual_run()).runs

    assert dict(run.facts)["commit"] == "not recorded"
    assert dict(run.facts)["records"] == "6: 6 ok"
    assert run.hashes[0] == (
        "one/tiny@int8/cpu-1t",
        "ok",
        "a" * 16,
        "-",
        "b" * 16,
        "e" * 16,
        "d" * 16,
        "90",
    )


def test_cells_are_sorted_by_what_they_are_and_not_by_how_they_read() -> None:
    task = shown(usual_run()).tasks[0]
    by_title = [{entry.title: entry for entry in line.entries} for line in task.grid.lines]
    tiny, huge = by_title

    assert tiny["accuracy"].value == "0.9"
    assert float(tiny["p50"].value) < float(huge["p50"].value)
    assert tiny["memory"].value == "100000000"
    assert tiny["p50"].lines == ("10.0 ms", "[10.0,10.0]")
    assert tiny["model"].value == "tiny@int8"


def test_what_is_absent_has_no_value_to_be_sorted_by() -> None:
    run = usual_run()
    bare = replace(run.records[0], measurements=())
    (line,) = shown(replace(run, records=(bare,))).tasks[0].grid.lines

    assert {e.title: e.value for e in line.entries if e.title in {"p50", "p99", "memory"}} == {
        "p50": "",
        "p99": "",
        "memory": "",
    }


def test_a_missing_library_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "find_spec", lambda _: None)

    with pytest.raises(Refusal, match=r"needs jinja2, .* try: pip install 'steelyard\[report\]'"):
        libraries.require()


def test_a_page_is_not_thrown_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steelyard.cli.report._at_a_terminal", lambda: True)
    monkeypatch.setattr(libraries, "require", lambda: None)

    result = CliRunner().invoke(command, ["-f", "html", "."])

    assert result.exit_code == 2
    assert "--format html goes with --output FILE" in result.output
