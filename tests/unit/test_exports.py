"""LaTeX, pytest-benchmark, Hugging Face, CycloneDX and the badge, from hand-made records."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pytest_benchmark.stats import Stats
from tests.unit.builders import cell, host, record

from steelyard import catalog
from steelyard.api import Score
from steelyard.errors import ExportError, UnknownNameError
from steelyard.record import SCHEMA, ArtifactRef, Evidence, Measurement, Record, RunFile, Sample
from steelyard.report.exports import badge, cyclonedx, huggingface, latex, pytest_benchmark
from steelyard.report.rows import tables
from steelyard.verdict.types import Comparison, TaskVerdict, Verdict

HOSTILE = "a\\b{c}$d&e#f_g%h^i~j<k>|l\"'`--,,]]>[1cm]*\n\x1b[31m漢\U0001f600\u2028: - !!x"
FOUND = catalog.load()


def run(*records: Record, **changes: object) -> RunFile:
    usual = RunFile(
        schema=SCHEMA,
        tool_version="0.1.0",
        run="20261122T120000Z-toy",
        suite="toy",
        device="cpu-1t",
        started="2026-11-22T12:00:00+00:00",
        host=host(),
        records=records,
    )
    return replace(usual, **changes)


def measured(**changes: object) -> Record:
    usual = record(
        scores=(Score(metric="accuracy", value=0.875, n=8, low=0.5, high=0.98, method="Wilson"),),
        artifact=ArtifactRef(
            sha256="3" * 64, size_bytes=1000, recipe_sha256="4" * 64, parameters=10
        ),
        data_sha256="5" * 64,
        sample=Sample(n=8, of=80, seed=0),
        measurements=(latencies(range(1_000_000, 1_400_000, 1_000)), peak(50_000_000)),
    )
    return replace(usual, **changes)


def latencies(values: Sequence[int]) -> Measurement:
    return Measurement(
        quantity="latency_end_to_end",
        unit="ns",
        values=tuple(values),
        method="counter",
        scope="call",
    )


def peak(value: int) -> Measurement:
    return Measurement(
        quantity="memory_peak", unit="B", values=(value,), method="counter", scope="process"
    )


def broken() -> Record:
    evidence = Evidence(window="latency", seconds=1.0, readings=2, broken=("throttled",))
    return measured(cell=cell(model="hot"), outcome="invalid", evidence=(evidence,))


# LaTeX


def bare(text: str) -> str:
    """Return what is left of LaTeX once all that we may have written is taken away."""
    for known in (r"\\textbackslash\{\}", r"\\text[a-z]+\{\}", r"\\symbol\{34\}", r"\\[{}$&#%_]"):
        text = re.sub(known, "", text)
    return re.sub(r"\\ensuremath\{\\(mu|pm|times)\}", "", text)


@given(foreign=st.text())
def test_nothing_in_a_name_reaches_latex_as_a_command(foreign: str) -> None:
    left = bare(latex.escape(foreign)).replace("-{}", "-").replace(",{}", ",")

    assert not re.search(r"[\\{}$&#%_^~<>|\"`']|--|,,", left)
    assert all(" " <= one <= "~" or one in "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝ".lower() + "ß"
               or "À" <= one <= "ÿ" for one in left)  # fmt: skip


def test_letters_outside_every_fonts_reach_are_named_by_their_code_point() -> None:
    assert latex.escape("é 漢 µs ±1") == r"é [U+6F22] \ensuremath{\mu}s \ensuremath{\pm}1"


def test_a_latex_table_has_a_line_a_row_and_as_many_cells_as_columns() -> None:
    hostile = measured(cell=cell(model=HOSTILE), role="[1cm]*")

    text = latex.text(tables([run(measured(), hostile)]))

    panels = re.findall(r"\\begin\{tabular\}\{(lr+)\}(.*?)\\end\{tabular\}", text, re.DOTALL)
    for columns, body in panels:
        lines = [line for line in body.splitlines() if line.endswith(r"\\")]
        roles = [line for line in lines if line.startswith(r"\multicolumn")]
        assert len(roles) == 2
        assert all(rf"\multicolumn{{{len(columns)}}}{{l}}" in line for line in roles)
        for line in set(lines) - set(roles):
            # A bracket or a star after a line's end would be an argument.
            assert line.startswith("{}")
            assert len(re.findall(r"(?<!\\)&", line)) == len(columns) - 1
    # The first panel has the titles, two cells and their scores' intervals.
    assert [body.count("\n{}") for _, body in panels] == [5, 3]
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 1
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2
    assert unescaped(text, "{") == unescaped(text, "}")


def unescaped(text: str, character: str) -> int:
    return len(re.findall(rf"(?<!\\){re.escape(character)}", text.replace(r"\\", "")))


def test_a_latex_label_is_plain_whatever_the_task_is_called() -> None:
    text = latex.text(tables([run(measured(cell=cell(task="x}_y z")))]))

    assert r"\label{tab:steelyard-x-y-z}" in text


def test_a_latex_table_has_its_verdict_under_it_and_notes_that_name_it() -> None:
    (made,) = tables([run(measured())])
    judged = TaskVerdict(task="spam", outcome="wins", reason="50 % less")

    told = latex.text([replace(made, verdict=judged)])

    below = told.partition(r"\end{table}")[2]
    assert below.index(r"\textbf{Table~\ref{tab:steelyard-spam}:}") < below.index("verdict: small")
    assert r"small wins: 50 \% less" in below


# pytest-benchmark


@given(
    st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=60),
)
def test_statistics_are_those_of_pytest_benchmark(seconds: list[float]) -> None:
    theirs = Stats()
    for value in seconds:
        theirs.update(value)

    ours = pytest_benchmark.stats(seconds)

    for name, expected in theirs.as_dict().items():
        if isinstance(expected, str):
            continue
        if name.endswith("outliers"):
            continue  # decided at the edge of a rounding error: see the next test
        assert getattr(ours, name) == pytest.approx(expected, rel=1e-9, abs=1e-12), name
    assert list(ours.data) == theirs.data


def test_outliers_are_counted_as_pytest_benchmark_does() -> None:
    ours = pytest_benchmark.stats([1.0, 1.1, 1.2, 1.3, 9.0])

    # q1 = 1.075, q3 = 3.225 by its method; the fence ends at 6.45; mean 2.72, deviation 3.51.
    assert (ours.outliers, ours.iqr_outliers, ours.stddev_outliers) == ("1;1", 1, 1)
    assert [ours.q1, ours.q3] == pytest.approx([1.075, 3.225])


def test_an_invalid_window_never_reaches_pytest_benchmark() -> None:
    runs = [run(measured(), broken(), measured(cell=cell(model="none"), measurements=()))]

    saved = json.loads(pytest_benchmark.text(runs))

    assert [one["name"] for one in saved["benchmarks"]] == ["spam/tiny@int8/cpu-1t"]
    assert saved["benchmarks"][0]["extra_info"]["score"] == 0.875
    assert saved["benchmarks"][0]["stats"]["min"] == 0.001
    assert pytest_benchmark.left_out(runs) == ("spam/hot@int8/cpu-1t", "spam/none@int8/cpu-1t")


def test_runs_of_two_machines_make_no_one_file_for_pytest_benchmark() -> None:
    other = run(
        measured(cell=cell(device="pi5")), device="pi5", host=replace(host(), machine="aarch64")
    )

    with pytest.raises(ExportError, match="several machines"):
        pytest_benchmark.text([run(measured()), other])


def test_a_run_without_times_is_nothing_for_pytest_benchmark() -> None:
    with pytest.raises(ExportError, match="no cell with a valid latency window"):
        pytest_benchmark.text([run(broken())])


# Hugging Face


def test_the_hub_reads_the_evaluation_results_of_one_model() -> None:
    repocard = pytest.importorskip("huggingface_hub.repocard_data")
    yaml = pytest.importorskip("yaml")
    scores = (
        Score(metric="macro-f1", value=0.75, n=8),
        Score(metric="accuracy", value=0.875, n=8, low=0.5, high=0.98, method="Wilson"),
    )

    text = huggingface.text([run(measured(scores=scores))], FOUND, "tiny")

    assert text.startswith("---\n")
    assert text.endswith("\n---\n")
    name, results = repocard.model_index_to_eval_results(
        yaml.safe_load(text.strip("-\n"))["model-index"]
    )
    assert name == "tiny@int8"
    assert [(r.metric_type, r.metric_value) for r in results] == [("f1", 0.75), ("accuracy", 0.875)]
    assert results[0].metric_args == {"average": "macro", "n": 8}
    assert results[1].metric_args == {"n": 8, "low": 0.5, "high": 0.98, "method": "Wilson"}
    assert results[0].task_type == "text-classification"
    assert results[0].dataset_revision == "5" * 64
    assert results[0].dataset_args["items"] == 8


@given(foreign=st.text(min_size=1))
def test_no_name_escapes_its_quotes_in_yaml(foreign: str) -> None:
    yaml = pytest.importorskip("yaml")
    hostile = measured(cell=cell(device=foreign, task=foreign), data_sha256=foreign)

    text = huggingface.text([run(hostile, device=foreign)], FOUND, None)

    (model,) = yaml.safe_load(text.split("\n---\n")[0])["model-index"]
    (result,) = model["results"]
    assert set(result) == {"task", "dataset", "metrics"}
    assert text.count("\n---\n") == 1


def test_a_model_in_two_variants_must_be_named_in_full() -> None:
    runs = [run(measured(), measured(cell=cell(variant="fp32")))]

    with pytest.raises(UnknownNameError, match="several variants; there is tiny@int8, tiny@fp32"):
        huggingface.text(runs, FOUND, "tiny")
    with pytest.raises(UnknownNameError, match="--model big: is not in these runs"):
        huggingface.text(runs, FOUND, "big")
    with pytest.raises(UnknownNameError, match="name one model with --model"):
        huggingface.text(runs, FOUND, None)
    assert "tiny@fp32" in huggingface.text(runs, FOUND, "tiny@fp32")


def test_a_model_without_scores_has_no_results_to_publish() -> None:
    with pytest.raises(ExportError, match="tiny@int8: no scores"):
        huggingface.text([run(measured(scores=()))], FOUND, "tiny")


# CycloneDX


def test_the_bill_has_metrics_hashes_licences_and_data() -> None:
    real = measured(cell=cell(model="minilm-head", task="sentiment"))

    bill = json.loads(cyclonedx.text([run(real)], FOUND, "minilm-head"))

    model, data = bill["components"]
    assert (bill["specVersion"], model["type"], data["type"]) == (
        "1.6",
        "machine-learning-model",
        "data",
    )
    assert model["hashes"] == [{"alg": "SHA-256", "content": "3" * 64}]
    assert model["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert data["licenses"] == [{"license": {"id": "MIT"}}]
    assert model["modelCard"]["modelParameters"]["datasets"] == [{"ref": data["bom-ref"]}]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert metrics[0] == {
        "type": "accuracy",
        "value": "0.875",
        "slice": "sentiment on cpu-1t",
        "confidenceInterval": {"lowerBound": "0.5", "upperBound": "0.98"},
    }
    # 400 samples from 1.000 ms in steps of 1 us: the 200th of them, and the 396th.
    assert [one["value"] for one in metrics[1:]] == ["1199000.0", "1395000.0", "50000000"]
    assert [one["hashes"][0]["content"] for one in model["components"]] == [
        file.sha256 for file in FOUND.models["minilm-head"].card.files
    ]


def test_a_model_trained_for_each_task_names_each_artefact_and_claims_no_one_hash() -> None:
    other = ArtifactRef(sha256="9" * 64, size_bytes=1, recipe_sha256="8" * 64, parameters=1)
    runs = [run(measured(), measured(cell=cell(task="intent"), artifact=other))]

    model = json.loads(cyclonedx.text(runs, FOUND, None))["components"][0]

    named = {one["name"]: one["value"] for one in model["properties"]}
    assert "hashes" not in model
    assert named["steelyard:artefact:spam"] == "3" * 64
    assert named["steelyard:artefact:intent"] == "9" * 64


def test_the_same_runs_give_the_same_bill() -> None:
    assert cyclonedx.text([run(measured())], FOUND, None) == cyclonedx.text(
        [run(measured())], FOUND, None
    )


# Badge


def judged(outcome: str, large: str = "big") -> TaskVerdict:
    score = Comparison(quantity="score", status="same", unit="points")
    pair = Verdict(
        task="spam",
        small=cell(),
        large=cell(model=large),
        outcome=outcome,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        reason="because",
        score=score,
    )
    return TaskVerdict(task="spam", outcome=pair.outcome, reason="because", pairs=(pair,))


def test_a_badge_counts_wins_and_says_against_what() -> None:
    image = ET.fromstring(badge.text([judged("wins"), judged("wins"), judged("loses")]))  # noqa: S314 - our own text

    name = "{http://www.w3.org/2000/svg}"
    words = [one.text for one in image.iter(f"{name}text")]
    title = image.find(f"{name}title")
    assert words == ["steelyard", "small wins 2 of 3"]
    assert title is not None
    assert title.text == (
        "steelyard: of 3 tasks, a small model wins 2, loses 1, 0 undecided against big@int8"
    )
    assert image.get("aria-label") == title.text


def test_a_task_that_nobody_was_compared_on_is_not_in_the_badge() -> None:
    alone = TaskVerdict(task="intent", outcome="undecided", reason="no generalist was run")

    assert "small wins 1 of 1" in badge.text([judged("wins"), alone])
    assert "no verdict" in badge.text([alone])


def test_a_badge_without_verdicts_claims_nothing() -> None:
    assert "no verdict" in badge.text([])


@given(foreign=st.text())
def test_any_name_is_safe_in_a_badge(foreign: str) -> None:
    text = badge.svg(foreign, foreign, foreign)

    image = ET.fromstring(text)  # noqa: S314 - our own text
    assert len(list(image.iter())) == 7
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "") or "http" in foreign
