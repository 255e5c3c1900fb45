"""Time the toy with optimum-benchmark; runs in an environment of its own, which has no steelyard.

Run: python optimum_arm.py FOLDER WARM_UP_CALLS SECONDS TOKENS; the last line is a JSON list of
nanoseconds a call. It draws its own inputs, of the same shape, and calls optimum's model around the
session, as its users do.
"""

from __future__ import annotations

import json
import os
import sys

os.environ.update({"LOG_LEVEL": "ERROR", "LOG_TO_FILE": "0", "HF_HUB_OFFLINE": "1"})


def main() -> None:
    from optimum_benchmark import (  # type: ignore[import-not-found]
        Benchmark,
        BenchmarkConfig,
        InferenceConfig,
        ORTConfig,
        ProcessConfig,
    )

    folder, warm_up_calls, seconds, tokens = sys.argv[1:]
    threads = {"intra_op_num_threads": 1, "inter_op_num_threads": 1}
    config = BenchmarkConfig(
        name="agreement",
        launcher=ProcessConfig(),
        scenario=InferenceConfig(
            iterations=1,
            duration=float(seconds),
            warmup_runs=int(warm_up_calls),
            input_shapes={"batch_size": 1, "sequence_length": int(tokens)},
        ),
        backend=ORTConfig(
            model=folder,
            task="text-classification",
            library="transformers",
            device="cpu",
            export=False,
            session_options=threads,
            **threads,
        ),
    )
    report = Benchmark.launch(config)
    print(json.dumps([round(value * 1e9) for value in report.forward.latency.values]))


if __name__ == "__main__":
    main()
