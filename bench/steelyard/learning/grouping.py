"""Runs -> the cells of each curve, by size and draw, and the generalists beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from steelyard.record import Record, RunFile
from steelyard.verdict.matching import Load, Side, latest, side

# A size that was asked for; None: all labels.
Asked = int | None


class Sides(Struct, frozen=True, kw_only=True):
    """All that is known of one specialist's curve: the cells of each size, the fewest first.

    `notes` say what was left out.
    """

    model: str
    variant: str
    device: str
    sizes: Mapping[Asked, tuple[Side, ...]]
    items: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Group(Struct, frozen=True, kw_only=True):
    """The curves of a task, and the generalists that were asked without examples."""

    task: str
    metric: str
    curves: tuple[Sides, ...]
    generalists: tuple[Side, ...]
    notes: tuple[str, ...] = ()


def groups(runs: Iterable[RunFile], load: Load) -> tuple[Group, ...]:
    """Return a group for each task that has a point of a curve, in the order of the runs."""
    runs = list(runs)
    points = _points(runs)
    others = latest(runs)
    return tuple(
        _group(
            task,
            [(run, one) for run, one in points if one.cell.task == task],
            [(run, one) for run, one in others if one.cell.task == task],
            load,
        )
        for task in dict.fromkeys(record.cell.task for _, record in points)
    )


def _points(runs: Sequence[RunFile]) -> list[tuple[RunFile, Record]]:
    """Return the latest record of every point."""
    found: dict[str, tuple[RunFile, Record]] = {}
    for run in runs:
        for record in run.records:
            known = found.get(record.cell.id)
            if record.subset and (known is None or known[1].started <= record.started):
                found[record.cell.id] = (run, record)
    return list(found.values())


def _group(
    task: str,
    points: Sequence[tuple[RunFile, Record]],
    others: Sequence[tuple[RunFile, Record]],
    load: Load,
) -> Group:
    generalists = [pair for pair in others if pair[1].role == "generalist"]
    zero_shot = [pair for pair in generalists if not _has_examples(pair[1])]
    shown = [record.cell for _, record in generalists if _has_examples(record)]
    by_curve: dict[tuple[str, str, str], list[tuple[RunFile, Record]]] = {}
    for run, record in points:
        by_curve.setdefault(_key(record), []).append((run, record))
    whole = {_key(record): (run, record) for run, record in others if record.role == "specialist"}
    return Group(
        task=task,
        metric=points[0][1].metric,
        curves=tuple(_sides(key, own, whole.get(key), load) for key, own in by_curve.items()),
        generalists=tuple(side(run, record, load) for run, record in zero_shot),
        notes=tuple(f"{cell.name} was asked with examples and is left out" for cell in shown),
    )


def _has_examples(record: Record) -> bool:
    return record.prompt is not None and record.prompt.shots > 0


def _key(record: Record) -> tuple[str, str, str]:
    variant = record.subset.variant if record.subset else record.cell.variant
    return record.cell.model, variant, record.cell.device


def _sides(
    key: tuple[str, str, str],
    own: Sequence[tuple[RunFile, Record]],
    whole: tuple[RunFile, Record] | None,
    load: Load,
) -> Sides:
    sizes: dict[Asked, list[Side]] = {}
    for run, record in own:
        asked = record.subset.labels if record.subset else None
        sizes.setdefault(asked, []).append(side(run, record, load))
    items = _common(one for sides in sizes.values() for one in sides)
    notes: tuple[str, ...] = ()
    if None not in sizes and whole is not None:
        usual = side(*whole, load)
        if items and items <= usual.answers.keys():
            sizes[None] = [usual]
        elif items:
            notes = (f"{usual.name} with all labels answered other items and is left out",)
    ordered = sorted(sizes.items(), key=lambda entry: (entry[0] is None, entry[0] or 0))
    return Sides(
        model=key[0],
        variant=key[1],
        device=key[2],
        sizes={asked: tuple(sorted(found, key=_draw)) for asked, found in ordered},
        items=tuple(sorted(items)),
        notes=notes,
    )


def _common(sides: Iterable[Side]) -> frozenset[str]:
    """Return the items that every cell with answers answered."""
    asked = [frozenset(one.answers) for one in sides if one.answers]
    return frozenset.intersection(*asked) if asked else frozenset()


def _draw(one: Side) -> int:
    return one.record.subset.draw if one.record.subset else 0


def absences(sides: Iterable[Side]) -> Iterator[str]:
    """Say of each cell without answers why, the same reason once."""
    said: dict[str, int] = {}
    for one in sides:
        if not one.answers:
            record = one.record
            reason = record.reason or ("its predictions are not at hand" if record.answered else
                                       "no reason was recorded")  # fmt: skip
            outcome = "" if record.answered else f"{record.outcome.replace('_', ' ')}: "
            said[outcome + reason] = said.get(outcome + reason, 0) + 1
    for reason, count in said.items():
        yield reason if count == 1 else f"{reason} ({count} draws)"
