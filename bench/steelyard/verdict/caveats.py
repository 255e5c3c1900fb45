"""What a reader must know of a pair before believing its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from steelyard import stats
from steelyard.verdict.answers import Contrast, Reweigh, Terms, contrast
from steelyard.verdict.matching import Pair, Side, unfit


class Useless(Struct, frozen=True, kw_only=True):
    """A cell that is not shown to be better than a baseline, in one sentence."""

    text: str


def below_baseline(
    one: Side, baselines: Sequence[Side], terms: Terms, reweigh: Reweigh | None
) -> tuple[Useless, ...]:
    """Name the baselines that a cell is not shown to beat, at 5 % each and not adjusted."""
    return tuple(_below(one, baselines, terms, reweigh))


def of_pair(pair: Pair, useless: Mapping[str, Sequence[Useless]]) -> tuple[str, ...]:
    """Return the caveats of a pair; `useless` are those of each cell by its id."""
    return tuple(_of_pair(pair, useless))


def _below(
    one: Side, baselines: Sequence[Side], terms: Terms, reweigh: Reweigh | None
) -> Iterator[Useless]:
    for baseline in baselines:
        pair = Pair(small=one, large=baseline)
        found = contrast(pair, terms, reweigh) if unfit(pair) is None else None
        if not isinstance(found, Contrast) or _shown_better(found):
            continue
        yield Useless(
            text=f"{one.name} is not shown to be better than the baseline {baseline.name}: "
            f"{found.small:.3f} and {found.large:.3f} on the same {found.n} items"
        )


def _shown_better(found: Contrast) -> bool:
    return found.p_equal <= stats.ALPHA and found.difference.estimate > 0


def _of_pair(pair: Pair, useless: Mapping[str, Sequence[Useless]]) -> Iterator[str]:
    small, large = pair.small.record, pair.large.record
    if not pair.hosts.alike:
        yield "measured on unlike machines: ratios are of model and machine together"
    if small.threads != large.threads:
        yield (
            f"the small model ran on {_threads(small.threads)}, "
            f"the large one on {_threads(large.threads)}"
        )
    for one in (pair.small, pair.large):
        yield from (found.text for found in useless.get(one.record.cell.id, ()))
        warm_up = one.record.warm_up
        if warm_up and not warm_up.settled and not one.record.broken("latency"):
            yield f"the latency of {one.name} had not settled when it was timed"


def _threads(number: int) -> str:
    return "all threads" if number < 1 else f"{number} thread{'' if number == 1 else 's'}"
