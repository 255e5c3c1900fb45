"""What passes between the runner and its worker: a job one way, messages the other."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from steelyard.api import Answer, Item, RenderedPrompt, SessionSpec
from steelyard.card import Load, Metering, Timing
from steelyard.footprint import MemoryReading
from steelyard.loads import AnyLoadResult, ColdStart
from steelyard.record import CodecarbonReading, CodecarbonSettings

Pass = Literal["choose", "accuracy", "latency", "memory", "load", "cold", "energy"]


class JobPart(Struct, frozen=True, kw_only=True):
    """Items and the session that answers them: one part a fold.

    `arrays` is the folder of the items' arrays, where they have any.
    """

    spec: SessionSpec
    items: tuple[Item, ...]
    arrays: str | None = None


class Job(Struct, frozen=True, kw_only=True):
    """One pass. `backend` is `module:attribute`. `candidates` and `neutral` serve `choose`.

    `load` is the shape of a `load` pass; `began_ns` is when a `cold` one was started; `metering`
    says how long an `energy` pass works, with codecarbon around it where there are settings.
    """

    kind: Pass
    backend: str
    parts: tuple[JobPart, ...]
    timing: Timing
    seed: int
    candidates: tuple[RenderedPrompt, ...] = ()
    neutral: tuple[str, ...] = ()
    load: Load | None = None
    began_ns: int | None = None
    metering: Metering | None = None
    codecarbon: CodecarbonSettings | None = None


class Message(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A line from the worker."""


class Loaded(Message, frozen=True, kw_only=True, tag="loaded"):
    """The first session is open. Bytes are VmHWM, None where the system does not tell.

    `runs_on` is what the session says of itself.
    """

    seconds_ns: int
    after_import: int | None
    after_load: int | None
    runs_on: tuple[str, ...] = ()


class Done(Message, frozen=True, kw_only=True, tag="done"):
    """So many items more are done."""

    items: int


class Answered(Message, frozen=True, kw_only=True, tag="answered"):
    """Answers to items, in the order asked."""

    answers: tuple[tuple[str, Answer], ...]


class Timed(Message, frozen=True, kw_only=True, tag="timed"):
    """The timed window: nanoseconds a call, what was answered, when (CLOCK_MONOTONIC).

    One of `every` calls was timed, in the order in which they were made.
    """

    encode: tuple[int, ...]
    infer: tuple[int, ...]
    decode: tuple[int, ...]
    end_to_end: tuple[int, ...]
    answers: tuple[tuple[str, str], ...]
    warm_up_calls: int
    warm_up_seconds: float
    settled: bool
    every: int
    start_ns: int
    end_ns: int


class Peak(Message, frozen=True, kw_only=True, tag="peak"):
    """VmHWM after `calls` calls. `reset`: whether it was set back after loading."""

    peak: int | None
    calls: int
    reset: bool
    reading: MemoryReading = MemoryReading()


class LoadMeasured(Message, frozen=True, kw_only=True, tag="load"):
    """A load shape was driven, from `start_ns` to `end_ns` (CLOCK_MONOTONIC)."""

    result: AnyLoadResult
    start_ns: int
    end_ns: int


class EnergyWindow(Struct, frozen=True, kw_only=True):
    """So many calls between two moments, CLOCK_MONOTONIC."""

    start_ns: int
    end_ns: int
    calls: int


class Metered(Message, frozen=True, kw_only=True, tag="metered"):
    """The windows of an energy pass, and what codecarbon says of all of them together."""

    windows: tuple[EnergyWindow, ...]
    codecarbon: CodecarbonReading | None = None

    @property
    def start_ns(self) -> int:
        """When the first window began."""
        return self.windows[0].start_ns

    @property
    def end_ns(self) -> int:
        """When the last window ended."""
        return self.windows[-1].end_ns


class ColdStarted(Message, frozen=True, kw_only=True, tag="cold"):
    """The first answer of a fresh process."""

    start: ColdStart
    item: str
    label: str


class Scored(Message, frozen=True, kw_only=True, tag="scored"):
    """Raw label scores of one candidate prompt."""

    candidate: int
    lengths: tuple[int, ...]
    items: tuple[tuple[float, ...], ...]
    neutral: tuple[tuple[float, ...], ...]


class Failed(Message, frozen=True, kw_only=True, tag="failed"):
    """What went wrong, as one line."""

    outcome: Literal["failed", "refused", "out_of_memory"]
    reason: str


AnyMessage = (
    Loaded | Done | Answered | Timed | Peak | LoadMeasured | ColdStarted | Metered | Scored | Failed
)
