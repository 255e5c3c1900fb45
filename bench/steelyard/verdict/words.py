"""Verdicts in plain words, the winner first whichever side it is on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from steelyard.verdict.types import Comparison, Quantity, Verdict

OUTCOMES = {"wins": "small wins", "loses": "large wins", "undecided": "undecided"}
NAMES: dict[Quantity, str] = {
    "latency_p50": "time (p50)",
    "memory_peak": "peak memory",
    "size": "size on disk",
    "energy": "energy",
    "cost": "cost",
}
# Metrics between 0 and 1 that people read in hundredths.
_IN_POINTS = ("accuracy", "macro-f1", "f1", "recall", "entity-f1", "token-f1")


def pair(verdict: Verdict) -> str:
    """Return one sentence on a pair: the answers, then the needs, from the winner's side."""
    if verdict.score.estimate is None:
        return verdict.score.reason or "the answers were not compared"
    known = [one for one in verdict.resources if one.decides and one.estimate is not None]
    text = answers(verdict)
    said = ", ".join(_needs(known, turned=turned(verdict)))
    text += f"; it takes {said}" if said else ""
    unknown = [NAMES[one.quantity] for one in verdict.resources if _is_missed(one)]
    text += f"; {', '.join(unknown)} not compared" if unknown else ""
    # A pair may be won on needs though its score is undecided from the small one's side.
    why = verdict.score.reason if verdict.outcome == "undecided" else None
    return f"{text}. {why}" if why else text


def answers(verdict: Verdict) -> str:
    """Say how the answers of a pair compare, from the winner's side."""
    score = verdict.score
    ours, theirs = verdict.small.name, verdict.large.name
    if turned(verdict):
        ours, theirs = theirs, ours
    items = f"on the same {score.n} items"
    if score.status == "better" or (score.status == "worse" and turned(verdict)):
        return f"{ours} is {difference(score, turned=turned(verdict))} better than {theirs} {items}"
    if score.status == "worse":
        turned_round = difference(score, turned=True)
        return f"{ours} is {turned_round} worse than {theirs} {items}"
    if verdict.outcome != "undecided" or score.status == "same":
        most = amount(score.margin or 0.0, score.unit)
        seen = measured(score, turned=turned(verdict))
        return (
            f"{ours} is shown to be at most {most} worse than {theirs} (measured: {seen} {items})"
        )
    seen = difference(score, turned=turned(verdict), signed=True)
    return f"{ours} is not shown to be better, worse or as good as {theirs} {items} ({seen})"


def turned(verdict: Verdict) -> bool:
    """Tell whether a pair is told from the large one's side."""
    return verdict.outcome == "loses"


def difference(score: Comparison, *, turned: bool = False, signed: bool = False) -> str:
    """Return a difference of scores with its interval: `12.0 points [4.1, 19.8]`."""
    if score.estimate is None or score.low is None or score.high is None:
        return "no difference known"
    ends = (score.estimate, score.low, score.high)
    # Subtracted, since -0.0 would print as it is.
    value, low, high = (0 - ends[0], 0 - ends[2], 0 - ends[1]) if turned else ends
    plus = "+" if signed else ""
    if not score.unit.startswith(_IN_POINTS):
        return f"{value:{plus}.3f} {score.unit} [{low:.3f}, {high:.3f}]"
    of = "" if score.unit == "accuracy" else f" of {score.unit}"
    return f"{100 * value:{plus}.1f} points{of} [{_short(low)}, {_short(high)}]"


def measured(score: Comparison, *, turned: bool = False) -> str:
    """Say a difference in words, with its interval: `7.0 points better [0.9, 12.8]`.

    The interval is of the direction that is said.
    """
    ahead = -(score.estimate or 0.0) if turned else (score.estimate or 0.0)
    worse = ahead < 0
    size, bracket, interval = difference(score, turned=turned != worse).partition(" [")
    return f"{size} {'worse' if worse else 'better'}{bracket}{interval}"


def amount(value: float, metric: str) -> str:
    """Return an amount of a metric: `1 point`, `18.3 points`, `0.05 mcc`."""
    if not metric.startswith(_IN_POINTS):
        return f"{value:.3g} {metric}"
    points = f"{100 * value:.1f}".removesuffix(".0")
    return f"{points} point{'' if points == '1' else 's'}"


def times(share: float) -> str:
    """Return how much of the other's a cell needs: `1/380 of`, `0.80 of`, `2.1 times`."""
    if share >= 1:
        return f"{rounded(share)} times"
    return f"1/{rounded(1 / share)} of" if share <= 0.5 else f"{share:.2f} of"


def rounded(value: float) -> str:
    """Return three significant digits without an exponent: `28,400`, `3.61`."""
    if value < 1000:
        return f"{value:.3g}"
    return f"{float(f'{value:.3g}'):,.0f}"


def tally(pairs: Sequence[Verdict]) -> str:
    """Count how the pairs ended."""
    won, lost = (sum(p.outcome == which for p in pairs) for which in ("wins", "loses"))
    return (
        f"Of {len(pairs)} pairs the small model wins {won}, the large one {lost}; "
        f"{len(pairs) - won - lost} undecided"
    )


def _needs(needs: Sequence[Comparison], *, turned: bool) -> Iterator[str]:
    for one in needs:
        small, large = one.small or 1.0, one.large or 1.0
        share = large / small if turned else small / large
        about = "about " if one.status == "undecided" else ""
        yield f"{about}{times(share)} its {NAMES[one.quantity]}"


def _is_missed(one: Comparison) -> bool:
    """Tell whether a need that every cell has was not compared; few machines know the energy."""
    return one.estimate is None and one.quantity in {"latency_p50", "memory_peak"}


def _short(value: float) -> str:
    return f"{100 * value:.1f}"
