"""What stands under a table and under all of them: how it was measured, and what was not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from steelyard.report import energy_notes, fits, joules, loads, verdicts
from steelyard.report.paired import Beside
from steelyard.report.rows import Machine, Row, TaskTable
from steelyard.report.units import clean, in_one_line, size
from steelyard.stats import TooFew

SAME_ITEMS = "same items"

LATENCY = (
    "p50 and p99: order statistics of end-to-end calls (encode, infer, decode), one text a call."
)
MEMORY = "memory: peak resident memory of the worker process (VmHWM) after its calls."
LABELLED = (
    "labels: labelled items used - those a model learned from; for a generalist, those in its "
    "prompt and those its prompt was chosen on."
)
ON_SAME_ITEMS = f"{SAME_ITEMS}: the score on exactly the items that the generalists were asked."
INVALID = "invalid: no try kept the rules of a timed window; close other programs and run it again."
NOT_DONE = "Not done for generalists, though known to help them: {}."


def notes(table: TaskTable) -> tuple[str, ...]:
    """Return a table's own notes in reading order, clean of control characters."""
    return tuple(clean(note) for note in _notes(table))


def legend(tables: Sequence[TaskTable]) -> tuple[str, ...]:
    """Return what holds for all tables: the machines, and what the columns mean."""
    return tuple(clean(note) for note in _legend(tables)) if tables else ()


def _notes(table: TaskTable) -> Iterator[str]:
    for row in table.rows:
        if row.outcome != "ok":
            yield f"{_name(row, table)}: {row.outcome.replace('_', ' ')}: {_reason(row)}"
    for row in table.rows:
        yield from (f"{_name(row, table)}: {note}" for note in _of_row(row))


def _legend(tables: Sequence[TaskTable]) -> Iterator[str]:
    rows = [row for table in tables for row in table.rows]
    yield from dict.fromkeys(_machine(m) for table in tables for m in table.machines)
    if any(row.same_items for row in rows):
        yield ON_SAME_ITEMS
    yield LATENCY
    yield from _too_few(rows)
    yield MEMORY
    if any(row.outcome == "invalid" for row in rows):
        yield INVALID
    if any(row.fits_in for row in rows):
        yield fits.NOTE
    yield LABELLED
    yield from _not_done(rows)
    yield from _energy(tables)
    yield from _untold(rows)
    if any(table.verdict for table in tables):
        yield from verdicts.legend()


def _not_done(rows: Sequence[Row]) -> Iterator[str]:
    """Say what was not tried for the generalists of these rows: no model is ever tuned on a task.

    Only those that are asked in words, and so have a prompt, could look things up or reason.
    """
    large = [row for row in rows if row.role == "generalist" and row.score]
    wrote = [row.prompt.normalisation is None for row in large if row.prompt]
    undone = ["retrieval", "reasoning", "fine-tuning"] if wrote else ["fine-tuning"]
    if wrote and not all(wrote):
        which = ", but where a row says that its answers are written" if any(wrote) else ""
        undone.append(f"free generation{which}")
    if large:
        yield NOT_DONE.format(", ".join(undone))


def _energy(tables: Sequence[TaskTable]) -> Iterator[str]:
    rows = [row for table in tables for row in table.rows if row.score is not None]
    if any(joules.best(row.energy) for row in rows):
        yield joules.NOTE
    bare = {row.cell.device: None for row in rows if not row.energy and row.no_energy}
    if bare:
        yield (
            f"energy, carbon, cost: not measured on {', '.join(bare)}: "
            "no meter can read this machine (steelyard doctor says why and what to do)."
        )
    older = {row.cell.device: None for row in rows if not row.energy and not row.no_energy}
    if older:
        yield f"energy, carbon, cost: not measured by the version that ran {', '.join(older)}."


def _untold(rows: Sequence[Row]) -> Iterator[str]:
    """Say what the watch over the timed windows could not see on each device."""
    untold: dict[str, dict[str, None]] = {}
    for row in rows:
        for evidence in row.evidence:
            untold.setdefault(row.cell.device, {}).update(dict.fromkeys(evidence.untold))
    for device, names in untold.items():
        if names:
            yield f"watched once a second; {device} does not tell: {', '.join(names)}."


def _too_few(rows: Sequence[Row]) -> Iterator[str]:
    percentiles = (p for row in rows for p in (row.p50_ns, row.p99_ns))
    for needed in sorted({p.needed for p in percentiles if isinstance(p, TooFew)}):
        yield f"n<{needed}: fewer than the {needed} calls that this percentile needs at 95 %."


def _of_row(row: Row) -> Iterator[str]:
    if row.sample and row.sample.n < row.sample.of:
        seed = "" if row.sample.seed is None else f", seed {row.sample.seed}"
        yield f"asked a sample of {row.sample.n} of {row.sample.of} test items{seed}."
    if row.recalled:
        which = "all" if row.sample and row.recalled == row.sample.n else f"{row.recalled}"
        yield f"{which} answers are those of the same artefact in an earlier run (not asked again)."
    if row.prompt:
        yield _prompt(row)
    if row.beside_parent:
        yield _parent(row.beside_parent)
        yield from (f"warning: {warning}" for warning in row.beside_parent.warnings)
    yield from energy_notes.meters(row.energy, row.score, row.bill)
    if row.codecarbon:
        yield energy_notes.codecarbon(row.codecarbon)
    yield from loads.lines(row.loads, row.evidence)
    if row.warm_up and not row.warm_up.settled:
        yield (
            f"latency had not settled after {row.warm_up.calls} warm-up calls "
            f"in {row.warm_up.seconds:.1f} s."
        )
    yield from (warning for warning in row.warnings if not _is_given_up(row, warning))


def _is_given_up(row: Row, warning: str) -> bool:
    """Tell whether a warning says at which try a window was measured of which none was valid."""
    window, measured, _ = warning.partition(": measured at try ")
    gone = rf"(?:^|; ){re.escape(window)}: \d+ tr(?:y|ies), none valid"
    return bool(measured) and re.search(gone, row.reason or "") is not None


def _prompt(row: Row) -> str:
    choice = row.prompt
    if choice is None:
        return ""
    if choice.normalisation is None:
        unreadable = f", {choice.unreadable} answers unreadable" if choice.unreadable else ""
        return (
            f"prompt {choice.paraphrase + 1}, {choice.shots} shots, answers written freely; the "
            f"best of {len(choice.candidates)} prompts on {choice.n} training items "
            f"({choice.metric} {choice.accuracy:.3f}{unreadable}); "
            f"texts cut to {choice.max_chars} characters."
        )
    return (
        f"prompt {choice.paraphrase + 1}, {choice.shots} shots, {choice.normalisation} of token "
        f"log-likelihoods, calibration {choice.calibration}; the best of "
        f"{len(choice.candidates)} ways on {choice.n} training items "
        f"(accuracy {choice.accuracy:.3f}); texts cut to {choice.max_chars} characters."
    )


def _parent(beside: Beside) -> str:
    said = [f"beside its parent {beside.parent}"]
    if beside.answers:
        low, high = beside.answers.difference.low, beside.answers.difference.high
        said.append(
            f"{100 * beside.answers.difference.estimate:+.1f} points of accuracy "
            f"[{100 * low:+.1f},{100 * high:+.1f}] and {beside.answers.flips} other labels "
            f"on the same {beside.answers.n} items"
        )
    if beside.speed:
        said.append(f"{beside.speed:.2f} times its speed (p50, one process each: not a test)")
    if beside.memory:
        said.append(f"{beside.memory:.2f} of its peak memory")
    if beside.size:
        said.append(f"{beside.size:.2f} of its size")
    return f"{said[0]}: {', '.join(said[1:]) or 'nothing to compare'}."


def _machine(machine: Machine) -> str:
    host = machine.host
    virtual = f", virtual ({host.virtual})" if host.virtual else ""
    emulated = ", emulated" if host.emulated else ""
    return (
        f"{machine.device}: {host.cpu}, {host.cores} cores, {size(host.memory_bytes)}, "
        f"{host.system}{virtual}{emulated}, Python {host.python}, steelyard {machine.tool_version}."
    )


def _name(row: Row, table: TaskTable) -> str:
    several = len({other.cell.device for other in table.rows}) > 1
    return f"{row.name} on {row.cell.device}" if several else row.name


def _reason(row: Row) -> str:
    return in_one_line(row.reason or "no reason was recorded")
