"""The records of a fleet's run at home, without a scheduler: keeping, storing and reporting them.

    nice -n 19 python -m benchmarks.fleet_home --devices 1000 --cells 100

What `benchmarks.fleet_simulation` would bring home is verified and kept, with an fsync each, as
`steelyard fleet run` does: the size that a simulation with Dask takes too long for on two cores.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from benchmarks.fleet_simulation import PINS, SimulatedDevice, peak_mib, processor_s, report
from benchmarks.million import timed

from steelyard.errors import FleetError
from steelyard.fleet.keeping import Home
from steelyard.fleet.messages import Delivery, Offer, Order, Ready


def keep(devices: int, cells: int, folder: Path) -> tuple[Path, ...]:
    """Keep every cell of every device, print what it cost, return the folders of the records."""
    home = Home.start(folder / "runs", "simulated", "0" * 64, PINS)
    device = SimulatedDevice(cells, 0.0)
    run = home.listing.run
    ready = device.submit(Offer(run=run, bundle_sha256="0" * 64, size_bytes=1)).result()
    if not isinstance(ready, Ready):
        raise FleetError(f"the simulated device answered {ready}")
    # The same for every device: not made 1,000 times while the time is taken.
    deliveries = [(cell, device.submit(Order(run=run, cell=cell)).result()) for cell in ready.cells]
    own, wall = psutil.Process().pid, time.monotonic()
    before = processor_s(own)
    for number in range(devices):
        home.enrol(f"d{number:04}", ready)
    for cell, delivery in deliveries:
        for number in range(devices):
            if isinstance(delivery, Delivery):
                home.keep(f"d{number:04}", cell, delivery)
    total, used = devices * cells, processor_s(own) - before
    print(f"{total:,} records kept in {time.monotonic() - wall:.0f} s")
    print(f"  {1e3 * used / total:.2f} ms of processor time each, {peak_mib(own):.0f} MiB at most")
    with timed("run files written from the journals"):
        return home.close()


def main() -> None:
    """Keep, then report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="where to keep the records meanwhile")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="steelyard-fleet-", dir=given.folder) as name:
        folders = keep(given.devices, given.cells, Path(name))
        report(folders, Path(name, "cells.parquet"))


if __name__ == "__main__":
    main()
