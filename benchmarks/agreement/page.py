"""The result as a page of Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from .figures import MARGIN, Agreement, Model, Ratio, Series, ratio, verdict

HEAD = "| model | harness | p50, median of rounds | ratio to the bare loop | 95 % interval | |"
RULE = "|---|---|---:|---:|---:|---|"
COMMAND = "python -m benchmarks.agreement"
PAGE = "README.md"
# A folder below, since a JSON file of a folder in results/ is a run file.
DATA = "data/agreement.json"
OPTIMUM = """optimum-benchmark is set beside them, not held against them: it times optimum's
`ORTModel` around the session, draws its own inputs of the same shape, and its parent polls without
a pause, which takes a core."""


def markdown(result: Agreement) -> str:
    """Return the page: what was run, the table, what is absent."""
    rows = [row for model in result.models for row in _rows(model)]
    parts = [_intro(result), "\n".join([HEAD, RULE, *rows])]
    if any(model.beside for model in result.models):
        parts.append(f"{OPTIMUM} Its environment: {_listed(result.beside_versions)}.")
    parts += [f"No figure of {name}: {why}." for name, why in result.absent]
    parts.append(_where(result))
    return "\n\n".join(parts) + "\n"


def _intro(result: Agreement) -> str:
    return f"""# The same model and inputs, timed by several harnesses

`{COMMAND}` generates two small ONNX models and times `InferenceSession.run` on one
thread: in a bare loop, with pytest-benchmark, and in steelyard's worker (its infer phase).
{result.rounds} interleaved rounds, a fresh process for each harness and round, with
{result.warm_up_s:g} s of warm-up (pytest-benchmark: as long as it times) and {result.seconds:g} s
of calls. The ratio is the mean over rounds of the paired logarithms, with Student's interval. A
harness agrees where the whole interval lies within {100 * MARGIN:g} %."""


def _rows(model: Model) -> list[str]:
    bare, *others = model.series
    first = f"| {model.name} | {bare.arm} | {_p50(bare)} | 1 | | |"
    told = [_row(model.name, one, bare, held=True) for one in others]
    return [first, *told, *(_row(model.name, one, bare, held=False) for one in model.beside)]


def _row(name: str, series: Series, bare: Series, *, held: bool) -> str:
    # What is beside has one process, which is set against the middle round of the bare loop.
    middle = (statistics.median_low(bare.p50_ns),)
    found = ratio(series.p50_ns, bare.p50_ns if held else middle)
    said = verdict(found) if held else "beside"
    return (
        f"| {name} | {series.arm} | {_p50(series)} | {found.estimate:.3f} "
        f"| {_interval(found)} | {said} |"
    )


def _interval(found: Ratio) -> str:
    if found.low is None or found.high is None:
        return ""
    return f"{found.low:.3f} to {found.high:.3f}"


def _p50(series: Series) -> str:
    return f"{statistics.median_low(series.p50_ns) / 1e3:.1f} us"


def _where(result: Agreement) -> str:
    host = result.host
    versions = _listed(result.versions)
    place = f"{host.cpu}, {host.cores} cores, {host.system}, Python {host.python}"
    virtual = f", virtual ({host.virtual})" if host.virtual else ""
    return (
        f"{result.started}, on {place}{virtual}; {versions}; load before the run "
        f"{result.load_before:.2f}. The p50s of every round are in `{DATA}`."
    )


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
