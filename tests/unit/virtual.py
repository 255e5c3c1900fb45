"""Virtual time and sessions that work in it: nothing waits, every figure can be worked out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from steelyard.api import Answer, Item, PromptTokens, SessionSpec
from steelyard.card import Timing
from steelyard.job import Job, JobPart
from steelyard.worker.clock import Clock
from steelyard.worker.rig import Rig

MS = 1_000_000
SECOND = 1000 * MS
# One look after 50 ms, and no more.
BRIEF = Timing(warm_up_min_calls=0, warm_up_min_seconds=0, warm_up_max_seconds=0)


class Virtual:
    """Time that passes only where somebody works or sleeps."""

    def __init__(self) -> None:
        self.time_ns = 1000 * SECOND
        self.sleeps: list[float] = []

    def now(self) -> int:
        return self.time_ns

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.work(round(seconds * 1e9))

    def work(self, duration_ns: int) -> None:
        self.time_ns += duration_ns

    def clock(self) -> Clock:
        return Clock(now=self.now, sleep=self.sleep, spin_ns=0)


class Slow:
    """A session to which a text says how many milliseconds it takes; it answers with the text."""

    def __init__(self, time: Virtual) -> None:
        self.time = time
        self.calls = 0

    def encode(self, text: str) -> str:
        return text

    def infer(self, inputs: str) -> str:
        self.calls += 1
        self.time.work(int(inputs) * MS)
        return inputs

    def decode(self, outputs: str) -> Answer:
        return Answer(label=f"took {outputs}")

    def close(self) -> None:
        pass


class Batching(Slow):
    """A batch takes 10 ms and 1 ms more a text."""

    def encode_batch(self, texts: Sequence[str]) -> list[str]:
        return list(texts)

    def infer_batch(self, inputs: list[str]) -> list[str]:
        self.time.work((10 + len(inputs)) * MS)
        return inputs

    def decode_batch(self, outputs: list[str]) -> list[Answer]:
        return [self.decode(each) for each in outputs]


class Writing(Slow):
    """Takes 50 ms for the prompt's first token and 10 ms for each one more; ends after the 4th."""

    def prompt_tokens(self, text: str) -> PromptTokens:
        return PromptTokens(total=12, cached=2)

    def generate(self, text: str, max_new_tokens: int) -> Iterator[int]:
        for index in range(min(4, max_new_tokens)):
            self.time.work((10 if index else 50) * MS)
            yield index


def items(*texts: str) -> tuple[Item, ...]:
    return tuple(Item(id=f"i{n}", text=text, label="a") for n, text in enumerate(texts))


def rig(session: Slow, *texts: str) -> Rig:
    return Rig(
        session=session,
        order=items(*texts),
        asked=texts,
        timing=BRIEF,
        seed=1,
        clock=session.time.clock(),
    )


def job(given: Sequence[Item], seed: int = 1, timing: Timing = BRIEF) -> Job:
    """Return a job about some items, for a session that is open already."""
    spec = SessionSpec(artifact="", session="", threads=1, labels=(), options={})
    part = JobPart(spec=spec, items=tuple(given))
    return Job(kind="load", backend="", parts=(part,), timing=timing, seed=seed)
