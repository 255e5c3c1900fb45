"""The commands export, query and verify on the published runs; other programs read what comes."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tests import toy
from tests.unit.builders import cell
from tests.unit.test_exports import FOUND, HOSTILE, broken, measured, run

from steelyard import store
from steelyard.record import Record
from steelyard.report.exports import cyclonedx

RESULTS = Path(__file__).resolve().parents[2] / "results"
DEFAULT = RESULTS / "default"

published = pytest.mark.skipif(
    not DEFAULT.is_dir(), reason="results/ is not beside an installed wheel's tests"
)


def exported(folder: Path, form: str, *more: str) -> Path:
    path = folder / form
    done = toy.call(folder, "export", "--to", form, str(DEFAULT), "-o", str(path), *more)
    assert done.returncode == 0, done.stderr
    return path


@published
def test_pytest_benchmark_compares_two_exports(tmp_path: Path) -> None:
    first = exported(tmp_path, "pytest-benchmark")
    second = tmp_path / "second.json"
    shutil.copy(first, second)

    done = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "compare", first, second, "--columns=median"],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        check=True,
    )

    saved = json.loads(first.read_text())["benchmarks"]
    assert len(saved) > 20
    for one in saved:
        assert done.stdout.count(one["name"]) == 2, one["name"]


@published
def test_the_published_runs_export_to_every_text(tmp_path: Path) -> None:
    latex = exported(tmp_path, "latex").read_text()
    # Two panels a task: what a model answers, and what it takes.
    assert latex.count(r"\begin{tabular}") == 2 * len({r.cell.task for r in records()})

    bill = json.loads(exported(tmp_path, "cyclonedx").read_text())
    kinds = [one["type"] for one in bill["components"]]
    assert kinds.count("machine-learning-model") == len(
        {r.cell.model + r.cell.variant for r in records()}
    )

    head = exported(tmp_path, "huggingface", "--model", "minilm-head@int8").read_text()
    assert head.count('type: "accuracy"') == len(
        [r for r in records() if r.cell.model == "minilm-head" and r.cell.variant == "int8"]
    )

    badge = ET.fromstring(exported(tmp_path, "badge").read_text())  # noqa: S314 - our own text
    assert badge.tag.endswith("svg")


def records() -> list[Record]:
    return [record for one in store.read_runs(DEFAULT) for record in one.records]


@published
def test_the_archive_answers_as_the_runs_do(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    cells = exported(tmp_path, "parquet")
    samples = exported(tmp_path, "parquet-samples")
    sql = (
        "SELECT cell, any_value(p50_ns) AS p50, quantile_disc(value, 0.5) AS again FROM cells "
        "JOIN samples USING (cell, run) WHERE quantity = 'latency_end_to_end' GROUP BY cell"
    )

    archived = toy.call(tmp_path, "query", sql, str(cells), str(samples), "-f", "csv")
    direct = toy.call(tmp_path, "query", sql, str(DEFAULT), "-f", "csv")

    assert archived.returncode == direct.returncode == 0, archived.stderr
    rows = list(csv.DictReader(io.StringIO(archived.stdout)))
    assert sorted(archived.stdout.splitlines()) == sorted(direct.stdout.splitlines())
    # DuckDB's own order statistic, where ours had samples enough to tell one.
    assert all(row["p50"] in {"", row["again"]} for row in rows)
    assert len(rows) == len(records())


@published
def test_a_query_without_sql_is_a_summary_and_a_bad_one_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")

    summary = toy.call(tmp_path, "query", str(DEFAULT))
    bad = toy.call(tmp_path, "query", "SELECT * FROM read_text('/etc/passwd')", str(DEFAULT))

    assert summary.returncode == 0
    assert len(summary.stdout.splitlines()) == len(records()) + 1
    assert bad.returncode == 3
    assert bad.stdout == ""
    assert bad.stderr.startswith("steelyard: query over cells, latest, samples: Permission Error")
    assert bad.stderr.count("\n") == 1


@published
def test_the_published_runs_are_sound_and_a_tampered_copy_is_not(tmp_path: Path) -> None:
    folders = [str(path.parent) for path in sorted(RESULTS.glob("*/predictions"))]

    sound = toy.call(tmp_path, "verify", *folders)

    assert sound.returncode == 0, sound.stdout
    assert "WRONG" not in sound.stdout
    assert sound.stdout.count("recomputed from the predictions") == len(folders)
    # An empty cache stays so: nothing is fetched, generated or read to verify a run.
    assert sound.stderr == ""
    assert sound.stdout.splitlines()[-1].startswith("Nothing is wrong: ")

    copy = tmp_path / "copy"
    shutil.copytree(RESULTS / "parents", copy)
    path = next(iter(sorted((copy / "predictions").iterdir())))
    path.write_bytes(path.read_bytes()[:-9])

    tampered = toy.call(tmp_path, "verify", str(copy))

    assert tampered.returncode == 3
    assert "  WRONG      " in tampered.stdout
    assert "predictions cannot be read" in tampered.stdout
    assert re.search(r"\n[0-9]+ things are wrong\.\n$", tampered.stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export",), "Missing option '--to'"),
        (("export", "--to", "parquet", "."), "name a file with --output"),
        (("export", "--to", "latex", "--model", "x", "."), "--model goes with"),
        (("verify", "nowhere"), "does not exist"),
    ],
)
def test_wrong_usage_ends_in_two(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = toy.call(tmp_path, *arguments)

    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize("command", ["verify", "query"])
def test_a_folder_without_a_run_ends_in_three(tmp_path: Path, command: str) -> None:
    if command == "query":
        pytest.importorskip("duckdb")
    (tmp_path / "empty").mkdir()

    done = toy.call(tmp_path, command, "empty")

    assert done.returncode == 3
    assert "no run files" in done.stderr


def test_the_bill_of_materials_is_valid_by_the_schema() -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    hostile = measured(cell=cell(model=HOSTILE, task=HOSTILE))
    real = measured(cell=cell(model="minilm-head", task="sentiment"))

    text = cyclonedx.text([run(measured(), hostile, real, broken())], FOUND, None)

    checker = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert checker.validate_str(text) is None
    assert checker.validate_str(text.replace('"SHA-256"', '"SHA-0"')) is not None
