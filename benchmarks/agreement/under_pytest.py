"""Time the same call with pytest-benchmark; run by arms.py, which says how long and how warm."""

from __future__ import annotations

import os
from itertools import cycle
from pathlib import Path
from typing import Any

from benchmarks.agreement import bare

FOLDER = Path(os.environ["AGREEMENT_MODEL"])


def test_call(benchmark: Any) -> None:
    run = bare.open_session(FOLDER).run
    items = cycle(bare.feeds(FOLDER))
    benchmark(lambda: run(None, next(items)))
