"""Real schedulers, workers and runs on this machine; kill -9 of any of them loses no record."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
from tests import toy
from tests.integration.fleets import Fleet, measuring, wait_for

from steelyard import store
from steelyard.fleet import certificates
from steelyard.record import Record

pytest.importorskip("distributed")
pytest.importorskip("cryptography")

FIRST, SECOND = (f"toy-0{i}/majority@constant/cpu-1t" for i in range(2))


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    toy.project(tmp_path, tasks=2)
    certificates.make(tmp_path / "certificates", ["a", "b", "c"])
    made = Fleet(tmp_path)
    yield made
    made.end()


def test_a_killed_a_slow_and_a_leaving_device_each_measure_every_cell_themselves(
    fleet: Fleet,
) -> None:
    fleet.scheduler()
    devices = {label: fleet.held(label) for label in "abc"}
    run = fleet.run("--wait", "900")
    for worker in devices.values():
        worker.heard(f"measuring {FIRST}")
    orphans = measuring(devices["a"])[0].children(recursive=True) + measuring(devices["a"])

    devices["a"].kill()
    run.heard(f"a: device lost during {FIRST}; the cell waits up to 900 s for the same device")
    psutil.wait_procs(orphans, timeout=60)
    assert not [one for one in orphans if one.is_running() and one.status() != "zombie"]
    devices["c"].ask_to_stop()
    run.heard(f"c: device lost during {FIRST}")
    for label in "ac":
        fleet.release(label)
        fleet.worker(label)
    run.heard("a: back")
    wait_for(lambda: [len(fleet.records(label)) for label in "ac"] == [2, 2], "their records")
    assert fleet.records("b") == ()
    fleet.release("b")

    assert run.ended() == 0, run.said
    for label in "abc":
        first, second = fleet.records(label)
        assert {first.outcome, second.outcome} <= {"ok", "invalid"}
        assert (first.cell.device, second.cell.task) == (f"{label}.cpu-1t", "toy-01")
    home = next(iter((fleet.folder / "results/local").iterdir()))
    checked = toy.call(fleet.folder, "verify", "--cards", "cards", *(str(home / c) for c in "abc"))
    assert checked.returncode == 0, checked.stdout
    assert devices["b"].everything.count(f"measuring {FIRST}") == 1
    # What is home is forgotten on the device.
    assert not list((fleet.folder / "cache-b/fleet/b/bundles").glob("*.zip"))


def test_a_killed_scheduler_a_killed_run_and_a_killed_measuring_process_lose_nothing(
    fleet: Fleet,
) -> None:
    scheduler = fleet.scheduler()
    slow = fleet.held("a")
    fleet.worker("b")
    both = ("--device", "a", "--device", "b")
    run = fleet.run(*both, "--wait", "900")
    slow.heard(f"measuring {FIRST}")
    wait_for(lambda: len(fleet.records("b")) == 2, "the records of b")

    (process,) = measuring(slow)
    process.kill()
    run.heard(f"a: {FIRST}: the measuring process ended with SIGKILL")
    wait_for(lambda: slow.said.count(f"measuring {FIRST}") == 2, "another try")
    scheduler.kill()
    run.heard("scheduler lost")
    fleet.scheduler()
    run.heard("a: back")

    # With nobody to take it, the device finishes its cell and keeps it.
    run.kill()
    fleet.release("a")
    wait_for(lambda: len(on_device(fleet, "a")) == 1, "the cell of a, on the device")
    resumed = fleet.run(*both, "--resume")

    assert resumed.ended() == 0, resumed.said
    told = [line for line in resumed.said.splitlines() if " cells are home" in line]
    assert [line.partition("; ")[2] for line in sorted(told)] == [
        "0 of 2 cells are home, 1 more are to be fetched", "2 of 2 cells are home"
    ]  # fmt: skip
    assert slow.said.count(f"measuring {SECOND}") == 1
    first, second = fleet.records("a")
    assert (first.cell.task, second.cell.task) == ("toy-00", "toy-01")
    (folder,) = (fleet.folder / "results/local").iterdir()
    assert store.read_predictions(folder / "a", str(first.predictions_sha256))


def on_device(fleet: Fleet, label: str) -> tuple[Record, ...]:
    """What a device keeps of the run that is not home yet."""
    kept = fleet.folder.glob(f"cache-{label}/fleet/{label}/runs/*/*/{store.JOURNAL}")
    return tuple(one for path in kept for one in store.Journal.read(path.parent).records)


def test_what_is_not_there_and_who_is_not_known_are_refused_in_one_line(fleet: Fleet) -> None:
    stranger = fleet.folder / "stranger"
    certificates.make(stranger, ["a"])
    nobody = fleet.start("nobody", "fleet", "status", "--scheduler", "127.0.0.1:9")
    open_ = fleet.start("open", "fleet", "scheduler", "--listen", "[::]", "--no-tls")
    worker = fleet.start(
        "d", "fleet", "worker", "--device", "d", "--scheduler", "10.0.0.1", "--no-tls"
    )
    fleet.scheduler()
    others = ("--scheduler", fleet.address, "--certificates", str(stranger))
    foreign = fleet.start("foreign", "fleet", "worker", "--device", "a", *others)
    asking = fleet.start("asking", "fleet", "status", *others)
    never = fleet.run("--device", "elsewhere", "--wait", "0")

    everybody = (nobody, open_, worker, foreign, asking, never)
    assert [one.ended() for one in everybody] == [3] * 6
    assert "no scheduler answers" in nobody.said
    assert "listening on ::: not without TLS" in open_.said
    assert "connecting to 10.0.0.1: not without TLS" in worker.said
    assert "certificate is of another authority" in foreign.said
    assert "certificate is of another authority" in asking.said
    assert "elsewhere: given up: it never joined within 0 s" in never.said
    for one in everybody:
        assert "Traceback" not in one.said


def test_boards_are_started_over_ssh_with_their_own_certificate_and_no_other(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stands an `ssh` in that runs the command here, in a home of its own for each host."""
    fake = tmp_path / "bin/ssh"
    fake.parent.mkdir()
    fake.write_text(
        '#!/bin/sh\nwhile :; do case "$1" in -o) shift 2;; -*) shift;; *) break;; esac; done\n'
        f'export HOME="{tmp_path}/homes/$1"; mkdir -p "$HOME"; cd "$HOME"\n'
        'export STEELYARD_CACHE="$HOME/cache"; shift\n'
        # A connection that ends takes the worker with it, by its terminal; here it is the process.
        'case "$*" in umask*) exec sh -c "$*";; *) exec sh -c "exec $*";; esac\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    fleet.scheduler()
    program = f"{sys.executable} -m steelyard"

    boards = fleet.start(
        "ssh", "fleet", "ssh", "kitchen=pi@one", "pi@two", "--scheduler", fleet.address,
        "--command", program,
    )  # fmt: skip
    boards.heard("device 'kitchen' joined")
    boards.heard("device 'two' joined")
    told = toy.call(
        tmp_path, "fleet", "status", "--scheduler", fleet.address, "-f", "json",
        "--certificates", str(tmp_path / "certificates"),
    )  # fmt: skip
    workers = psutil.Process(boards.child.pid).children(recursive=True)
    boards.child.send_signal(signal.SIGINT)

    assert boards.ended() == 130, boards.said
    assert len(workers) >= 2
    assert psutil.wait_procs(workers, timeout=60)[1] == []
    assert [one["label"] for one in msgspec.json.decode(told.stdout)] == ["kitchen", "two"]
    sent = tmp_path / "homes/pi@one/.config/steelyard/fleet"
    assert sorted(path.name for path in sent.iterdir()) == ["ca.pem", "device-kitchen.pem"]
    assert (sent / "device-kitchen.pem").stat().st_mode & 0o077 == 0
    printed = subprocess.run(
        [*program.split(), "fleet", "ssh", "pi@two", "--print", "--no-tls"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "fleet worker --device two --scheduler tcp://127.0.0.1:8786" in printed.stdout
