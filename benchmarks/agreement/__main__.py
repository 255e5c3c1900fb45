"""Time the same ONNX models and inputs with several harnesses, and write results/agreement/.

Run from the repository: python -m benchmarks.agreement --optimum FOLDER
with a folder for an environment of optimum-benchmark, which is made where it is missing. It takes
about three and a half minutes once the environment is there. Nothing else should run.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from msgspec import structs

from steelyard import host

from . import beside, figures, page, toy
from .arms import ARMS, Times
from .figures import Agreement, Model, Series
from .toy import Toy

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("steelyard", "onnxruntime", "numpy", "onnx", "pytest", "pytest-benchmark")
NOT_ASKED = "not asked for: give a folder for its environment with --optimum"


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = _parser().parse_args(arguments)
    times = Times(warm_up_s=chosen.warm_up, seconds=chosen.seconds)
    with tempfile.TemporaryDirectory() as place:
        result = measure(Path(place), times, chosen.rounds, chosen.optimum)
    data = chosen.out / page.DATA
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_bytes(figures.encode(result))
    (chosen.out / page.PAGE).write_text(page.markdown(result))
    print(page.markdown(result))


def measure(place: Path, times: Times, rounds: int, optimum: Path | None) -> Agreement:
    """Time every model with every harness; generated models go below `place`."""
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    load = os.getloadavg()[0]
    for one in toy.TOYS:
        toy.write(one, place / one.name)
    models = [_model(one, place / one.name, times, rounds) for one in toy.TOYS]
    versions: dict[str, str] = {}
    absent: tuple[tuple[str, str], ...] = ()
    try:
        models, versions = _beside(models, place, times, optimum)
    except beside.Unavailable as missing:
        absent = ((beside.NAME, str(missing)),)
    return Agreement(
        schema=figures.SCHEMA,
        started=started,
        host=host.identify(),
        versions={name: version(name) for name in PACKAGES},
        beside_versions=versions,
        warm_up_s=times.warm_up_s,
        seconds=times.seconds,
        rounds=rounds,
        load_before=load,
        models=tuple(models),
        absent=absent,
    )


def _model(one: Toy, folder: Path, times: Times, rounds: int) -> Model:
    """Time one model with every harness, in an order that turns by one each round."""
    names = list(ARMS)
    samples: dict[str, list[Sequence[int]]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            samples[name].append(ARMS[name](folder, times))
        print(f"{one.name}: round {number + 1} of {rounds}", file=sys.stderr)
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    series = tuple(_series(name, samples[name]) for name in names)
    return Model(name=one.name, sha256=digest, series=series)


def _series(name: str, rounds: Sequence[Sequence[int]]) -> Series:
    return Series(
        arm=name,
        p50_ns=tuple(figures.p50(taken) for taken in rounds),
        calls=tuple(len(taken) for taken in rounds),
    )


def _beside(
    models: Sequence[Model], place: Path, times: Times, folder: Path | None
) -> tuple[list[Model], dict[str, str]]:
    """Return the models with optimum-benchmark's one process each, and its versions."""
    if folder is None:
        raise beside.Unavailable(NOT_ASKED)
    where = beside.environment(folder.absolute(), version("onnxruntime"))
    seconds = times.seconds * max(1, len(models[0].series[0].p50_ns) // 2)
    timed: list[Model] = []
    for one, model in zip(toy.TOYS, models, strict=True):
        taken = beside.time_toy(where, one, place / one.name, seconds)
        timed.append(structs.replace(model, beside=(_series(beside.NAME, [taken]),)))
    return timed, where.versions


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=page.COMMAND, description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.0, help="of calls, each process")
    parser.add_argument("--warm-up", type=float, default=0.5, help="seconds, each process")
    parser.add_argument("--optimum", type=Path, help="folder of optimum-benchmark's environment")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "agreement")
    return parser


if __name__ == "__main__":
    main()
