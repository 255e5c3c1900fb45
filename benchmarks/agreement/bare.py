"""Time `InferenceSession.run` in a bare loop: no steelyard, no framework.

Run: python bare.py FOLDER WARM_UP_S SECONDS; prints nanoseconds a call as a JSON list.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np
import onnxruntime as ort


def open_session(folder: Path) -> Any:
    """Open the model on one thread that does not spin; all else is onnxruntime's default."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return ort.InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )


def feeds(folder: Path) -> list[dict[str, Any]]:
    """Return one feed an item, each array in memory of its own."""
    stacked = np.load(folder / "inputs.npz")
    arrays = {name: stacked[name] for name in stacked.files}
    count = len(next(iter(arrays.values())))
    return [{name: array[item].copy() for name, array in arrays.items()} for item in range(count)]


def loop(run: Callable[..., Any], items: list[dict[str, Any]], seconds: float) -> list[int]:
    """Call over and over for so long; return each call's nanoseconds."""
    taken: list[int] = []
    end = perf_counter_ns() + int(seconds * 1e9)
    for item in cycle(items):
        start = perf_counter_ns()
        run(None, item)
        stop = perf_counter_ns()
        taken.append(stop - start)
        if stop >= end:
            break
    return taken


def main() -> None:
    folder, warm_up_s, seconds = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    run, items = open_session(folder).run, feeds(folder)
    loop(run, items, warm_up_s)
    print(json.dumps(loop(run, items, seconds)))


if __name__ == "__main__":
    main()
