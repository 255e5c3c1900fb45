"""Time single calls in a watched window."""

from __future__ import annotations

from steelyard.evidence import Watch
from steelyard.job import Loaded, Message, Timed
from steelyard.measure import lasting
from steelyard.measure.work import Stretch, Work, compare_answers, watched
from steelyard.record import WarmUp


def latency(work: Work) -> None:
    """Keep the samples of the last try, valid or not."""
    timed: list[Timed] = []
    job = work.passes.job("latency", [work.timed_items])

    def attempt(watch: Watch) -> None:
        timed.clear()
        work.passes.run(job, listen, watch.follow)

    def listen(message: Message) -> None:
        if isinstance(message, Timed):
            timed.append(message)
        elif isinstance(message, Loaded):
            work.found.loaded(message)

    takes = lasting.latency(work.planned.timing)
    watched(work, Stretch(name="latency", takes=takes), attempt, timed)
    for window in timed:
        _note(work, window)


def _note(work: Work, timed: Timed) -> None:
    for name in ("encode", "infer", "decode", "end_to_end"):
        work.found.measured(f"latency_{name}", "ns", *getattr(timed, name))
    work.found.warm_up = WarmUp(
        calls=timed.warm_up_calls,
        seconds=timed.warm_up_seconds,
        settled=timed.settled,
        every=timed.every,
    )
    compare_answers(work, "timed answers", timed.answers)
