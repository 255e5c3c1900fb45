"""A fleet of simulated devices: what the scheduler and the run cost a cell, in time and memory.

    nice -n 19 python -m benchmarks.fleet_simulation --devices 1000 --cells 100 --processes 4

The scheduler is `steelyard fleet scheduler`, the run is what `steelyard fleet run` does after
preparing: every record is sent, verified, kept with an fsync. Devices are real Dask workers, many
in a process, whose cells take `--cell-seconds` and give a record of the usual size. All is on this
machine, without TLS. Needs the extras `fleet` and, for the questions, `report`.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from benchmarks import million
from benchmarks.million import timed

from steelyard import __version__
from steelyard.fleet import addresses, files, labels, quiet
from steelyard.fleet.dispatch import Dispatcher
from steelyard.fleet.keeping import Home, Pins
from steelyard.fleet.link import DaskLink
from steelyard.fleet.messages import Answer, Delivery, Dismissed, Offer, Order, Ready, Request
from steelyard.fleet.standing import Standing
from steelyard.fleet.talking import Rules
from steelyard.record import SCHEMA, Host, Prediction, Record
from steelyard.record_file import encode
from steelyard.report import archive, query
from steelyard.store import RunHeader

ITEMS = 200
RIGHT = 0.9
PINS = Pins(tasks={f"task-{n}": "1" * 64 for n in range(1000)}, models={"m": "2" * 64})
HOST = Host(
    machine="x86_64", cpu="Simulated", cores=4, memory_bytes=8 << 30, system="L", python="3.11"
)


def predictions(task: str) -> bytes:
    """Return answers to a test set of the usual size, a tenth of them wrong; a task has its own."""
    chance = random.Random(task)  # noqa: S311 - no secret
    made = (
        Prediction(
            id=f"item-{n}", expected="yes", answer="yes" if chance.random() < RIGHT else "no"
        )
        for n in range(ITEMS)
    )
    return b"".join(encode(one) + b"\n" for one in made)


class SimulatedDevice:
    """Answers as a device does; a cell takes so long and gives a record like any other."""

    def __init__(self, cells: int, seconds: float) -> None:
        self._cells = tuple(f"task-{number}/m@int8/cpu-1t" for number in range(cells))
        self._seconds = seconds
        self._answers = {task: _answers(task) for task in (f"task-{n}" for n in range(cells))}
        self._pattern = million.record("task-0", "m", "cpu-1t", random.Random(0))  # noqa: S311

    def submit(self, request: Request) -> Future[Answer]:
        """Answer at once, or after the time that a cell takes."""
        future: Future[Answer] = Future()
        answer = self._answer(request)
        if isinstance(request, Order) and self._seconds:
            timer = threading.Timer(self._seconds, future.set_result, (answer,))
            timer.daemon = True
            timer.start()
        else:
            future.set_result(answer)
        return future

    def _answer(self, request: Request) -> Answer:
        if isinstance(request, Offer):
            header = RunHeader(
                schema=SCHEMA,
                run="there",
                suite="simulated",
                started=million.BEGAN.isoformat(),
                tool_version=__version__,
                plan_sha256="c" * 64,
                host=HOST,
            )
            return Ready(header=header, cells=self._cells)
        return self._delivery(request) if isinstance(request, Order) else Dismissed()

    def _delivery(self, order: Order) -> Delivery:
        from msgspec import structs

        task = order.cell.partition("/")[0]
        named, packed = self._answers[task]
        cell = structs.replace(self._pattern.cell, task=task)
        body = encode(structs.replace(self._pattern, cell=cell, predictions_sha256=named))
        digest = hashlib.sha256(body).hexdigest()
        return Delivery(run=order.run, record=body, sha256=digest, predictions=packed)


def _answers(task: str) -> tuple[str, bytes]:
    """Return the sha256 of a task's answers, and the answers packed."""
    lines = predictions(task)
    return hashlib.sha256(lines).hexdigest(), gzip.compress(lines, 9, mtime=0)


class Counting:
    """Hears of what comes home and says how far it is."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._began = time.monotonic()
        self.said: Counter[str] = Counter()
        self.home = 0

    def say(self, message: str) -> None:
        """Count what is said by its last words."""
        self.said[message.rpartition(": ")[2]] += 1

    def finished(self, label: str, record: Record) -> None:  # noqa: ARG002 - as any Observer
        """Count a record."""
        self.home += 1
        if self.home % (self._total // 10 or 1) == 0:
            rate = self.home / (time.monotonic() - self._began)
            print(
                f"  {self.home:,} of {self._total:,} records are home, {rate:.0f} a second",
                flush=True,
            )

    def show(self, standings: tuple[Standing, ...]) -> None:
        """Draw nothing."""


async def host_devices(address: str, names: list[str], cells: int, seconds: float) -> None:
    """Be many devices in one process until the scheduler closes them."""
    from distributed import Worker

    from steelyard.fleet.plugin import DevicePlugin

    device = SimulatedDevice(cells, seconds)
    with TemporaryDirectory(prefix="steelyard-simulated-") as folder:
        workers = [
            Worker(
                address,
                name=name,
                nthreads=1,
                resources={labels.resource(name): 1},
                plugins=(DevicePlugin(device),),
                memory_limit=0,
                dashboard=False,
                local_directory=folder,
            )
            for name in names
        ]
        for worker in workers:
            await worker.start()
        print(f"{len(workers)} devices", flush=True)
        await asyncio.gather(*(worker.finished() for worker in workers))


def peak_mib(pid: int) -> float:
    """Return the most memory that a process has had resident."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def processor_s(pid: int) -> float:
    """Return the processor time that a process has used."""
    used = psutil.Process(pid).cpu_times()
    return used.user + used.system


def start(given: argparse.Namespace) -> tuple[subprocess.Popen[str], str]:
    """Start the scheduler; return it and its address."""
    child = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "steelyard",
            "fleet",
            "scheduler",
            "--no-tls",
            "--no-dashboard",
            "--listen",
            "127.0.0.1:0",
            "--lost-after",
            str(given.lost_after),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None  # noqa: S101 - it was asked for
    return child, child.stdout.readline().strip()


def hosts(given: argparse.Namespace, address: str) -> list[subprocess.Popen[str]]:
    """Start the processes that are the devices, and wait until all have joined."""
    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.fleet_simulation",
                "--host-of",
                str(number),
                "--address",
                address,
                "--devices",
                str(given.devices),
                "--cells",
                str(given.cells),
                "--processes",
                str(given.processes),
                "--cell-seconds",
                str(given.cell_seconds),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(given.processes)
    ]
    for child in started:
        assert child.stdout is not None  # noqa: S101 - it was asked for
        child.stdout.readline()
    return started


def simulate(given: argparse.Namespace, folder: Path) -> tuple[Path, ...]:
    """Run the fleet, print what it cost, return the folders of the records."""
    scheduler, address = start(given)
    children: list[subprocess.Popen[str]] = []
    try:
        with timed(f"{given.devices:,} devices joined"):
            children = hosts(given, address)
        bundle = folder / "bundle.zip"
        bundle.write_bytes(b"nobody asks for it")
        home = Home.start(folder / "runs", "simulated", "0" * 64, PINS)
        offer = Offer(run=home.listing.run, bundle_sha256="0" * 64, size_bytes=18)
        link = DaskLink(addresses.parse(address, "--address"), None)
        link.connect()
        heard = Counting(given.devices * given.cells)
        before = processor_s(scheduler.pid), processor_s(psutil.Process().pid)
        wall = time.monotonic()
        named = tuple(f"d{number:04}" for number in range(given.devices))
        unfinished = Dispatcher(link, home, offer, bundle, Rules(devices=named)).run(
            time.monotonic, heard
        )
        wall = time.monotonic() - wall
        link.close()
        figures = {
            "scheduler": (processor_s(scheduler.pid) - before[0], peak_mib(scheduler.pid)),
            "run": (processor_s(psutil.Process().pid) - before[1], peak_mib(psutil.Process().pid)),
        }
        print(f"{heard.home:,} records home in {wall:.0f} s, {len(unfinished)} unfinished")
        for name, (seconds, memory) in figures.items():
            print(
                f"  {name}: {1e3 * seconds / max(1, heard.home):.2f} ms of processor time a cell, "
                f"{memory:.0f} MiB at most"
            )
        print(f"  the devices: {sum(peak_mib(child.pid) for child in children):.0f} MiB in all")
    finally:
        scheduler.terminate()
        for child in children:
            child.terminate()
        for child in (*children, scheduler):
            child.wait()
    with timed("run files written from the journals"):
        return home.close()


def report(folders: tuple[Path, ...], path: Path) -> None:
    """Bring all records into one Parquet file and ask of it what people ask."""
    kept = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    print(f"{sum(file.stat().st_size for file in kept) / 1e6:.0f} MB in {len(kept):,} files")
    with timed("all records into Parquet"):
        archive.write(archive.run_files(folders), "cells", path)
    print(f"{path.stat().st_size / 1e6:.1f} MB of Parquet")
    for what, sql in million.ASKED.items():
        with timed(what), query.queried([path], sql) as answer:
            found = sum(1 for _ in answer.rows)
        print(f"{'':23}{found:,} rows")


def main() -> None:
    """Be the run, or one of the processes that hold devices."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--cell-seconds", type=float, default=0.0)
    parser.add_argument("--lost-after", type=float, default=600.0)
    parser.add_argument("--folder", type=Path, help="where to keep the records meanwhile")
    parser.add_argument("--host-of", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    given = parser.parse_args()
    quiet.settle()
    files.allow_many()
    if given.host_of is not None:
        mine = range(given.host_of, given.devices, given.processes)
        names = [f"d{number:04}" for number in mine]
        asyncio.run(host_devices(given.address, names, given.cells, given.cell_seconds))
        return
    print(f"{given.devices:,} devices x {given.cells} cells; took, and the run's peak so far:")
    with TemporaryDirectory(prefix="steelyard-fleet-", dir=given.folder) as name:
        report(simulate(given, Path(name)), Path(name, "cells.parquet"))


if __name__ == "__main__":
    main()
