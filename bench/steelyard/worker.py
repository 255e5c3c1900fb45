"""The child: one pass over one cell. A job comes as JSON on stdin, JSON lines go out.

Native runtimes print to the standard output, so the pipe to the parent is moved to another
descriptor and descriptor 1 points at the standard error. On the edge path this module imports
msgspec, and whatever the backend needs: numpy, onnxruntime, tokenizers.
"""

from __future__ import annotations

import gc
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from steelyard import stats
from steelyard.api import Answer, Item, LabelSession, Session, SessionSpec
from steelyard.card import Timing
from steelyard.job import Answered, Done, Failed, Job, Loaded, Message, Peak, Scored, Timed
from steelyard.plugins import instantiate

PROGRESS_EVERY_S = 0.5
# Looking whether it has settled costs a quarter of a millisecond on a long list.
WARM_UP_LOOK_NS = 50_000_000


Emit = Callable[[Message], None]


def main() -> int:
    """Do the job on stdin; return the exit status."""
    channel = _take_stdout()
    encoder = msgspec.json.Encoder()

    def emit(message: Message) -> None:
        channel.write(encoder.encode(message) + b"\n")
        channel.flush()

    try:
        job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
        _run(job, emit)
    except MemoryError as error:
        emit(Failed(outcome="out_of_memory", reason=_line(error)))
        return 1
    except Exception as error:  # noqa: BLE001 - the worker's edge: any fault becomes an outcome
        emit(Failed(outcome=_outcome(error), reason=_line(error)))
        return 1
    return 0


def _run(job: Job, emit: Emit) -> None:
    backend = instantiate(job.backend)
    refusal = backend.refuse(job.parts[0].spec)
    if refusal is not None:
        emit(Failed(outcome="refused", reason=refusal))
        return
    passes = {"choose": _choose, "accuracy": _accuracy, "latency": _latency, "memory": _memory}
    passes[job.kind](job, backend, emit)


def _accuracy(job: Job, backend: Any, emit: Emit) -> None:
    for index, part in enumerate(job.parts):
        with _opened(backend, part.spec, emit if index == 0 else None) as session:
            _answer_all(session, part.items, emit)


def _answer_all(session: Session, items: Sequence[Item], emit: Emit) -> None:
    answers: list[tuple[str, Answer]] = []
    told = time.monotonic()
    for item in items:
        answers.append((item.id, session.decode(session.infer(session.encode(item.text)))))
        now = time.monotonic()
        if now - told > PROGRESS_EVERY_S:
            emit(Answered(answers=tuple(answers)))
            answers.clear()
            told = now
    emit(Answered(answers=tuple(answers)))


def _latency(job: Job, backend: Any, emit: Emit) -> None:
    part = job.parts[0]
    order = list(part.items)
    random.Random(job.seed).shuffle(order)  # noqa: S311 - an order, not a secret
    with _opened(backend, part.spec, emit) as session:
        calls, seconds, settled = _warm_up(session, order, job.timing)
        gc.collect()
        gc.disable()
        samples = _timed_window(session, order, job.timing)
        gc.enable()
    encode, infer, decode, end_to_end, answers = samples
    emit(
        Timed(
            encode=tuple(encode),
            infer=tuple(infer),
            decode=tuple(decode),
            end_to_end=tuple(end_to_end),
            answers=tuple((order[i % len(order)].id, a) for i, a in enumerate(answers)),
            warm_up_calls=calls,
            warm_up_seconds=seconds,
            settled=settled,
        )
    )


def _warm_up(session: Session, order: Sequence[Item], timing: Timing) -> tuple[int, float, bool]:
    """Call until the times have settled (stats.settled), or the time is up."""
    taken: list[int] = []
    looked = start = time.perf_counter_ns()
    while True:
        began = time.perf_counter_ns()
        session.decode(session.infer(session.encode(order[len(taken) % len(order)].text)))
        now = time.perf_counter_ns()
        taken.append(now - began)
        if now - looked < WARM_UP_LOOK_NS:
            continue
        looked = now
        seconds = (now - start) / 1e9
        enough = len(taken) >= timing.warm_up_min_calls and seconds >= timing.warm_up_min_seconds
        if enough and stats.settled(taken):
            return len(taken), seconds, True
        if seconds >= timing.warm_up_max_seconds:
            return len(taken), seconds, False


def _timed_window(
    session: Session, order: Sequence[Item], timing: Timing
) -> tuple[list[int], list[int], list[int], list[int], list[str]]:
    clock = time.perf_counter_ns
    texts = [item.text for item in order]
    count = len(texts)
    encode_ns: list[int] = []
    infer_ns: list[int] = []
    decode_ns: list[int] = []
    end_to_end_ns: list[int] = []
    labels: list[str] = []
    start = clock()
    earliest = start + int(timing.min_seconds * 1e9)
    latest = start + int(timing.max_seconds * 1e9)
    calls = 0
    while True:
        text = texts[calls % count]
        t0 = clock()
        inputs = session.encode(text)
        t1 = clock()
        outputs = session.infer(inputs)
        t2 = clock()
        answer = session.decode(outputs)
        t3 = clock()
        encode_ns.append(t1 - t0)
        infer_ns.append(t2 - t1)
        decode_ns.append(t3 - t2)
        end_to_end_ns.append(t3 - t0)
        labels.append(answer.label)
        calls += 1
        enough = calls >= timing.min_calls and t3 >= earliest
        if enough or calls >= timing.max_calls or t3 >= latest:
            return encode_ns, infer_ns, decode_ns, end_to_end_ns, labels


def _memory(job: Job, backend: Any, emit: Emit) -> None:
    part = job.parts[0]
    with _opened(backend, part.spec, emit) as session:
        reset = _reset_peak()
        deadline = time.monotonic() + job.timing.max_seconds
        calls = 0
        while calls < job.timing.memory_calls and (calls == 0 or time.monotonic() < deadline):
            item = part.items[calls % len(part.items)]
            session.decode(session.infer(session.encode(item.text)))
            calls += 1
        emit(Peak(peak=_peak_bytes(), calls=calls, reset=reset))


def _choose(job: Job, backend: Any, emit: Emit) -> None:
    part = job.parts[0]
    for index, prompt in enumerate(job.candidates):
        spec = msgspec.structs.replace(part.spec, prompt=prompt)
        with _opened(backend, spec, emit if index == 0 else None) as session:
            emit(_score(session, index, part.items, job.neutral, emit))


def _score(
    session: LabelSession, index: int, items: Sequence[Item], neutral: Sequence[str], emit: Emit
) -> Scored:
    rows: list[tuple[float, ...]] = []
    for item in items:
        rows.append(session.label_log_likelihoods(item.text))
        emit(Done(items=1))
    return Scored(
        candidate=index,
        lengths=session.label_lengths(),
        items=tuple(rows),
        neutral=tuple(session.label_log_likelihoods(text) for text in neutral),
    )


def _opened(backend: Any, spec: SessionSpec, emit: Emit | None) -> closing[Any]:
    after_import = _peak_bytes()
    start = time.perf_counter_ns()
    session = backend.open(spec)
    seconds_ns = time.perf_counter_ns() - start
    if emit is not None:
        emit(Loaded(seconds_ns=seconds_ns, after_import=after_import, after_load=_peak_bytes()))
    return closing(session)


def _peak_bytes() -> int | None:
    """Return VmHWM. Not ru_maxrss, which a child inherits from a fat parent."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def _reset_peak() -> bool:
    """Set VmHWM back to the present RSS (proc(5), clear_refs); return whether it worked."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _take_stdout() -> IO[bytes]:
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return channel


def _outcome(error: Exception) -> Literal["failed", "out_of_memory"]:
    # onnxruntime reports a failed allocation as a RuntimeError whose text says so.
    text = str(error)
    starved = "bad_alloc" in text or "Failed to allocate memory" in text
    return "out_of_memory" if starved else "failed"


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
