"""The child: one pass over one cell. A job comes as JSON on stdin, JSON lines go out.

Native runtimes print to the standard output, so the pipe to the parent is moved to another
descriptor and descriptor 1 points at the standard error. On the edge path this package imports
msgspec, and whatever the backend needs: numpy, onnxruntime, tokenizers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import IO, Any, Literal

import msgspec

from steelyard.errors import Refusal
from steelyard.job import Failed, Job, Message, Pass
from steelyard.plugins import instantiate
from steelyard.starved import starvation
from steelyard.worker.accuracy import accuracy
from steelyard.worker.choose import choose
from steelyard.worker.energy import energy
from steelyard.worker.latency import latency
from steelyard.worker.load import cold, load
from steelyard.worker.memory import memory
from steelyard.worker.opening import Emit

PASSES: dict[Pass, Callable[[Job, Any, Emit], None]] = {
    "choose": choose,
    "accuracy": accuracy,
    "latency": latency,
    "memory": memory,
    "load": load,
    "cold": cold,
    "energy": energy,
}


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
    except Refusal as refusal:
        emit(Failed(outcome="refused", reason=str(refusal)))
        return 1
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
    PASSES[job.kind](job, backend, emit)


def _take_stdout() -> IO[bytes]:
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return channel


def _outcome(error: Exception) -> Literal["failed", "out_of_memory"]:
    # onnxruntime reports a failed allocation as a RuntimeError whose text says so.
    return "failed" if starvation(str(error)) is None else "out_of_memory"


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
