"""Figures and changes of a history in words, for all its forms."""

from __future__ import annotations

from steelyard.history.changes import PERSISTENCE
from steelyard.history.types import Change, History, Quantity, Series
from steelyard.report import units

TITLES: dict[Quantity, str] = {
    "latency": "latency p50", "score": "score", "memory": "peak memory", "size": "size",
    "energy": "energy a call",
}  # fmt: skip
ABSENT = "-"
WAYS = {True: "worse", False: "better", None: "no card says whether that is better"}
COMMIT = 12
RULE = (
    "Change points: the union of a Potts step fit and a Hampel-filtered E-divisive, each shift of "
    "5 % (size 1 %, score 0.01) or more that lasts for 3 runs and is significant at 1 %. Runs are "
    "taken as independent of each other; a slow drift is no step."
)


def amount(quantity: Quantity, value: float | None) -> str:
    """Return a value scaled, with its unit."""
    if value is None:
        return ABSENT
    match quantity:
        case "latency":
            return units.duration(value * 1e9)
        case "memory" | "size":
            return units.size(value)
        case "energy":
            return units.energy(value)
        case "score":
            return f"{value:.4f}"


def shift(quantity: Quantity, change: Change) -> str:
    """Return a shift as a share, or as a difference of scores."""
    return f"{change.shift:+.4f}" if quantity == "score" else f"{100 * change.shift:+.1f} %"


def sentence(series: Series, change: Change, history: History) -> str:
    """Return one change: what, how much, since which run and commit, what else was new there."""
    moment = history.moments[change.index]
    name = series.quantity
    levels = f"{amount(name, change.before)} -> {amount(name, change.after)}"
    said = f"{TITLES[name]} {shift(name, change)} ({WAYS[change.worse]}): {levels} "
    said += f"since {day(moment.started)}, run {units.clean(moment.run)}, {commits(change)}"
    if change.differs:
        said += f"; also new there: {units.clean(', '.join(change.differs))}"
    return f"{said} (found by {' and '.join(change.found_by)})"


def none_found(series: Series) -> str:
    """Say that a series has no change point, or too few values for one."""
    known = sum(value is not None for value in series.values)
    if known < 2 * PERSISTENCE:
        return f"{known} of the {2 * PERSISTENCE} runs that a change point needs"
    return "no change point"


def commits(change: Change) -> str:
    """Return where the cause lies, as commits."""
    if change.commit is None:
        return "commit not recorded"
    if change.previous_commit == change.commit:
        return f"at the same commit {commit(change.commit)}"
    return f"after commit {commit(change.previous_commit)}, up to {commit(change.commit)}"


def commit(sha: str | None) -> str:
    """Return as much of a commit as tells it from others."""
    return units.clean(sha[:COMMIT]) if sha else ABSENT


def day(started: str) -> str:
    """Return a UTC time to the minute."""
    return started[:16].replace("T", " ")


def headline(history: History) -> str:
    """Return what the history is of."""
    count = len(history.moments)
    first, last = history.moments[0].started[:10], history.moments[-1].started[:10]
    when = first if first == last else f"{first} to {last}"
    kinds = len(history.environments)
    return (
        f"{units.clean(history.cell)} on {units.clean(history.machine)}: {count} "
        f"run{'' if count == 1 else 's'}, {when}, "
        f"{kinds} environment{'' if kinds == 1 else 's'}"
    )


def absences(history: History) -> tuple[str, ...]:
    """Return why quantities have no series."""
    return tuple(f"no {name}: {units.clean(reason)}" for name, reason in history.absent)


def marked(history: History) -> dict[int, list[str]]:
    """Return the titles of the quantities that changed, by moment."""
    found: dict[int, list[str]] = {}
    for series in history.series:
        for change in series.changes:
            found.setdefault(change.index, []).append(TITLES[series.quantity])
    return found
