"""A budget of memory, enforced on real children: what fits runs, what does not says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from steelyard import host, limits
from steelyard.api import Item, Label, SessionSpec
from steelyard.card import Timing
from steelyard.footprint import Absent
from steelyard.job import Answered, Job, JobPart, Message
from steelyard.limits import Hold
from steelyard.record import MemoryLimit
from steelyard.spawn import Worker, run_pass
from steelyard.worker import process

MB = 10**6
SIDE = 4096
# Two matrices of 67 MB to load, or an outer product that needs 1.6 GB to run.
OPEN = """
import sys
import numpy, onnxruntime as ort
options = ort.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
"""
RUN = """
row = numpy.ones((1, int(sys.argv[2])), numpy.float32)
feed = {"x": row, "y": row.T.copy()}
session.run(None, {i.name: feed[i.name] for i in session.get_inputs()})
"""
SHOW = """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(status["VmPeak"].split()[0], status["VmHWM"].split()[0])
"""


def child(
    program: str, *arguments: str, megabytes: int, threads: int = 1
) -> tuple[Hold, int, str, str]:
    """Run Python held to so much address space; return how it ended and what it printed.

    `threads` are OpenBLAS's, which maps 41 MB for each.
    """
    limit = MemoryLimit(bytes=megabytes * MB, kind="address-space")
    with limits.held(limit) as hold:
        ended = subprocess.run(
            hold.command((sys.executable, "-c", program, *arguments)),
            env={**os.environ, "OPENBLAS_NUM_THREADS": str(threads)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    return hold, ended.returncode, ended.stdout, ended.stderr


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Write a model that is large to load and one that is large to run."""
    onnx = pytest.importorskip("onnx")
    numpy = pytest.importorskip("numpy")
    pytest.importorskip("onnxruntime")
    make, folder = onnx.helper, tmp_path_factory.mktemp("models")
    weights = [
        onnx.numpy_helper.from_array(numpy.full((SIDE, SIDE), 0.5, numpy.float32), name)
        for name in ("a", "b")
    ]
    x, y, z = (
        make.make_tensor_value_info(name, 1, shape)
        for name, shape in (("x", [1, "n"]), ("y", ["n", 1]), ("z", None))
    )
    heavy = make.make_graph(
        [make.make_node("MatMul", ["x", "a"], ["h"]), make.make_node("MatMul", ["h", "b"], ["z"])],
        "heavy", [x], [z], weights,
    )  # fmt: skip
    wide = make.make_graph(
        [make.make_node("MatMul", ["y", "x"], ["h"]), make.make_node("ReduceMax", ["h"], ["z"])],
        "wide", [x, y], [z],
    )  # fmt: skip
    paths: dict[str, str] = {}
    for graph in (heavy, wide):
        model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9)
        paths[graph.name] = str(folder / f"{graph.name}.onnx")
        Path(paths[graph.name]).write_bytes(model.SerializeToString())
    return paths


def test_what_fits_runs_within_its_limit(models: dict[str, str]) -> None:
    hold, status, out, said = child(OPEN + RUN + SHOW, models["heavy"], str(SIDE), megabytes=1000)

    assert (status, limits.lack(hold, said)) == (0, None), said
    mapped, resident = (int(kib) * 1024 for kib in out.split())
    # The weights are resident, and address space is the larger of the two by far.
    assert 2 * SIDE * SIDE * 4 < resident < mapped < 1000 * MB


def test_a_model_too_large_to_load_is_known_for_it(models: dict[str, str]) -> None:
    hold, status, _, said = child(OPEN, models["heavy"], megabytes=220)

    assert status != 0
    assert "220MB of address space (RLIMIT_AS): " in (limits.lack(hold, said) or said)
    assert "bad_alloc" in (limits.lack(hold, said) or "")


def test_a_run_that_needs_too_much_is_known_for_it(models: dict[str, str]) -> None:
    hold, status, _, said = child(OPEN + RUN, models["wide"], "20000", megabytes=1000)

    assert status != 0
    assert "Failed to allocate memory for requested buffer of size 1600000000" in (
        limits.lack(hold, said) or said
    )


@pytest.mark.parametrize("megabytes", [16, 28, 60, 90, 120])
def test_a_runtime_that_does_not_even_load_is_known_for_it(
    models: dict[str, str], megabytes: int
) -> None:
    hold, status, _, said = child(OPEN, models["wide"], megabytes=megabytes)

    assert status != 0
    assert limits.lack(hold, said), said


@pytest.mark.skipif(host.cores() < 2, reason="OpenBLAS starts a thread for each other core")
def test_a_thread_that_cannot_start_is_known_for_it() -> None:
    pytest.importorskip("numpy")

    hold, status, _, said = child("import numpy", megabytes=130, threads=2)

    # OpenBLAS sends itself SIGINT: by the last line alone it reads as someone's Ctrl-C.
    assert status != 0
    assert limits.lack(hold, said), said


def test_an_ordinary_fault_under_a_limit_is_no_lack_of_memory() -> None:
    hold, status, _, said = child("raise KeyError('x')", megabytes=200)

    assert status == 1
    assert limits.lack(hold, said) is None


def test_a_program_that_is_not_there_is_said_by_the_launcher() -> None:
    with limits.held(MemoryLimit(bytes=200 * MB, kind="address-space")) as hold:
        ended = subprocess.run(
            hold.command(("/no/such/worker",)), capture_output=True, text=True, check=False
        )

    assert ended.returncode == 1
    assert ended.stderr.startswith("cannot start /no/such/worker within address-space 200000000")


def test_the_limit_is_in_force_in_the_child_and_not_here() -> None:
    own = limits.ceiling()
    show = "import resource; print(*resource.getrlimit(resource.RLIMIT_AS))"

    _, _, out, _ = child(show, megabytes=200)

    assert out.split() == ["200000000", "200000000"]
    assert limits.ceiling() == own


def test_the_launcher_enters_a_cgroup_by_writing_a_zero(tmp_path: Path) -> None:
    members = tmp_path / "cgroup.procs"
    members.write_text("")
    hold = Hold(limit=MemoryLimit(bytes=200 * MB, kind="cgroup"), group=tmp_path)

    ended = subprocess.run(
        hold.command((sys.executable, "-c", "print('here')")), capture_output=True, check=True
    )

    assert ended.stdout == b"here\n"
    assert members.read_text() == "0"


def test_a_worker_answers_within_its_limit(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text('{"label": "a"}')
    spec = SessionSpec(
        artifact=str(tmp_path),
        session="constant",
        threads=1,
        labels=(Label(id="a", words="a"),),
        options={},
    )
    job = Job(
        kind="accuracy",
        backend="steelyard.backends.null:NullBackend",
        parts=(JobPart(spec=spec, items=(Item(id="1", text="x", label="a"),)),),
        timing=Timing(),
        seed=0,
    )
    got: list[Message] = []

    with limits.held(MemoryLimit(bytes=8000 * MB, kind="address-space")) as hold:
        run_pass(job, 60.0, got.append, Worker(command=hold.command(Worker().command)))

    assert [m.answers[0][1].label for m in got if isinstance(m, Answered)] == ["a"]


def test_this_process_and_its_child_are_read_for_real() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        reading = process.reading(
            os.getpid(), of_gpu=lambda _: Absent(quantity="memory_gpu", reason="not asked")
        )
        assert other.pid in process.tree(os.getpid())
        assert other.stdin is not None
        other.stdin.close()

    assert reading.processes >= 2
    assert reading.resident is not None
    parts = (reading.anonymous, reading.file, reading.shared)
    assert reading.resident == sum(part for part in parts if part is not None)
    assert reading.proportional is not None
    assert reading.address_space_peak is not None
    assert reading.address_space_peak > reading.resident > 0
