"""Which model of a task is the cheapest in total, from where on the other side is, and why."""

from __future__ import annotations

from steelyard.cost import CostReport, CostRow, Effect, Versus
from steelyard.report.money import money, volume_asked

SIDES = ("specialist", "generalist")
# Figures of the prices that are people's time.
_PEOPLE = ("engineering.", "labelling.")


def sentence(report: CostReport) -> str:
    """Say which side is the cheapest, whichever it is; baselines apart, which need no work."""
    best = {side: found for side in SIDES if (found := _least(report, side)) is not None}
    if not best:
        return "Neither a specialist nor a generalist has a cost here."
    first, *others = sorted(best.values(), key=_amount)
    demand = report.demand
    said = (
        f"At {volume_asked(demand.calls_a_day)} calls a day for {demand.months} months the "
        f"cheapest in total is {_priced(first, report)}"
    )
    if not others:
        missing = next(side for side in SIDES if side not in best)
        return f"{said}; no {missing} has a cost here to set beside it."
    pair = _pair(report, best["specialist"], best["generalist"])
    if pair is None:
        return f"{said}; {_priced(others[0], report)} is the other side's cheapest."
    return f"{said}; {_crossing(pair, first, others[0], report)}.{_decides(pair)}"


def _crossing(pair: Versus, first: CostRow, other: CostRow, report: CostReport) -> str:
    """Say what the other side costs, and from which volume the small one is the cheaper."""
    turns = pair.break_even.text.replace("costs less in total", "is cheaper")
    amount = _sum(other, report)
    if first.role == "generalist":
        return f"{other.name} costs {amount} and {turns}"
    return f"{other.name} costs {amount}, and {first.name} {turns}"


def _decides(pair: Versus) -> str:
    """Say so if the figure that matters most is people's time."""
    foremost = next(iter(pair.sensitivity), None)
    if foremost is None or not foremost.path.startswith(_PEOPLE):
        return ""
    shares = [side.total.computing_share for side in (pair.small, pair.large)]
    told = [f"{100 * share:.2g} %" for share in shares if share is not None]
    computing = f", not computing ({' and '.join(told)} of the totals)" if told else ""
    return f" People's hours decide it{computing}; most of all {_named(foremost)}."


def _named(effect: Effect) -> str:
    assumed = ", assumed" if effect.assumed else ""
    return f"{effect.path} ({effect.low:g} to {effect.high:g}{assumed})"


def _least(report: CostReport, role: str) -> CostRow | None:
    rows = [row for row in report.rows if row.role == role and row.amount is not None]
    return min(rows, key=_amount, default=None)


def _pair(report: CostReport, small: CostRow, large: CostRow) -> Versus | None:
    """Return the two set against each other, each where it is cheapest."""
    wanted = [(row.name, row.device) for row in (small, large)]
    return next(
        (
            one
            for one in report.versus
            if [
                (side.deployed.workload.name, side.deployed.workload.cell.device)
                for side in (one.small, one.large)
            ]
            == wanted
        ),
        None,
    )


def _amount(row: CostRow) -> float:
    return row.amount if row.amount is not None else float("inf")


def _priced(row: CostRow, report: CostReport) -> str:
    return f"{row.name} ({_sum(row, report)})"


def _sum(row: CostRow, report: CostReport) -> str:
    about = "~" if row.total is not None and row.total.modelled else ""
    return f"{about}{money(_amount(row))} {report.currency}"
