"""What needs no looks: answers, bytes on disk, peaks of memory, joules of a sensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from msgspec import structs

from steelyard.card import Metering
from steelyard.errors import SteelyardError
from steelyard.gate import lines, scoring
from steelyard.gate.arming import Ready, afresh, record
from steelyard.gate.blocks import Series, Unmeasurable, joules, metered, peak
from steelyard.gate.sequence import Looks
from steelyard.gate.types import Line, Quantity
from steelyard.host.meters import installed
from steelyard.measure.accuracy import accuracy
from steelyard.measure.work import Work
from steelyard.progress import Progress
from steelyard.spawn import PassFailed
from steelyard.verdict.answers import Terms as ScoreTerms
from steelyard.verdict.answers import compare, contrast
from steelyard.verdict.matching import Pair, Side, by_item, unfit

if TYPE_CHECKING:
    from steelyard.gate.gating import Terms

# Peaks differ by pages: five are as good as fifty. A sensor needs ten seconds a window.
FEW = Looks(blocks=(5,))
METERING = Metering(windows=1, window_seconds=10.0, idle_seconds=1.0)
MODELLED = "modelled"

Value = TypeVar("Value")


def settled(ready: Ready, terms: Terms, progress: Progress) -> Iterator[Line]:
    """Yield a line a quantity but latency, measured as it is asked for."""
    measure: dict[Quantity, Callable[[Ready, Terms], Line]] = {
        "score": _score,
        "memory": _memory,
        "size": _size,
        "energy": _energy,
    }
    for quantity in terms.quantities:
        if quantity not in measure:
            continue
        optional = quantity == "energy" and quantity not in terms.named
        progress.say(f"{ready.name}: {quantity} of both arms")
        try:
            line = measure[quantity](ready, terms)
        except (Unmeasurable, PassFailed, SteelyardError) as error:
            line = lines.absent(quantity, str(error))
        yield structs.replace(line, optional=optional)


def _score(ready: Ready, terms: Terms) -> Line:
    card = ready.candidate.planned.task.card
    pair = Pair(small=_side(ready.candidate, terms), large=_side(ready.baseline, terms))
    why = unfit(pair)
    if why is not None:
        return lines.absent("score", why)
    asked = ScoreTerms(margin=card.margin, higher_is_better=card.higher_is_better)
    found = contrast(pair, asked, scoring.reweigher(card))
    if isinstance(found, str):
        return lines.absent("score", found)
    answers = compare(pair.large.answers, pair.small.answers)
    flips = answers.flips if answers else found.n
    return lines.of_score(found, card.margin, card.metric, flips)


def _side(work: Work, terms: Terms) -> Side:
    """Let an arm answer the test items in a fresh process."""
    asked = afresh(work)
    accuracy(asked)
    return Side(record=record(asked), host=terms.host, answers=by_item(asked.found.predictions))


def _memory(ready: Ready, terms: Terms) -> Line:
    series = Series(ready, peak)
    series.extend(FEW.blocks[-1])
    return lines.over_blocks("memory", series.blocks, terms.bounds("memory"), FEW)


def _size(ready: Ready, terms: Terms) -> Line:
    theirs, ours = ready.baseline.passes.artifact.ref, ready.candidate.passes.artifact.ref
    return lines.of_size(theirs.size_bytes, ours.size_bytes, terms.bounds("size"))


def _energy(ready: Ready, terms: Terms) -> Line:
    every = installed(ready.candidate.bench.machine)
    sensors = [one for one in every if one.name != MODELLED]
    if not any(one.meter is not None and one.refusal is None for one in sensors):
        return lines.absent("energy", "no sensor on this machine (steelyard doctor says why)")
    metering = structs.replace(
        ready, baseline=_metering(ready.baseline), candidate=_metering(ready.candidate)
    )
    series = Series(metering, metered)
    series.extend(FEW.blocks[-1])
    blocks = [joules(block) for block in series.blocks]
    return lines.over_blocks("energy", blocks, terms.bounds("energy"), FEW)


def _metering(work: Work) -> Work:
    planned = structs.replace(work.planned, metering=METERING)
    work.found.planned = planned
    return structs.replace(work, passes=structs.replace(work.passes, planned=planned))
