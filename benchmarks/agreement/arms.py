"""One call's nanoseconds, by one harness, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from steelyard.api import Item, Label, SessionSpec
from steelyard.card import Timing
from steelyard.job import Job, JobPart, Message, Timed
from steelyard.spawn import Worker, run_pass

from .toy import ITEMS, LABELS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BACKEND = f"{__package__}.prepared:Prepared"
TIMEOUT_S = 120.0
ANY_NUMBER = 1_000_000


class Times(Struct, frozen=True, kw_only=True):
    """How long a process warms up and times."""

    warm_up_s: float
    seconds: float


Arm = Callable[[Path, Times], Sequence[int]]


def bare(folder: Path, times: Times) -> Sequence[int]:
    """Time a loop around `InferenceSession.run`."""
    script = str(HERE / "bare.py")
    text = _run(sys.executable, script, str(folder), f"{times.warm_up_s}", f"{times.seconds}")
    taken: list[int] = json.loads(text)
    return taken


def pytest_benchmark(folder: Path, times: Times) -> Sequence[int]:
    """Time the call with the `benchmark` fixture, which warms up for as long as it times."""
    with TemporaryDirectory() as place:
        out = Path(place) / "out.json"
        options = ("-c", os.devnull, "--rootdir", place, "-q", "-p", "no:cacheprovider")
        _run(
            *(sys.executable, "-m", "pytest", *options, "-p", "pytest_benchmark.plugin"),
            *("--benchmark-warmup=on", f"--benchmark-warmup-iterations={ANY_NUMBER}"),
            *(f"--benchmark-max-time={times.seconds}", "--benchmark-min-rounds=1"),
            *("--benchmark-save-data", f"--benchmark-json={out}", str(HERE / "under_pytest.py")),
            AGREEMENT_MODEL=str(folder),
            PYTEST_ADDOPTS="",
            PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
        )
        (result,) = json.loads(out.read_bytes())["benchmarks"]
    return [round(seconds * 1e9) for seconds in result["stats"]["data"]]


def steelyard(folder: Path, times: Times) -> Sequence[int]:
    """Time the infer phase of a latency pass in steelyard's worker."""
    timing = Timing(
        min_calls=1,
        max_calls=ANY_NUMBER,
        min_seconds=times.seconds,
        max_seconds=times.seconds,
        warm_up_min_calls=1,
        warm_up_min_seconds=times.warm_up_s,
        warm_up_max_seconds=times.warm_up_s,
    )
    labels = tuple(Label(id=f"{number}", words=f"{number}") for number in range(LABELS))
    items = tuple(Item(id=f"{n}", text=f"{n}", label="0") for n in range(ITEMS))
    spec = SessionSpec(
        artifact=str(folder), session="prepared", threads=1, labels=labels, options={}
    )
    part = JobPart(spec=spec, items=items)
    job = Job(kind="latency", backend=BACKEND, parts=(part,), timing=timing, seed=0)
    taken: list[int] = []

    def listen(message: Message) -> None:
        if isinstance(message, Timed):
            taken.extend(message.infer)

    worker = Worker(command=(sys.executable, str(HERE / "worker.py")))
    run_pass(job, TIMEOUT_S, listen, worker)
    return taken


# The first is what the others are set against.
ARMS: dict[str, Arm] = {
    "bare loop": bare,
    "pytest-benchmark": pytest_benchmark,
    "steelyard": steelyard,
}


def _run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise RuntimeError(f"{Path(command[1]).name}: status {done.returncode}: {said}")
    return done.stdout
