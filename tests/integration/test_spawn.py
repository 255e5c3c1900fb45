"""One pass in a child: what a child can do wrong, each an outcome."""

from __future__ import annotations

import json
import sys

import pytest

from steelyard.api import Item, Label, SessionSpec
from steelyard.card import Timing
from steelyard.job import Answered, Job, JobPart, Message
from steelyard.spawn import PassFailed, Worker, run_pass

SPEC = SessionSpec(
    artifact="/nowhere",
    session="constant",
    threads=1,
    labels=(Label(id="a", words="a"), Label(id="b", words="b")),
    options={},
)
JOB = Job(
    kind="accuracy",
    backend="steelyard.backends.null:NullBackend",
    parts=(JobPart(spec=SPEC, items=(Item(id="1", text="x", label="a"),)),),
    timing=Timing(),
    seed=0,
)


def outcome(program: str, timeout_s: float = 60.0) -> PassFailed:
    """Run a pass whose worker is `program`; return how it failed."""
    worker = Worker(command=(sys.executable, "-c", f"import sys, os\nsys.stdin.read()\n{program}"))
    with pytest.raises(PassFailed) as caught:
        run_pass(JOB, timeout_s, lambda _: None, worker)
    return caught.value


def test_a_worker_that_takes_too_long_is_timed_out() -> None:
    failure = outcome("import time\ntime.sleep(600)", timeout_s=0.2)

    assert failure.outcome == "timed_out"
    assert "longer than 0.2 s" in failure.reason


def test_a_worker_that_dies_by_a_signal_has_failed_with_its_name() -> None:
    failure = outcome("print('bad news', file=sys.stderr, flush=True)\nos.kill(os.getpid(), 11)")

    assert failure.outcome == "failed"
    assert failure.reason == "accuracy pass: worker ended with SIGSEGV: bad news"


def test_a_worker_that_exits_badly_has_failed_with_its_last_words() -> None:
    failure = outcome("sys.exit('no such thing')")

    assert failure.reason == "accuracy pass: worker ended with status 1: no such thing"


def test_memory_that_ran_out_is_an_outcome_of_its_own() -> None:
    said = json.dumps({"kind": "failed", "outcome": "out_of_memory", "reason": "MemoryError"})

    assert outcome(f"print({said!r})").outcome == "out_of_memory"


def test_a_worker_that_prints_rubbish_has_failed() -> None:
    assert outcome("print('{')\nsys.exit(3)").outcome == "failed"


def test_a_missing_artefact_is_a_failure_that_names_it() -> None:
    with pytest.raises(PassFailed, match="/nowhere"):
        run_pass(JOB, 60.0, lambda _: None, Worker())


def test_messages_arrive_in_order() -> None:
    line = '{\\"kind\\": \\"answered\\", \\"answers\\": [[\\"%d\\", {\\"label\\": \\"a\\"}]]}'
    program = f'import sys\nsys.stdin.read()\nfor i in range(5): print("{line}" % i)'
    got: list[Message] = []

    run_pass(JOB, 60.0, got.append, Worker(command=(sys.executable, "-c", program)))

    assert [m.answers[0][0] for m in got if isinstance(m, Answered)] == ["0", "1", "2", "3", "4"]
