"""Learning curves as text cells and sentences: what `steelyard curve` prints, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from steelyard.learning import RULE, Against, Curve, Learned, Step, TaskCurves
from steelyard.learning.types import Opponent
from steelyard.record import Cell
from steelyard.report.sheet import ABSENT, Column, Line, Sheet
from steelyard.report.units import clean
from steelyard.verdict import words

SCHEMA = 1
NO_GENERALIST = (
    "these runs have no generalist asked without examples: name its run too, as in `steelyard "
    "curve results/default RUN`"
)
COLUMNS = ("labels", "draws", "mean", "range of draws")


class Curves(Struct, frozen=True, kw_only=True):
    """The JSON of `steelyard curve`: the rule with the curves."""

    schema: int
    rule: str
    tasks: tuple[TaskCurves, ...]


def sheet(task: TaskCurves) -> Sheet:
    """Return a task's curves with what they say of each generalist, ready to print."""
    rivals = [one.cell for one in task.opponents if one.absent is None or one.n]
    labels, *figures = COLUMNS
    titles = [f"mean {task.metric}" if title == "mean" else title for title in figures]
    titles += [f"against {_name(cell, rivals)}" for cell in rivals]
    return Sheet(
        title=clean(task.task),
        group="specialist",
        columns=(
            Column(title=labels, figures=False),
            *(Column(title=clean(title)) for title in titles),
        ),
        lines=tuple(_lines(task, rivals)),
        notes=tuple(clean(note) for note in _notes(task, rivals)),
    )


def legend() -> tuple[str, ...]:
    """Return how points are made and compared."""
    return (f"learning curves: {RULE}",)


def json_text(tasks: Iterable[TaskCurves]) -> str:
    """Return curves as JSON, with the rule."""
    whole = Curves(schema=SCHEMA, rule=RULE, tasks=tuple(tasks))
    encoded = msgspec.json.encode(whole, order="deterministic")
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def sentence(curve: Curve, found: Learned, task: TaskCurves) -> str:
    """Say from how many labels on a specialist is better than a generalist, or that it is not."""
    rivals = [one.generalist for one in curve.learned]
    rival, margin = _name(found.generalist, rivals), words.amount(task.margin, task.metric)
    better, keeps_up = found.better_from, found.keeps_up_from
    if better is not None:
        text = f"{curve.name} is better than {rival} {_since(better, curve)}"
        if keeps_up is not None and keeps_up < better:
            text += f", and not worse by {margin} or more {_since(keeps_up, curve)}"
        return text + _seen(found.last, task.metric, "with the most, ")
    if keeps_up is not None:
        text = f"{curve.name} is not worse than {rival} by {margin} or more"
        return f"{text} {_since(keeps_up, curve)}, and not shown to be better" + _seen(
            found.last, task.metric, "with the most, "
        )
    text = f"{curve.name} with {_most(found, curve)}"
    if found.last.status == "incomparable":
        return f"{text} cannot be set against {rival}: {found.last.reason}"
    if found.last.status == "worse":
        return f"{text} is worse than {rival}" + _seen(found.last, task.metric)
    return f"{text} is not shown to be better than {rival}, or as good" + _seen(
        found.last, task.metric
    )


def sentences(task: TaskCurves) -> Iterator[str]:
    """Yield a sentence for each specialist and generalist of a task."""
    for curve in task.curves:
        for found in curve.learned:
            yield sentence(curve, found, task)


def _since(size: int, curve: Curve) -> str:
    sizes = [step.size for step in curve.steps if step.scores]
    if len(sizes) == 1 or size == sizes[-1]:
        return f"with {size} labelled items, the most tried"
    fewest = ", the fewest tried" if size == sizes[0] else ""
    return f"from {size} labelled items on{fewest}"


def _most(found: Learned, curve: Curve) -> str:
    last = next(step for step in reversed(curve.steps) if step.against)
    every = "all " if last.asked is None else ""
    return f"{every}{found.labels} labelled items{'' if every else ', the most tried,'}"


def _seen(last: Against, metric: str, where: str = "") -> str:
    """Return what was seen at the most labels: the difference, and what could have been."""
    if last.estimate is None:
        return ""
    text = f" ({_signed(last.estimate, metric)} {where}on the same {last.n} items"
    if last.status == "undecided" and last.detectable is not None:
        text += f", which show {words.amount(last.detectable, metric)} or more"
    return text + ")"


def _lines(task: TaskCurves, rivals: list[Cell]) -> Iterator[Line]:
    devices = {curve.device for curve in task.curves}
    for curve in task.curves:
        name = curve.name if len(devices) == 1 else f"{curve.name} on {curve.device}"
        for step in curve.steps:
            cells = (*_figures(step), *(_against(step, cell, task.metric) for cell in rivals))
            yield Line(role=clean(name), cells=tuple(clean(cell) for cell in cells))


def _figures(step: Step) -> tuple[str, str, str, str]:
    """Return labels, draws, mean and range; of all labels there is one draw, and no range."""
    size = str(step.size) if step.size is not None else ABSENT
    labels = size if step.asked is not None else f"all {size}"
    if step.mean is None or step.low is None or step.high is None:
        return labels, ABSENT, "not measured", ABSENT
    spread = f"{min(step.scores):.3f} to {max(step.scores):.3f}" if step.scores[1:] else ABSENT
    mean = f"{step.mean:.3f} [{step.low:.3f},{step.high:.3f}]"
    return labels, str(len(step.scores)), mean, spread


def _against(step: Step, rival: Cell, metric: str) -> str:
    one = next((found for found in step.against if found.generalist == rival), None)
    if one is None:
        return ABSENT
    if one.estimate is None or one.adjusted is None:
        return one.status
    p = "p<0.0001" if one.adjusted < 1e-4 else f"p={one.adjusted:.4f}"
    says = "not worse" if one.status == "same" else one.status
    return f"{says} {_signed(one.estimate, metric)} {p}"


def _signed(value: float, metric: str) -> str:
    return f"{'-' if value < 0 else '+'}{words.amount(abs(value), metric)}"


def _notes(task: TaskCurves, rivals: list[Cell]) -> Iterator[str]:
    yield from sentences(task)
    for one in task.opponents:
        yield _opponent(one, task.metric, rivals)
    if not task.opponents:
        yield NO_GENERALIST
    yield from task.notes
    for curve in task.curves:
        yield f"{curve.name}: points are of the same {curve.n} test items"
        yield from curve.notes
        for step in curve.steps:
            size = "all" if step.asked is None else step.asked
            yield from (f"{curve.name}, {size} labelled items: {why}" for why in step.absent)
        for found in curve.learned:
            if found.last.reason:
                yield f"{curve.name} against {found.generalist.name}: {found.last.reason}"


def _opponent(one: Opponent, metric: str, rivals: list[Cell]) -> str:
    name = _name(one.cell, rivals)
    if one.score is None:
        return f"{name}: {one.absent}"
    known = one.low is not None and one.high is not None
    ends = f" [{one.low:.3f},{one.high:.3f}]" if known else ""
    chosen = f"; its prompt was chosen on {one.chosen_on} labelled items" if one.chosen_on else ""
    return f"{name}, asked without examples: {metric} {one.score:.3f}{ends} n={one.n}{chosen}"


def _name(cell: Cell, among: list[Cell]) -> str:
    """Say which model in which variant, and on which device where another has the same name."""
    alike = [one for one in among if one.name == cell.name]
    return cell.name if len(alike) < 2 else f"{cell.name} on {cell.device}"
