"""Records of a cell -> its history: ordered by time, addressed by device class and environment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from steelyard.card import TaskCard
from steelyard.directions import higher_is_better
from steelyard.errors import HistoryError
from steelyard.history.changes import Step, detect
from steelyard.history.environments import differing, environment, machine
from steelyard.history.figures import UNITS, Alike, counted, figure
from steelyard.history.types import (
    QUANTITIES,
    RULES,
    SCHEMA,
    Address,
    Change,
    Environment,
    History,
    Kept,
    Moment,
    Quantity,
    Series,
)
from steelyard.record import Record


def history(
    kept: Sequence[Kept],
    address: Address,
    quantities: Sequence[Quantity] = QUANTITIES,
    card: TaskCard | None = None,
) -> History:
    """Return the history at an address; raise HistoryError where that is none, or several.

    `card` is the task's: it says whether more of its score is better.
    """
    name, on_machine = _on_machine(kept, address)
    chosen = _within(_ordered(on_machine), address)
    environments = {one.key: one for one in (environment(each.host) for each in chosen)}
    moments = tuple(_moments(chosen))
    more = higher_is_better(chosen[-1].record.metric, card)
    ways = {one: more if one == "score" else False for one in quantities}
    made = [_series(one, chosen, moments, higher=ways[one]) for one in quantities]
    return History(
        schema=SCHEMA,
        cell=address.cell,
        machine=name,
        environments=tuple(environments.values()),
        moments=moments,
        series=tuple(one for one in made if _measured(one)),
        absent=tuple((one.quantity, _why(one)) for one in made if not _measured(one)),
    )


def _on_machine(kept: Sequence[Kept], address: Address) -> tuple[str, list[Kept]]:
    """Return the device class that is meant, and its records."""
    classes = sorted({machine(one.host) for one in kept})
    wanted = address.machine
    meant = [one for one in classes if wanted is None or wanted.lower() in one.lower()]
    if wanted in classes:
        meant = [wanted]
    if len(meant) != 1:
        said = f"no device class is '{wanted}'" if not meant else "several device classes"
        raise HistoryError(
            f"{address.cell}: {said}: {'; '.join(meant or classes)} (choose with --machine)"
        )
    return meant[0], [one for one in kept if machine(one.host) == meant[0]]


def _within(kept: list[Kept], address: Address) -> list[Kept]:
    """Return the records of the environment that is meant; all, where none is named."""
    wanted = address.environment
    if wanted is None:
        return kept
    found = [one for one in kept if environment(one.host).key == wanted]
    if not found:
        keys = dict.fromkeys(environment(one.host).key for one in kept)
        raise HistoryError(
            f"{address.cell}: no environment is '{wanted}'; there are: {', '.join(keys)}"
        )
    return found


def _ordered(kept: Sequence[Kept]) -> list[Kept]:
    """Return the records in the order of time; of a record that was read twice, one."""
    once = {(_when(one), one.run): one for one in kept}
    return [once[key] for key in sorted(once)]


def _when(one: Kept) -> str:
    started = one.record.started
    try:
        time = datetime.fromisoformat(started.replace("Z", "+00:00"))
    except ValueError as error:
        raise HistoryError(f"run {one.run}: started at {started!r}, which is no time") from error
    aware = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
    return aware.astimezone(timezone.utc).isoformat(timespec="seconds")


def _moments(kept: Sequence[Kept]) -> Iterator[Moment]:
    before: Kept | None = None
    for one in kept:
        yield Moment(
            run=one.run,
            started=_when(one),
            outcome=one.record.outcome,
            environment=environment(one.host).key,
            commit=one.commit,
            differs=_differs(before, one) if before else (),
        )
        before = one


def _differs(before: Kept, after: Kept) -> tuple[str, ...]:
    """Name what a change may come from: what the records and their hosts say, by content."""
    hashes = (name for name, ours, theirs in _contents(before, after) if ours != theirs)
    return (*hashes, *_environments(environment(before.host), environment(after.host)))


def _contents(before: Kept, after: Kept) -> Iterator[tuple[str, object, object]]:
    old, new = before.record, after.record
    yield "task card", old.task_sha256, new.task_sha256
    yield "data", old.data_sha256, new.data_sha256
    yield "model card", old.model_sha256, new.model_sha256
    yield "items", old.sample, new.sample
    yield "metric", old.metric, new.metric
    yield "backend", old.backend, new.backend
    yield "threads", old.threads, new.threads
    if old.artifact and new.artifact:
        yield "artefact", old.artifact.sha256, new.artifact.sha256


def _environments(before: Environment, after: Environment) -> tuple[str, ...]:
    return () if before.key == after.key else differing(before, after)


def _series(
    quantity: Quantity, kept: Sequence[Kept], moments: Sequence[Moment], *, higher: bool | None
) -> Series:
    alike = Alike(
        metric=kept[-1].record.metric,
        counted=next((found for one in reversed(kept) if (found := counted(one.record))), None),
    )
    figures = [figure(one.record, quantity, alike) for one in kept]
    values = tuple(one.value for one in figures)
    return Series(
        quantity=quantity,
        unit=_unit(quantity, kept[-1].record),
        values=values,
        reasons=tuple(one.reason for one in figures),
        changes=tuple(_changes(quantity, values, moments, higher=higher)),
    )


def _unit(quantity: Quantity, latest: Record) -> str:
    return UNITS.get(quantity) or latest.metric


def _changes(
    quantity: Quantity,
    values: Sequence[float | None],
    moments: Sequence[Moment],
    *,
    higher: bool | None,
) -> Iterator[Change]:
    rule = RULES[quantity]
    # What is absent is no point of the series; where ratios count, neither is what has none.
    at = [i for i, v in enumerate(values) if v is not None and (v > 0 or not rule.ratio)]
    known = [value for i in at if (value := values[i]) is not None]
    for step in detect(known, rule):
        yield _change(quantity, step, at, moments, higher=higher)


def _change(
    quantity: Quantity,
    step: Step,
    at: list[int],
    moments: Sequence[Moment],
    *,
    higher: bool | None,
) -> Change:
    index, previous = at[step.index], at[step.index - 1]
    ratio = RULES[quantity].ratio
    shift = step.after / step.before - 1 if ratio else step.after - step.before
    between = moments[previous + 1 : index + 1]
    return Change(
        index=index,
        before=step.before,
        after=step.after,
        shift=shift,
        worse=None if higher is None else (shift < 0) == higher,
        found_by=_found_by(step),
        commit=moments[index].commit,
        previous_commit=moments[previous].commit,
        differs=tuple(dict.fromkeys(one for moment in between for one in moment.differs)),
    )


def _found_by(step: Step) -> tuple[str, ...]:
    return (*(("Potts",) if step.potts else ()), *(("E-divisive",) if step.edivisive else ()))


def _measured(series: Series) -> bool:
    return any(value is not None for value in series.values)


def _why(series: Series) -> str:
    """Return why the latest run has no value."""
    return series.reasons[-1] or "not measured"
