"""How far the records reach: which generalists, tasks, machines, samples; what was not done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from steelyard.claims.card import ClaimsFile
from steelyard.claims.grounds import Known, Measured, Task

_COUNTS = ((1e9, "billion"), (1e6, "million"))


def scope(tasks: Sequence[Task], known: Known) -> str:
    """Return one line: against which generalists, on how many tasks and items, on what."""
    cells = [one for task in tasks for one in task.cells.values()]
    large = [one for one in cells if one.record.role == "generalist" and one.record.answered]
    if not large:
        return f"no generalist answered; {_tasks(tasks)}"
    asked = sorted({one.record.sample.n for one in large if one.record.sample})
    items = f", {_span(asked)} items each" if asked else ""
    return (
        f"against {_all(_models(large, known))}, {_shots(large)}, on {_tasks(tasks)}{items}, "
        f"on {_hosts(cells)}"
    )


def not_done(claims: ClaimsFile, tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return what would help the large side and was not done, and what no test here covers."""
    large = [one for task in tasks for one in task.of_role("generalist") if one.record.answered]
    helps = [f"not done, though known to help a large model: {one}" for one in claims.helps_large]
    if not any(one.record.prompt and one.record.prompt.shots for one in large):
        helps.append(
            "not done, though known to help a large model: labelled examples in the prompt "
            "(no few-shot run is among the records)"
        )
    biggest = max((_parameters(one) for one in large), default=0)
    if biggest:
        helps.append(
            "not done, though known to help a large model: more of it "
            f"(the largest here has {_count(biggest)} parameters)"
        )
    return (
        *helps,
        *(f"not tested: {one}" for one in claims.untested),
        *(
            f"a figure of business surveys, neither used nor tested: {one}"
            for one in claims.figures
        ),
    )


def _models(large: Iterable[Measured], known: Known) -> list[str]:
    sizes: dict[str, int] = {}
    for one in large:
        model = one.record.cell.model
        sizes[model] = max(sizes.get(model, 0), _parameters(one))
    return [
        f"{known.titles.get(model, model)} ({_count(size)} parameters)"
        if size
        else known.titles.get(model, model)
        for model, size in sorted(sizes.items(), key=lambda pair: (pair[1], pair[0]))
    ]


def _parameters(one: Measured) -> int:
    return one.record.artifact.parameters if one.record.artifact else 0


def _shots(large: Iterable[Measured]) -> str:
    shots = sorted({one.record.prompt.shots for one in large if one.record.prompt})
    if not shots:
        return "asked in a way that was not kept"
    if shots == [0]:
        return "asked without examples"
    return f"asked with {' or '.join(map(str, shots))} examples"


def _hosts(cells: Iterable[Measured]) -> str:
    kinds = dict.fromkeys(_host(one) for one in cells)
    return _all(list(kinds)) if kinds else "no machine"


def _host(one: Measured) -> str:
    host = one.host
    kind = "an emulated machine" if host.emulated else "a virtual machine" if host.virtual else ""
    name = host.board or host.cpu
    return f"{kind or 'a machine'} ({name}, {host.cores} cores)"


def _tasks(tasks: Sequence[Task]) -> str:
    return "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"


def _span(values: Sequence[int]) -> str:
    return str(values[0]) if values[0] == values[-1] else f"{values[0]} to {values[-1]}"


def _all(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _count(number: int) -> str:
    for size, word in _COUNTS:
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number:,}"
