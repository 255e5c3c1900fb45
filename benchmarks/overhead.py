"""Weigh `Session.infer` against a bare `InferenceSession.run` on a model of about 0.1 ms.

Run: python benchmarks/overhead.py [pairs]. Calls alternate, so that both meet the same machine;
the ratio of the two medians should stay within 2 %.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from types import SimpleNamespace
from typing import Any

import numpy as np

from steelyard.api import Label, SessionSpec
from steelyard.backends.ort import OnnxRuntime
from steelyard.recipes import tfidf_export
from steelyard.recipes.tfidf_features import Ngrams, Weighted

GRAMS, LABELS, ROWS, WARM_UP = 20_000, 52, 2_000, 500


def open_toy(folder: Path) -> Any:
    """Write a linear artefact of random coefficients and open it."""

    names = [f"label-{number:02}" for number in range(LABELS)]
    coefficients = np.random.default_rng(0).normal(size=(LABELS, GRAMS))
    trained = SimpleNamespace(classes_=names, coef_=coefficients, intercept_=np.zeros(LABELS))
    ngrams = Ngrams(analyser="word", shortest=1, longest=1)
    vocabulary = [f"gram{number}" for number in range(GRAMS)]
    idf = np.ones(GRAMS, np.float32)
    part = Weighted(ngrams=ngrams, vocabulary=vocabulary, idf=idf, matrix=None)
    tfidf_export.write(folder, [part], trained, names, sublinear=False)
    labels = tuple(Label(id=name, words=name) for name in names)
    spec = SessionSpec(artifact=str(folder), session="linear", threads=1, labels=labels, options={})
    return OnnxRuntime().open(spec)


def interleave(
    bare: Callable[[], object], ours: Callable[[], object], pairs: int
) -> tuple[list[int], list[int]]:
    """Time both in alternating order; return their nanoseconds."""
    times: tuple[list[int], list[int]] = ([], [])
    for number in range(WARM_UP + pairs):
        order = ((0, bare), (1, ours)) if number % 2 else ((1, ours), (0, bare))
        for arm, call in order:
            start = perf_counter_ns()
            call()
            spent = perf_counter_ns() - start
            if number >= WARM_UP:
                times[arm].append(spent)
    return times


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with tempfile.TemporaryDirectory() as name:
        session = open_toy(Path(name))
        inputs = session.encode(" ".join(f"gram{number}" for number in range(ROWS)))
        run = session.native.run
        bare, ours = interleave(
            lambda: run(["scores"], inputs), lambda: session.infer(inputs), pairs
        )
    p50_bare, p50_ours = statistics.median_low(bare), statistics.median_low(ours)
    print(f"bare InferenceSession.run  p50 {p50_bare / 1e3:.2f} us")
    print(f"Session.infer              p50 {p50_ours / 1e3:.2f} us")
    print(f"ratio {p50_ours / p50_bare:.4f}, difference {p50_ours - p50_bare} ns, {pairs} pairs")


if __name__ == "__main__":
    main()
