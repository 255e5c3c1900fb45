"""Tables, Markdown, CSV and JSON from hand-made run files."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from steelyard import stats
from steelyard.api import Score
from steelyard.errors import UnknownNameError
from steelyard.record import (
    ArtifactRef,
    Cell,
    EnergyReading,
    Evidence,
    Host,
    Measurement,
    Prediction,
    PromptChoice,
    Record,
    RunFile,
    Sample,
    WarmUp,
)
from steelyard.report import formats, joules, markdown, readme, table, units
from steelyard.report.rows import TaskTable, billed, tables

HOSTILE = "a|b<script>[red]x[/red]`*_\x1b[31m\u202e\n# =1"


def record(model: str = "minilm", variant: str = "int8", **changes: object) -> Record:
    usual = Record(
        cell=Cell(task="spam", model=model, variant=variant, device="cpu-1t"),
        outcome="ok",
        started="2026-01-02T03:04:05+00:00",
        seconds=12.0,
        task_sha256="1" * 64,
        model_sha256="2" * 64,
        role="specialist",
        precision="int8",
        backend="onnxruntime",
        threads=1,
        metric="accuracy",
        artifact=ArtifactRef(
            sha256="3" * 64,
            size_bytes=22_900_000,
            recipe_sha256="4" * 64,
            parameters=22_700_000,
            labelled_items=1000,
        ),
        scores=(scored(900, 1000),),
        measurements=(latencies(400), of("memory_peak", "B", 91_200_000)),
    )
    return replace(usual, **changes)


def scored(right: int, n: int) -> Score:
    low, high = stats.wilson(right, n)
    return Score(metric="accuracy", value=right / n, n=n, low=low, high=high)


def of(quantity: str, unit: str, *values: int) -> Measurement:
    return Measurement(
        quantity=quantity, unit=unit, values=values, method="counter", scope="process"
    )


def latencies(n: int, slower: int = 1) -> Measurement:
    values = [slower * (3_000_000 + 1_000 * i) for i in range(n)]
    random.Random(1).shuffle(values)  # noqa: S311 - an order, not a secret
    return of("latency_end_to_end", "ns", *values)


def predictions(right: int, n: int, prefix: str = "i") -> list[Prediction]:
    return [
        Prediction(id=f"{prefix}{i}", expected="ham", answer="ham" if i < right else "spam")
        for i in range(n)
    ]


def generalist(**changes: object) -> Record:
    usual = record(
        "qwen",
        "int4",
        role="generalist",
        precision="int4",
        scores=(scored(75, 100),),
        sample=Sample(n=100, of=1000, seed=7),
        measurements=(latencies(100, slower=100), of("memory_peak", "B", 1_400_000_000)),
        artifact=ArtifactRef(
            sha256="5" * 64, size_bytes=950_000_000, recipe_sha256="6" * 64, parameters=494_000_000
        ),
        prompt=PromptChoice(
            paraphrase=1,
            normalisation="mean",
            calibration="neutral",
            shots=4,
            accuracy=0.75,
            n=32,
            candidates=(("0/sum/none", 0.5), ("1/mean/neutral", 0.75)),
            prefix="",
            suffix="",
            max_chars=1200,
        ),
    )
    return replace(usual, **changes)


def run(*records: Record, **changes: object) -> RunFile:
    usual = RunFile(
        schema=1,
        tool_version="0.1.0",
        run="r1",
        suite="default",
        device="cpu-1t",
        started="2026-01-02T03:00:00+00:00",
        host=Host(
            machine="aarch64",
            cpu="Cortex-A76",
            cores=4,
            memory_bytes=8_000_000_000,
            system="Linux 6.6",
            python="3.11.2",
        ),
        records=records,
    )
    return replace(usual, **changes)


def usual_tables() -> tuple[TaskTable, ...]:
    answers = {
        "minilm@int8": predictions(900, 1000),
        "minilm@fp32": predictions(905, 1000),
        "qwen@int4": predictions(75, 100),
    }
    records = (
        generalist(),
        record(
            parent="fp32",
            warnings=("int8 did not help",),
            warm_up=WarmUp(calls=4000, seconds=30.0, settled=False),
        ),
        record(variant="fp32", precision="fp32", scores=(scored(905, 1000),),
            measurements=(latencies(400, slower=2),)),
        record(
            "gemma", "bf16", role="generalist", outcome="out_of_memory", scores=(), measurements=(),
            reason="accuracy pass: killed by the kernel for memory",
        ),
        record("majority", "any", role="baseline", scores=(scored(600, 1000),), measurements=()),
    )  # fmt: skip
    return tables([run(*records)], load=lambda r: _known(answers, r))


def _known(answers: dict[str, list[Prediction]], r: Record) -> Sequence[Prediction] | None:
    return answers.get(f"{r.cell.model}@{r.cell.variant}")


def printed(shown: Sequence[TaskTable], width: int, *, terminal: bool = True) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, no_color=True, _environ={})
    table.show(shown, console)
    return out.getvalue()


def test_rows_are_sorted_by_role_and_then_by_score() -> None:
    (spam,) = usual_tables()

    assert [row.name for row in spam.rows] == [
        "majority@any",
        "minilm@fp32",
        "minilm@int8",
        "qwen@int4",
        "gemma@bf16",
    ]


def test_a_specialist_is_also_scored_on_the_generalists_items() -> None:
    (spam,) = usual_tables()
    scores = {row.name: row.same_items for row in spam.rows}

    assert scores["minilm@int8"] == replace(scored(100, 100), method="wilson")
    assert scores["qwen@int4"] is None
    assert scores["majority@any"] is None


def test_a_variant_is_set_beside_its_parent() -> None:
    (spam,) = usual_tables()
    beside = next(row.beside_parent for row in spam.rows if row.name == "minilm@int8")

    assert beside is not None
    assert beside.parent == "fp32"
    assert beside.speed == 2
    assert beside.answers is not None
    assert beside.answers.difference == stats.paired_difference(5, 0, 1000)
    assert (beside.answers.n, beside.answers.flips) == (1000, 5)


def test_a_percentile_without_enough_calls_is_absent_with_its_reason() -> None:
    (spam,) = usual_tables()
    qwen = next(row for row in spam.rows if row.name == "qwen@int4")

    assert qwen.p99_ns == stats.TooFew(p=0.99, n=100, needed=299)
    assert "n<299" in printed([spam], 100)
    assert "fewer than the 299 calls" in printed([spam], 100)


def test_the_latest_record_of_a_cell_is_shown() -> None:
    old = record(started="2025-01-01T00:00:00+00:00", scores=(scored(1, 10),))

    (spam,) = tables([run(record()), run(old, run="r0")])

    assert [row.score for row in spam.rows] == [scored(900, 1000)]


def test_labelled_items_count_those_the_prompt_used() -> None:
    (spam,) = usual_tables()
    labelled = {row.name: row.labelled_items for row in spam.rows}

    assert (labelled["minilm@int8"], labelled["qwen@int4"]) == (1000, 36)


@pytest.mark.parametrize("width", [40, 80, 100, 140])
def test_a_terminal_table_fits_its_width_and_keeps_every_figure(width: int) -> None:
    text = re.sub(r"\x1b\[\d+m", "", printed(usual_tables(), width))

    assert max(map(len, text.splitlines())) <= width
    words = text.split()
    for figure in ("0.900", "[0.880,0.917]", "22.9", "3.20", "n<299", "91.2", "950"):
        assert any(figure in word for word in words)


def test_a_pipe_gets_plain_text_with_one_line_a_row() -> None:
    text = printed(usual_tables(), 40, terminal=False)

    assert "\x1b" not in text
    (row,) = [line for line in text.splitlines() if line.startswith("specialist  minilm@int8")]
    assert row.split()[-1] == "1000"
    assert "0.900 n=1000 [0.880,0.917]" in row
    assert "3.20 [3.18,3.22] ms" in row


def test_a_cell_that_failed_is_a_row_with_its_reason() -> None:
    text = printed(usual_tables(), 140)

    assert "out of memory" in text
    assert "gemma@bf16: out of memory: accuracy pass: killed by the kernel for memory" in text


def test_what_was_not_measured_is_said() -> None:
    assert "not measured by the version that ran cpu-1t" in printed(usual_tables(), 140)


def test_hostile_names_are_harmless_on_a_terminal() -> None:
    hostile = record(HOSTILE, warnings=(HOSTILE,))

    for width in (40, 100, 140):
        text = printed(tables([run(hostile)]), width)
        assert "\x1b[31m" not in text
        assert "\u202e" not in text
    assert "[red]x[/red]" in printed(tables([run(hostile)]), 140)


def test_hostile_names_are_harmless_in_markdown() -> None:
    hostile = replace(record(HOSTILE, reason=HOSTILE, outcome="failed"), role=HOSTILE)

    text = markdown.text(tables([run(hostile)]))

    assert "<script" not in text
    assert "\x1b" not in text
    assert "`" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("minilm_l6@int8", "minilm_l6@int8"),
        ("0.900 [0.880,0.917] n<299", "0.900 [0.880,0.917] n<299"),
        ("[1](http://x)", "[1&#93;(http&#58;//x)"),
        ("a\\|b", "a&#92;&#124;b"),
        ("- x", "&#45; x"),
        ("1. x", "&#49;. x"),
        ("&lt;", "&#38;lt;"),
        ("_a_ <b> www.x", "&#95;a&#95; &#60;b&#62; www&#46;x"),
    ],
)
def test_markdown_escapes_what_steers_and_nothing_else(foreign: str, shown: str) -> None:
    assert markdown.escape(foreign) == shown


def test_the_markdown_reads_as_it_did() -> None:
    snapshot = Path(__file__).with_name("report_snapshot.md")

    assert markdown.text(usual_tables()) == snapshot.read_text(encoding="utf-8")


def test_csv_has_a_row_a_cell_and_no_formulas() -> None:
    hostile = record("=1+1", warnings=("@x",))

    rows = list(csv.DictReader(io.StringIO(formats.csv_text(tables([run(hostile)])))))

    assert rows[0]["model"] == "'=1+1"
    assert rows[0]["warnings"] == "'@x"
    assert rows[0]["p50_ns"] == "3199000.0"
    assert formats.csv_text([]) == ""


def test_csv_says_why_a_percentile_is_missing() -> None:
    rows = list(csv.DictReader(io.StringIO(formats.csv_text(usual_tables()))))
    qwen = next(row for row in rows if row["model"] == "qwen")

    assert qwen["p99_ns"] == ""
    assert qwen["p99_missing"] == "p99 needs 299 samples, there are 100"


def test_json_keeps_all_that_a_row_knows() -> None:
    report = json.loads(formats.json_text(usual_tables()))

    (spam,) = report["tasks"]
    assert report["schema"] == 1
    assert spam["machines"][0]["host"]["cpu"] == "Cortex-A76"
    assert {row["outcome"] for row in spam["rows"]} == {"ok", "out_of_memory"}
    assert spam["rows"][1]["p50_ns"]["low"] < spam["rows"][1]["p50_ns"]["high"]


@pytest.mark.parametrize(
    ("nanoseconds", "said"),
    [(0, "0 ns"), (7, "7 ns"), (999_600, "1.00 ms"), (3_424_000, "3.42 ms"), (61e9, "61 s"),
     (1234e9, "1234 s"), (45_670, "45.7 µs"), (456_700, "457 µs")],
)  # fmt: skip
def test_durations_have_three_digits_and_a_fitting_unit(nanoseconds: float, said: str) -> None:
    assert units.duration(nanoseconds) == said


def test_a_block_of_a_readme_is_replaced_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("a\n<!-- steelyard:begin t -->\nold\n<!-- steelyard:end t -->\nz\n")

    assert not readme.is_current(path, {"t": "new"})
    assert readme.update(path, {"t": "new"})
    assert not readme.update(path, {"t": "new\n"})
    assert readme.is_current(path, {"t": "new"})
    assert path.read_text() == (
        "a\n<!-- steelyard:begin t -->\n\nnew\n\n<!-- steelyard:end t -->\nz\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "none",
        "<!-- steelyard:begin t -->",
        "<!-- steelyard:end t --><!-- steelyard:begin t -->",
        2 * "<!-- steelyard:begin t --><!-- steelyard:end t -->",
    ],
)
def test_a_readme_without_its_block_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(UnknownNameError, match=r"README.md: no block 't'"):
        readme.replace(text, "t", "new", "README.md")


def invalid(window: str, **changes: object) -> Record:
    evidence = Evidence(window=window, seconds=3.0, readings=4, broken=("throttled",))
    usual = record(outcome="invalid", reason=f"{window}: throttled", evidence=(evidence,))
    return replace(usual, **changes)


def test_an_invalid_window_keeps_the_score_and_withholds_the_times() -> None:
    made = tables([run(record(variant="fp32"), invalid("latency", parent="fp32"))])

    text = printed(made, 200)
    (row,) = (row for row in made[0].rows if row.outcome == "invalid")
    assert re.search(r"minilm@int8 .* 0\.900 n=1000 .* invalid +invalid", text)
    assert "invalid: latency: throttled" in text
    assert row.p50_ns is None
    assert row.beside_parent is not None
    assert row.beside_parent.speed is None
    assert formats.flat(row)["p50_ns"] is None


def test_what_was_given_up_is_not_said_to_be_measured_and_the_remedy_is_said_once() -> None:
    seen = "measured at try 3; the one before: busy"
    one = invalid(
        "latency",
        reason="latency: 3 tries, none valid; the last: busy",
        warnings=(f"latency: {seen}", f"cold-start: {seen}"),
    )

    text = printed(tables([run(one)]), 200)

    assert f"latency: {seen}" not in text
    assert f"cold-start: {seen}" in text
    assert text.count("close other programs and run it again") == 1
    assert "close other programs" not in printed(tables([run(record())]), 200)


def test_an_invalid_window_of_another_pass_leaves_the_latency_alone() -> None:
    (made,) = tables([run(invalid("energy"))])

    assert isinstance(made.rows[0].p50_ns, stats.Quantile)
    assert made.rows[0].timed_validly


def metered(meter: str, **changes: object) -> EnergyReading:
    usual = EnergyReading(
        meter=meter,
        tier=2,
        method="counter",
        scope="package",
        covers=("cpu",),
        gross_j=0.018,
        gross_u_j=0.0018,
        net_j=0.009,
        net_u_j=0.001,
        watts=9.0,
        idle_watts=4.5,
        seconds_a_call=0.002,
        calls=5000,
        windows=3,
        updates=100,
    )
    return replace(usual, **changes)


def test_energy_is_shown_with_its_uncertainty_tier_and_share_of_a_correct_answer() -> None:
    made = tables([run(record(energy=(metered("rapl"),)))])

    text = printed(made, 240)
    assert "18 ±1.80 mJ" in text
    assert "energy by rapl (sensor on board, scope package, counts cpu)" in text
    assert "net of idle 9 ±1 mJ" in text
    assert re.search(r"20\.?0? ±2\.?0?0? mJ a correct answer", text)  # 18 mJ / 0.9
    assert "not ranked against each other" in text


def test_the_host_is_the_energy_of_a_processor_and_not_an_idle_graphics_card() -> None:
    card = metered("nvml", covers=("gpu",), gross_j=0.5, scope="board")
    modelled = metered("modelled", tier=3, covers=("board",), gross_j=0.03)

    best = joules.best((card, modelled, metered("rapl")))

    assert best is not None
    assert best.meter == "rapl"
    assert joules.best((card,)) is None


def test_carbon_and_cost_are_told_for_a_named_region_only() -> None:
    (made,) = tables([run(record(energy=(metered("rapl"),)))])
    somewhere = billed(made, joules.place("DEU"))

    text = printed([somewhere], 240)

    # 0.018 J are 5e-9 kWh: times 329.65 g, and 0.3943 EUR, a kWh.
    assert "carbon: 1.65e-06 g CO2e a call (1.83e-06 a correct answer), grid of Germany" in text
    assert "cost: electricity 1.97e-09 EUR a call" in text
    assert "carbon: " not in printed([made], 240)


def test_why_there_is_no_energy_reaches_the_table_and_the_csv() -> None:
    made = tables([run(record(no_energy=("rapl: no RAPL here",)))])

    assert "energy, carbon, cost: not measured on cpu-1t: no meter can read" in printed(made, 200)
    assert formats.flat(made[0].rows[0])["energy_missing"] == "rapl: no RAPL here"
