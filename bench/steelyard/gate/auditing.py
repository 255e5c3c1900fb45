"""The gate on one arm against itself: how often it cries wolf here, and what it can find. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, sqrt
from pathlib import Path

import msgspec

from steelyard import stats
from steelyard.errors import ArmError
from steelyard.gate.gating import Terms
from steelyard.gate.paired import Block, ratios
from steelyard.gate.sequence import ALPHA, POWER, Looks, blocks_needed, planned
from steelyard.gate.types import CellResult, Line, Mode
from steelyard.record import Recorded

SCHEMA = 1


class CellAudit(Recorded, frozen=True, kw_only=True):
    """What trials of one arm against itself say of a cell's latency.

    `alarm_rate` is of the trials that ended with a verdict, with its 95 % Wilson interval.
    `spread` is the standard deviation of ln(candidate / baseline) within a trial. `detectable` is
    the least change that the planned blocks find at 95 %; `needed` blocks would find the margin,
    with looks at `advised`; None where that is more than is sensible.
    """

    cell: str
    trials: int
    alarms: int
    undecided: int
    unmeasured: int
    seconds: float
    alarm_rate: float | None = None
    alarm_low: float | None = None
    alarm_high: float | None = None
    spread: float | None = None
    detectable: float | None = None
    needed: int | None = None
    advised: tuple[int, ...] | None = None
    estimates: tuple[float, ...] = ()
    reasons: tuple[str, ...] = ()


class Audit(Recorded, frozen=True, kw_only=True):
    """What `gate --aa` publishes of a device: `machine` and `device` say of which."""

    schema: int
    arm: str
    device: str
    machine: str
    mode: Mode
    started: str
    alpha: float
    margin: float
    tolerated: float
    looks: tuple[int, ...]
    cells: tuple[CellAudit, ...]


def cell_audit(trials: Sequence[CellResult], terms: Terms, seconds: float) -> CellAudit:
    """Return what the trials of one cell say."""
    found = [line for trial in trials for line in trial.lines if line.quantity == "latency"]
    alarms = sum(line.status == "regression" for line in found)
    measured = [line for line in found if line.status != "absent"]
    bare = CellAudit(
        cell=trials[0].cell,
        trials=len(trials),
        alarms=alarms,
        undecided=sum(line.status == "inconclusive" for line in measured),
        unmeasured=len(found) - len(measured),
        seconds=round(seconds, 1),
        estimates=tuple(line.estimate for line in measured if line.estimate is not None),
        reasons=tuple(dict.fromkeys(line.reason for line in found if line.reason)),
    )
    return _known(bare, trials, measured, terms) if measured else bare


def read(path: Path) -> Audit:
    """Return an audit from its file; raise ArmError for one that cannot be used."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Audit)
    except OSError as error:
        raise ArmError(f"{path}: {error.strerror}; make one with steelyard gate --aa") from error
    except msgspec.MsgspecError as error:
        raise ArmError(f"{path}: no audit of this steelyard: {error}") from error
    if found.schema != SCHEMA:
        raise ArmError(f"{path}.schema: version {found.schema}, this steelyard reads {SCHEMA}")
    return found


def looks_by(audit: Audit, machine: str) -> Looks:
    """Return the looks that an audit advises for its device: those of its noisiest cell.

    Raises ArmError for another machine's audit, or for a device too noisy to plan for.
    """
    if audit.machine != machine:
        raise ArmError(f"the audit is of {audit.machine}, this is {machine}; audit this one")
    advised = [one.advised for one in audit.cells]
    if not advised or any(looks is None for looks in advised):
        raise ArmError(
            "the audit found this device too noisy: no sensible number of blocks finds the margin"
        )
    return Looks(blocks=max((looks for looks in advised if looks), key=lambda looks: looks[-1]))


def _known(
    bare: CellAudit, trials: Sequence[CellResult], measured: Sequence[Line], terms: Terms
) -> CellAudit:
    spread = _pooled(trials)
    low, high = stats.wilson(bare.alarms, len(measured))
    within = terms.bounds("latency")
    advised = planned(spread, within) if spread is not None else None
    return msgspec.structs.replace(
        bare,
        alarm_rate=bare.alarms / len(measured),
        alarm_low=low,
        alarm_high=high,
        spread=spread,
        detectable=_detectable(spread, terms) if spread is not None else None,
        needed=blocks_needed(spread, within) if spread is not None else None,
        advised=advised.blocks if advised else None,
    )


def _pooled(trials: Sequence[CellResult]) -> float | None:
    """Return the standard deviation of a block within a trial, over all trials."""
    squares, freedom = 0.0, 0
    for trial in trials:
        pairs = [Block(baseline=a, candidate=b) for a, b in trial.medians_ns]
        logs = ratios(pairs)
        if len(logs) > 1:
            mean = sum(logs) / len(logs)
            squares += sum((value - mean) ** 2 for value in logs)
            freedom += len(logs) - 1
    return sqrt(squares / freedom) if freedom else None


def _detectable(spread: float, terms: Terms) -> float:
    n, share = terms.looks.blocks[-1], terms.looks.shares[-1]
    reach = stats.student_quantile(n - 1, 1 - 2 * ALPHA * share) + stats.student_quantile(
        n - 1, 2 * POWER - 1
    )
    return exp(terms.bounds("latency").log_tolerated + reach * spread / sqrt(n)) - 1
