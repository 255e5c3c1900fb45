"""SQL over many records, by DuckDB: it sees copies of them and reaches nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from steelyard.directions import LOWER
from steelyard.errors import ExportError
from steelyard.report.archive import Kind, connected, convert, explained, quoted, rows, run_files

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MAGIC = b"PAR1"
# The latest record of each cell; the run decides between two that began in the same second.
_LATEST = """
CREATE VIEW latest AS SELECT * FROM cells
QUALIFY row_number() OVER (PARTITION BY cell ORDER BY started_utc DESC, run DESC) = 1
"""

_LESS = ", ".join(f"'{metric}'" for metric in sorted(LOWER))
SUMMARY = """
SELECT task, model || '@' || variant AS model, device, records, outcome, metric,
  round(score, 3) AS score, round(p50_ns / 1e6, 4) AS p50_ms,
  round(memory_peak_bytes / 1e6, 1) AS memory_mb
FROM latest JOIN (SELECT cell, count(*) AS records FROM cells GROUP BY cell) USING (cell)
ORDER BY task, CASE WHEN metric IN (:less) THEN latest.score ELSE -latest.score END NULLS LAST,
  cell
""".replace(":less", _LESS)


class Answer(Struct, frozen=True, kw_only=True):
    """What a query returned: the names of its columns, and its rows, read as they are asked for."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@contextmanager
def queried(sources: Sequence[Path], sql: str | None = None) -> Generator[Answer]:
    """Answer SQL over tables `cells`, `latest` and `samples` of run folders, files or archives.

    Without SQL: a summary of the latest records. The SQL sees copies in a temporary folder and can
    neither read nor write anywhere else. Raises ExportError for SQL that fails, Refusal without
    DuckDB, StoreError for a damaged run.
    """
    asked = sql or SUMMARY
    with TemporaryDirectory(prefix="steelyard-query-") as name:
        folder = Path(name)
        kinds: list[Kind] = ["cells", "samples"] if "samples" in asked.lower() else ["cells"]
        copies = _copies(sources, kinds, folder)
        with _sandbox(folder, copies) as connection, explained("query over cells, latest, samples"):
            connection.execute(asked)
            columns = tuple(str(one[0]) for one in connection.description or ())
            yield Answer(columns=columns, rows=_fetched(connection))


def _copies(sources: Sequence[Path], kinds: Sequence[Kind], folder: Path) -> dict[Kind, list[Path]]:
    """Return Parquet files in `folder`, by kind: archives copied, runs converted."""
    archives = [source for source in sources if _is_parquet(source)]
    runs = [source for source in sources if source not in archives]
    copies: dict[Kind, list[Path]] = {}
    for number, source in enumerate(archives):
        copy = folder / f"archive-{number}.parquet"
        shutil.copyfile(source, copy)
        copies.setdefault(_kind(copy, source), []).append(copy)
    for kind in kinds if runs else ():
        made = folder / f"runs-{kind}.parquet"
        with TemporaryDirectory(dir=folder) as name:
            convert(rows(run_files(runs), kind), kind, Path(name, "whole"))
            Path(name, "whole").replace(made)
        copies.setdefault(kind, []).append(made)
    return copies


def _is_parquet(source: Path) -> bool:
    if not source.is_file():
        return False
    with source.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _kind(copy: Path, source: Path) -> Kind:
    """Tell an archive of cells from one of samples; raise ExportError where it is neither."""
    with connected(copy.parent) as connection, explained(str(source)):
        connection.execute(f"DESCRIBE FROM read_parquet({quoted(copy)})")
        columns = {str(row[0]) for row in connection.fetchall()}
    if columns >= {"cell", "run", "started_utc", "score"}:
        return "cells"
    if columns >= {"cell", "run", "quantity", "value"}:
        return "samples"
    raise ExportError(
        f"{source}: not an archive of steelyard; one is made with: steelyard export --to parquet"
    )


@contextmanager
def _sandbox(folder: Path, copies: dict[Kind, list[Path]]) -> Generator[DuckDBPyConnection]:
    """Lend a connection that sees the copies and, besides its temporary folder, nothing else.

    Only copies, since what SQL may read it may also write: DuckDB's COPY works in a CTE of a
    SELECT, and `allowed_paths` knows no difference.
    """
    allowed = ", ".join(quoted(path) for paths in copies.values() for path in paths)
    with connected(folder) as connection, explained("query over cells, latest, samples"):
        connection.execute("SET python_enable_replacements = false")
        connection.execute(f"SET allowed_paths = [{allowed}]")
        for kind, paths in copies.items():
            listed = ", ".join(map(quoted, paths))
            connection.execute(
                f"CREATE VIEW {kind} AS FROM read_parquet([{listed}], union_by_name = true)"
            )
        if "cells" in copies:
            connection.execute(_LATEST)
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def _fetched(connection: DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := connection.fetchmany(1000):
        yield from rows
