"""What passes between the runner and its worker: a job one way, messages the other."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from steelyard.api import Answer, Item, RenderedPrompt, SessionSpec
from steelyard.card import Timing

Pass = Literal["choose", "accuracy", "latency", "memory"]


class JobPart(Struct, frozen=True, kw_only=True):
    """Items and the session that answers them: one part a fold."""

    spec: SessionSpec
    items: tuple[Item, ...]


class Job(Struct, frozen=True, kw_only=True):
    """One pass. `backend` is `module:attribute`. `candidates` and `neutral` serve `choose`."""

    kind: Pass
    backend: str
    parts: tuple[JobPart, ...]
    timing: Timing
    seed: int
    candidates: tuple[RenderedPrompt, ...] = ()
    neutral: tuple[str, ...] = ()


class Message(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A line from the worker."""


class Loaded(Message, frozen=True, kw_only=True, tag="loaded"):
    """The first session is open. Bytes are VmHWM, None where the system does not tell."""

    seconds_ns: int
    after_import: int | None
    after_load: int | None


class Done(Message, frozen=True, kw_only=True, tag="done"):
    """So many items more are done."""

    items: int


class Answered(Message, frozen=True, kw_only=True, tag="answered"):
    """Answers to items, in the order asked."""

    answers: tuple[tuple[str, Answer], ...]


class Timed(Message, frozen=True, kw_only=True, tag="timed"):
    """The timed window: nanoseconds a call, and what was answered."""

    encode: tuple[int, ...]
    infer: tuple[int, ...]
    decode: tuple[int, ...]
    end_to_end: tuple[int, ...]
    answers: tuple[tuple[str, str], ...]
    warm_up_calls: int
    warm_up_seconds: float
    settled: bool


class Peak(Message, frozen=True, kw_only=True, tag="peak"):
    """VmHWM after `calls` calls. `reset`: whether it was set back after loading."""

    peak: int | None
    calls: int
    reset: bool


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


AnyMessage = Loaded | Done | Answered | Timed | Peak | Scored | Failed
