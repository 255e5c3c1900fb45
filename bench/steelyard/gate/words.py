"""What a gate found, in words: a line a quantity, what to do where it could not tell."""

from __future__ import annotations

from collections.abc import Iterator

from steelyard.gate.auditing import Audit, CellAudit
from steelyard.gate.sequence import MOST, POWER
from steelyard.gate.types import CellResult, Line, Result, Status
from steelyard.report import units

SHOWN: dict[Status, str] = {
    "ok": "ok", "regression": "REGRESSION", "inconclusive": "inconclusive",
    "absent": "not measured",
}  # fmt: skip
OPENS: dict[Status, str] = {
    "ok": "ok: nothing got worse by its margin or more",
    "regression": "REGRESSION",
    "inconclusive": "inconclusive: not shown to be worse, and not shown to be fine",
    "absent": "could not be measured",
}


def told(result: Result) -> Iterator[str]:
    """Yield the lines of a result, its conclusion first."""
    yield f"{OPENS[result.status]}  ({result.baseline} -> {result.candidate})"
    for cell in result.cells:
        yield ""
        yield f"{cell.cell}: {SHOWN[cell.status]}  ({cell.baseline} -> {cell.candidate})"
        yield from (f"  {text}" for text in _cell(cell))
    yield ""
    took = f"{result.seconds:.0f} s" if result.seconds < 120 else f"{result.seconds / 60:.1f} min"
    yield f"{result.machine}; {took}; level {percent(result.alpha)} over all looks, one-sided"


def regressions(result: Result) -> Iterator[str]:
    """Yield a sentence a regression: the cell, what got worse, by how much, its interval."""
    for cell in result.cells:
        for line in cell.lines:
            if line.status == "regression":
                yield f"{cell.cell}: {sentence(line)}"


def audited(audit: Audit) -> Iterator[str]:
    """Yield the lines of an audit."""
    yield f"{audit.arm} against itself on {audit.machine}, {audit.device}"
    for cell in audit.cells:
        yield ""
        yield from _audited(cell, audit)


def sentence(line: Line) -> str:
    """Return one line in words."""
    said = f"{line.quantity} {SHOWN[line.status]}"
    if line.estimate is not None:
        said += f": {_figures(line)}"
    more = [text for text in (_of(line), _then(line), line.reason) if text]
    return "; ".join([said, *more, *line.notes])


def percent(share: float) -> str:
    """Return a share in per cent, to two digits below ten."""
    return f"{100 * share:.2g} %" if abs(share) < 0.0995 else f"{100 * share:.0f} %"


def _cell(cell: CellResult) -> Iterator[str]:
    yield from (sentence(line) for line in cell.lines)
    if cell.lost:
        yield f"{len(cell.lost)} blocks were repeated; the last: {cell.lost[-1]}"
    yield from cell.notes


def _figures(line: Line) -> str:
    """Return the ratio, or the difference of scores, with its interval and both figures."""
    digits = ".3f" if line.quantity != "score" else "+.4f"
    said = f"{line.estimate:{digits}}"
    if line.low is not None and line.high is not None:
        said += f" [{line.low:{digits}}, {line.high:{digits}}]"
    if line.baseline is None or line.candidate is None:
        return said
    return f"{said} ({_amount(line, line.baseline)} -> {_amount(line, line.candidate)})"


def _amount(line: Line, value: float) -> str:
    match line.quantity:
        case "latency":
            return units.duration(value)
        case "memory" | "size":
            return units.size(value)
        case "energy":
            return units.energy(value)
        case "score":
            return f"{line.unit} {value:.4f}"


def _of(line: Line) -> str:
    if line.n is None:
        return ""
    what = "items" if line.quantity == "score" else "blocks"
    beyond = ""
    if line.status == "regression" and line.tolerated:
        beyond = f", beyond the {percent(line.tolerated)} that is tolerated"
    return f"{line.n} {what}{beyond}"


def _then(line: Line) -> str:
    """Say what an ok could have missed, and what would decide the rest."""
    if line.status == "ok" and line.detectable is not None:
        if line.quantity == "score":
            return f"a loss of {line.detectable:.3f} or more would have been found (80 %)"
        found = f"+{percent(line.detectable)} or more would have been found"
        return f"{found} ({percent(POWER)})"
    if line.status != "inconclusive":
        return ""
    if line.quantity == "score":
        return f"about {line.needed} items would show equals to be within {line.margin:g}"
    return _noisy(line)


def _noisy(line: Line) -> str:
    if line.spread is None or line.n is None or line.margin is None:
        return ""
    found = f"blocks differ by {percent(line.spread)}"
    if line.needed is None or line.needed > MOST:
        many = f"{line.needed} blocks" if line.needed else "more blocks than are sensible"
        return f"this device is noisy: {found}, {many} would be needed; quieten it first (doctor)"
    if line.needed > line.n:
        return f"this device is noisy: {found}, about {line.needed} blocks are needed (--blocks)"
    return f"{found}: the change lies near the bounds, more blocks decide (--blocks)"


def _audited(cell: CellAudit, audit: Audit) -> Iterator[str]:
    yield (
        f"{cell.cell}: {cell.alarms} alarms in {cell.trials} trials, {cell.undecided} undecided, "
        f"{cell.unmeasured} not measured, {cell.seconds / max(1, cell.trials):.0f} s a trial"
    )
    if cell.alarm_rate is not None and cell.alarm_low is not None and cell.alarm_high is not None:
        yield (
            f"  false alarms {percent(cell.alarm_rate)} "
            f"[{percent(cell.alarm_low)}, {percent(cell.alarm_high)}]"
        )
    if cell.spread is not None and cell.detectable is not None:
        yield (
            f"  blocks differ by {percent(cell.spread)}; {audit.looks[-1]} of them find "
            f"+{percent(cell.detectable)} ({percent(POWER)})"
        )
    if cell.advised:
        yield f"  to find +{percent(audit.margin)}: looks after {_listed(cell.advised)} blocks"
    elif cell.spread is not None:
        yield f"  too noisy to find +{percent(audit.margin)} in {MOST} blocks: quieten the device"
    yield from (f"  {reason}" for reason in cell.reasons)


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
