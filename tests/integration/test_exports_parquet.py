"""Parquet and SQL: what is written comes back, and SQL reaches nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.builders import cell
from tests.unit.test_exports import broken, latencies, measured, run

from steelyard import store
from steelyard.errors import ExportError, Refusal, StoreError
from steelyard.record import RunFile
from steelyard.record_file import encode
from steelyard.report import archive, columns, query

pytest.importorskip("duckdb")

LATER = "2026-11-23T12:00:00+00:00"


def asked(sources: Sequence[Path], sql: str | None = None) -> list[tuple[Any, ...]]:
    with query.queried(sources, sql) as answer:
        return list(answer.rows)


def kept(folder: Path, *runs: RunFile) -> Path:
    folder.mkdir(exist_ok=True)
    for number, one in enumerate(runs):
        (folder / f"device-{number}.json").write_bytes(encode(one) + b"\n")
    return folder


def test_a_row_says_what_its_record_says(tmp_path: Path) -> None:
    path = tmp_path / "cells.parquet"

    archive.write([run(measured())], "cells", path)

    rows = asked([path], "SELECT * EXCLUDE (run) FROM cells")
    with query.queried([path], "SELECT * EXCLUDE (run) FROM cells") as answer:
        found = dict(zip(answer.columns, rows[0], strict=True))
    # 400 samples from 1.000 ms in steps of 1 us: the 200th of them, and the 396th.
    assert (found["p50_ns"], found["p99_ns"]) == (1_199_000.0, 1_395_000.0)
    assert (found["task"], found["score"], found["score_low"]) == ("spam", 0.875, 0.5)
    assert (found["memory_peak_bytes"], found["items_asked"]) == (50_000_000, 8)
    assert found["started_utc"].isoformat() == "2026-11-22T12:00:00"


def test_columns_have_their_types_even_where_all_is_absent(tmp_path: Path) -> None:
    path = tmp_path / "cells.parquet"
    archive.write([], "cells", path)

    types = {row[0]: row[1] for row in asked([path], "DESCRIBE cells")}

    assert types == columns.sql_types(columns.CellRow)
    assert (types["p50_ns"], types["threads"], types["started_utc"], types["timed_validly"]) == (
        "DOUBLE",
        "BIGINT",
        "TIMESTAMP",
        "BOOLEAN",
    )


def test_what_was_not_measured_is_null_and_an_invalid_window_has_no_percentiles(
    tmp_path: Path,
) -> None:
    folder = kept(tmp_path / "run", run(measured(scores=(), artifact=None), broken()))

    rows = asked(
        [folder], "SELECT score, size_bytes, p50_ns, timed_validly FROM cells ORDER BY cell"
    )

    assert rows == [(0.875, 1000, None, False), (None, None, 1_199_000.0, True)]


def test_samples_come_back_one_a_row_in_order_even_from_several_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "_CHUNK", 3)
    path = tmp_path / "samples.parquet"

    archive.write([run(measured(measurements=(latencies(range(7, 17)),)))], "samples", path)

    rows = asked([path], "SELECT index, value, unit, quantity FROM samples ORDER BY index")
    assert rows == [(i, 7.0 + i, "ns", "latency_end_to_end") for i in range(10)]


def test_rows_of_many_parts_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_PART_BYTES", 2_000)
    path = tmp_path / "cells.parquet"
    records = [measured(cell=cell(task=f"task-{i:02}")) for i in range(12)]

    archive.write([run(*records)], "cells", path)

    tasks = [row[0] for row in asked([path], "SELECT task FROM cells")]
    assert tasks == [f"task-{i:02}" for i in range(12)]


def test_the_latest_record_of_a_cell_is_the_one_that_began_last(tmp_path: Path) -> None:
    newer = measured(started=LATER, scores=())
    sources = [
        kept(tmp_path / "new", run(newer, run="new")),
        kept(tmp_path / "old", run(measured(), run="old")),
    ]

    assert asked(sources, "SELECT run, score FROM latest") == [("new", None)]
    assert asked(sources)[0][3:5] == (2, "ok")


def test_hostile_names_stay_text_on_their_way(tmp_path: Path) -> None:
    name = "'; DROP TABLE cells; --\"\x00\u2028漢"
    folder = kept(tmp_path / "it's; [a]*", run(measured(cell=cell(model=name), reason=name)))

    assert asked([folder], "SELECT model, reason FROM cells") == [(name, name)]


HOSTILE_SQL = [
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM glob('{folder}/*')",
    "COPY cells TO '{folder}/out.csv'",
    "WITH x AS (COPY (SELECT 1) TO '{folder}/out.csv') SELECT 1",
    "COPY (SELECT 1) TO '{archive}' (USE_TMP_FILE false)",
    "WITH x AS (COPY (SELECT 1) TO '{archive}' (USE_TMP_FILE false)) SELECT 1",
    "ATTACH '{folder}/out.db'",
    "EXPORT DATABASE '{folder}/out'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "RESET lock_configuration",
    "PRAGMA profiling_output = '{folder}/out.json'",
    "SELECT * FROM secret_of_python",
]


@pytest.mark.parametrize("sql", HOSTILE_SQL)
def test_sql_reads_and_writes_nothing_but_its_tables(tmp_path: Path, sql: str) -> None:
    # A variable that DuckDB would otherwise find.
    secret_of_python = ["password"]
    (tmp_path / "secret.csv").write_text("password\nx\n")
    path = tmp_path / "cells.parquet"
    archive.write([run(measured())], "cells", path)
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    text = sql.format(secret=tmp_path / "secret.csv", folder=tmp_path, archive=path)

    with pytest.raises(ExportError, match="query over cells, latest, samples: "):
        asked([path], text)

    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before
    assert secret_of_python == ["password"]


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = kept(tmp_path / "run", run(measured()))
    monkeypatch.setitem(sys.modules, "duckdb", None)

    with pytest.raises(Refusal, match=r"try: pip install 'steelyard\[report\]'"):
        asked([folder])
    with pytest.raises(Refusal, match="duckdb is not installed"):
        archive.write([run(measured())], "cells", tmp_path / "cells.parquet")


def test_a_query_leaves_nothing_behind_and_does_not_look_at_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = kept(tmp_path / "run", run(measured()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    asked([folder], "SELECT * FROM cells ORDER BY ALL")

    assert [one.name for one in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", "Parser Error"),
        ("SELECT * FROM nope", "Table with name nope does not exist"),
        ("SELECT nope FROM cells", "nope"),
        ("SELECT CAST(cell AS INTEGER) FROM cells", "Conversion Error"),
    ],
)
def test_sql_that_fails_is_one_line(tmp_path: Path, sql: str, said: str) -> None:
    folder = kept(tmp_path / "run", run(measured()))

    with pytest.raises(ExportError, match=said) as caught:
        asked([folder], sql)

    assert "\n" not in str(caught.value)


def test_a_parquet_file_that_is_no_archive_is_refused_by_name(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "other.parquet"
    duckdb.execute(f"COPY (SELECT 1 AS a) TO '{path}' (FORMAT parquet)")
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(b"PAR1 and no more")

    with pytest.raises(ExportError, match=r"other\.parquet: not an archive of steelyard"):
        asked([path])
    with pytest.raises(ExportError, match=r"damaged\.parquet: "):
        asked([damaged])


def test_a_damaged_run_or_date_is_named(tmp_path: Path) -> None:
    folder = kept(tmp_path / "run", run(measured(started="yesterday")))
    with pytest.raises(StoreError, match=r"spam/tiny@int8/cpu-1t: started at 'yesterday'"):
        asked([folder])

    (folder / "device-0.json").write_text("{}")
    with pytest.raises(StoreError, match=r"device-0\.json"):
        asked([folder])


def test_runs_are_read_one_file_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = kept(tmp_path / "run", run(measured()), run(measured()))
    opened: list[Path] = []

    def reading(path: Path) -> tuple[RunFile, ...]:
        opened.append(path)
        return (run(measured()),)

    monkeypatch.setattr(store, "read_runs", reading)
    runs: Iterator[RunFile] = archive.run_files([folder])

    next(runs)

    assert len(opened) == 1


def test_an_archive_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="cannot be written"):
        archive.write([run(measured())], "cells", tmp_path / "none" / "cells.parquet")


def test_several_archives_and_runs_are_one_table(tmp_path: Path) -> None:
    path = tmp_path / "cells.parquet"
    archive.write([run(measured())], "cells", path)
    other = run(replace(measured(), started=LATER), run="later")
    folder = kept(tmp_path / "run", other)

    assert asked([path, folder], "SELECT count(*) FROM cells") == [(2,)]
