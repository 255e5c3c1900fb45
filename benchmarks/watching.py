"""Weigh the watch: processor seconds a second that evidence costs on this machine, of one core.

Run: python benchmarks/watching.py [seconds]. All of the process counts, from just before the watch
begins until just after it ended, and the commands it ran; the target is below 1 %.
"""

from __future__ import annotations

import sys
import time

from steelyard.evidence import Kernel, Watch
from steelyard.host.machine import Machine
from steelyard.host.state import probe
from steelyard.readings import elapsed_s, watch_load


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    look, kernel = probe(Machine()), Kernel()
    before = kernel.own_s() + kernel.reaped_s()
    with Watch(look) as watch:
        time.sleep(seconds)
    spent = kernel.own_s() + kernel.reaped_s() - before
    took = elapsed_s(watch.readings)
    own = watch_load(watch.readings) or 0.0
    print(f"{len(watch.readings)} readings in {took:.1f} s, {spent * 1e3:.1f} ms of processor time")
    print(f"{spent / took:.3%} of one core; the watch's own count says {own:.3%}")


if __name__ == "__main__":
    main()
