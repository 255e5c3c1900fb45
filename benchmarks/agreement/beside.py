"""optimum-benchmark in an environment of its own, which this makes where it is not there yet.

With today's optimum its 0.6.0 needs one line repaired: the table of tasks that it imports has gone
from `optimum.pipelines` to optimum-onnx, under another name and without the key `class`. It calls
optimum's ORTModel around the session, which costs tens of microseconds a call, and its parent polls
without a pause, which takes a core: it is set beside the others, not held against them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from msgspec import Struct

from .arms import HERE
from .toy import Toy

NAME = "optimum-benchmark"
PACKAGES = ("optimum-benchmark==0.6.0", "optimum-onnx[onnxruntime]>=0.1,<0.2", "optimum>=2.1,<2.2")
SHOWN = ("optimum-benchmark", "optimum", "optimum-onnx", "onnxruntime", "torch", "transformers")
BROKEN = "^from optimum.pipelines import ORT_SUPPORTED_TASKS$"
REPAIRED = (
    "from optimum.onnxruntime.pipelines import ORT_TASKS_MAPPING as tasks; "
    'ORT_SUPPORTED_TASKS = {name: {"class": tasks[name]} for name in tasks}'
)
INSTALL_TIMEOUT_S, TIMEOUT_S, WARM_UP_CALLS = 1800.0, 300.0, 500


class Unavailable(Exception):  # noqa: N818 - an answer that goes into the result
    """Why there is no figure of it."""


class Environment(Struct, frozen=True, kw_only=True):
    """A virtual environment with a repaired optimum-benchmark."""

    python: str
    versions: dict[str, str]


def environment(folder: Path, onnxruntime: str) -> Environment:
    """Return the environment in `folder`, made and repaired; raise Unavailable where it fails."""
    python = folder / "bin" / "python"
    if not python.exists():
        _call(sys.executable, "-m", "venv", str(folder))
        wanted = (*PACKAGES, f"onnxruntime=={onnxruntime}")
        _call(str(python), "-m", "pip", "install", "--quiet", *wanted, timeout_s=INSTALL_TIMEOUT_S)
    find = "import importlib.util as u; print(u.find_spec('optimum_benchmark').origin)"
    package = Path(_call(str(python), "-c", find).strip()).parent
    target = package / "backends" / "onnxruntime" / "utils.py"
    _call("sed", "-i", f"s/{BROKEN}/{REPAIRED}/", str(target))
    listed = json.loads(_call(str(python), "-m", "pip", "list", "--format=json"))
    found = {entry["name"].lower().replace("_", "-"): entry["version"] for entry in listed}
    return Environment(
        python=str(python), versions={name: found[name] for name in SHOWN if name in found}
    )


def time_toy(where: Environment, toy: Toy, folder: Path, seconds: float) -> list[int]:
    """Return nanoseconds a call; raise Unavailable where it fails."""
    script = str(HERE / "optimum_arm.py")
    figures = (str(folder), str(WARM_UP_CALLS), f"{seconds}", str(toy.tokens))
    text = _call(where.python, script, *figures)
    taken: list[int] = json.loads(text.strip().splitlines()[-1])
    return taken


def _call(*command: str, timeout_s: float = TIMEOUT_S) -> str:
    try:
        done = subprocess.run(
            command, cwd="/", capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{NAME}: {error}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["nothing on the standard error"]
        raise Unavailable(f"{NAME}: {command[1]}: status {done.returncode}: {said[0]}")
    return done.stdout
