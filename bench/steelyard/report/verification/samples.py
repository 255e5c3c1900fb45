"""Raw samples: each call's parts must add up to the whole, which no changed sample survives."""

from __future__ import annotations

from collections.abc import Sequence

from steelyard.record import Record, RunFile
from steelyard.report.verification.lines import Line, counted, ok, unchecked, wrong

_PARTS = ("latency_encode", "latency_infer", "latency_decode")
_WHOLE = "latency_end_to_end"


def samples(runs: Sequence[RunFile], *, pinned: bool) -> list[Line]:
    """Check the latencies; `pinned` tells that hashes stand in for what nothing repeats."""
    records = [record for run in runs for record in run.records]
    timed = [record for record in records if record.measurement(_WHOLE)]
    lines = [wrong(f"{r.cell.id}: {fault}") for r in timed if (fault := _fault(r))]
    if timed and not lines:
        calls = sum(len(_values(record, _WHOLE)) for record in timed)
        lines.append(
            ok(
                f"raw samples: {counted(calls, 'call')} of {counted(len(timed), 'cell')}, in each "
                "encode + infer + decode is end to end, to the nanosecond",
                calls=calls,
            )
        )
    if records and not pinned:
        lines.append(
            unchecked(
                "memory, energy, load shapes, evidence: nothing in the folder repeats them; "
                "a SHA256SUMS beside the run would pin them"
            )
        )
    return lines


def _fault(record: Record) -> str | None:
    """Say what is wrong with a record's latencies, or return None.

    The worker reads one clock four times a call, so the differences add up exactly.
    """
    whole = _values(record, _WHOLE)
    parts = [_values(record, name) for name in _PARTS]
    if any(len(part) != len(whole) for part in parts):
        counts = ", ".join(str(len(part)) for part in parts)
        return f"{len(whole)} calls end to end, but {counts} of encode, infer, decode"
    for place, (total, *pieces) in enumerate(zip(whole, *parts, strict=True), start=1):
        if total != sum(pieces) or min(pieces) < 0:
            return (
                f"call {place} of {len(whole)}: end to end is {total:,} ns, but encode + infer + "
                f"decode are {sum(pieces):,} ns: a sample was changed"
            )
    return None


def _values(record: Record, quantity: str) -> tuple[int | float, ...]:
    measured = record.measurement(quantity)
    return measured.values if measured else ()
