"""`steelyard export`: runs in the forms that other programs read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from msgspec import Struct

from steelyard import catalog, store
from steelyard.catalog import Catalog
from steelyard.cli.cells import newest_unless
from steelyard.cli.options import cards_option
from steelyard.cli.output import run_tables, run_verdicts, say_written
from steelyard.record import RunFile


class Asked(Struct, frozen=True, kw_only=True):
    """What an export starts from."""

    folders: tuple[Path, ...]
    found: Catalog
    model: str | None = None

    def runs(self) -> list[RunFile]:
        """Read the runs."""
        return [run for folder in self.folders for run in store.read_runs(folder)]


def _latex(asked: Asked) -> str:
    from steelyard.report.exports import latex

    return latex.text(run_tables(asked.folders, asked.found))


def _pytest_benchmark(asked: Asked) -> str:
    from steelyard.report.exports import pytest_benchmark

    runs = asked.runs()
    for cell in pytest_benchmark.left_out(runs):
        click.echo(f"left out, no valid times: {cell}", err=True)
    return pytest_benchmark.text(runs)


def _huggingface(asked: Asked) -> str:
    from steelyard.report.exports import huggingface

    return huggingface.text(asked.runs(), asked.found, asked.model)


def _cyclonedx(asked: Asked) -> str:
    from steelyard.report.exports import cyclonedx

    return cyclonedx.text(asked.runs(), asked.found, asked.model)


def _badge(asked: Asked) -> str:
    from steelyard.report.exports import badge

    return badge.text(run_verdicts(asked.folders, asked.found))


TEXTS: dict[str, Callable[[Asked], str]] = {
    "latex": _latex,
    "pytest-benchmark": _pytest_benchmark,
    "huggingface": _huggingface,
    "cyclonedx": _cyclonedx,
    "badge": _badge,
}
PARQUET = {"parquet": "cells", "parquet-samples": "samples"}
OF_ONE_MODEL = {"huggingface", "cyclonedx"}


@click.command(
    "export",
    epilog="Examples:  steelyard export --to latex results/default -o table.tex   |   "
    "steelyard export --to parquet results/default results/parents -o cells.parquet   |   "
    "steelyard export --to huggingface --model minilm-head@int8",
)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--to", "form", required=True, type=click.Choice([*TEXTS, *PARQUET]))
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to a file.")
@click.option(
    "--model", metavar="ID[@VARIANT]", help="For huggingface and cyclonedx: only this model."
)
@cards_option
def command(
    runs: tuple[Path, ...],
    form: str,
    output: Path | None,
    model: str | None,
    cards: tuple[Path, ...],
) -> None:
    """Write RUNS for other programs; without any, the newest local run.

    \b
    latex             booktabs tables for a paper
    parquet           one row a record, typed, units in the names
    parquet-samples   one row a raw sample
    pytest-benchmark  what `pytest-benchmark compare` reads
    huggingface       evaluation results for the head of a model card
    cyclonedx         a bill of materials of the models (ML-BOM 1.6)
    badge             an SVG that says how often a small model wins

    What people read (table, Markdown, CSV, JSON, HTML) comes from `steelyard report`.
    """  # noqa: D301 - click's mark for lines that stay as they are
    if model is not None and form not in OF_ONE_MODEL:
        raise click.UsageError(f"--model goes with --to {' or '.join(sorted(OF_ONE_MODEL))}")
    folders = newest_unless(runs)
    if form in PARQUET:
        _parquet(folders, form, output)
        return
    text = TEXTS[form](Asked(folders=folders, found=catalog.load(cards), model=model))
    if output is None:
        click.echo(text, nl=False)
    else:
        store.write_atomically(output, text.encode())
        say_written(output)


def _parquet(folders: tuple[Path, ...], form: str, output: Path | None) -> None:
    from steelyard.report import archive

    if output is None:
        raise click.UsageError(f"--to {form} is no text: name a file with --output")
    kind: archive.Kind = "cells" if PARQUET[form] == "cells" else "samples"
    archive.write(archive.run_files(folders), kind, output)
    say_written(output)
