"""The child that runs one recipe: its memory and its libraries end with it.

A `BuildJob` comes as JSON on stdin; a `BuildAnswer` goes as JSON to the descriptor that was the
standard output. What recipes print goes to the standard error.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from steelyard.api import BuildReport, BuildRequest
from steelyard.errors import PrepareError, Refusal, SteelyardError
from steelyard.plugins import instantiate


class BuildJob(Struct, frozen=True, kw_only=True):
    """One recipe run. `recipe` is `module:attribute`; `out` exists and is empty."""

    recipe: str
    request: BuildRequest
    out: Path


class BuildAnswer(Struct, frozen=True, kw_only=True):
    """What came of it: exactly one of the three."""

    report: BuildReport | None = None
    refusal: str | None = None
    error: str | None = None


def build(job: BuildJob) -> BuildReport:
    """Run the recipe in a fresh process.

    Raises Refusal where the recipe cannot run here, PrepareError where it failed.
    """
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "steelyard.prepare.builder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
        )
        try:
            output, _ = child.communicate(msgspec.json.encode(job, enc_hook=_encode))
        except BaseException:
            child.kill()
            child.wait()
            raise
        log.seek(0)
        complaint = log.read().decode(errors="replace").strip().splitlines()
    if child.returncode != 0 or not output:
        last = complaint[-1] if complaint else "nothing on the standard error"
        raise PrepareError(f"recipe {job.recipe} ended with {_status(child.returncode)}: {last}")
    answer = msgspec.json.decode(output, type=BuildAnswer)
    if answer.refusal is not None:
        raise Refusal(answer.refusal)
    if answer.report is None:
        raise PrepareError(f"recipe {job.recipe}: {answer.error}")
    return answer.report


def main() -> int:
    """Do the job on stdin; return the exit status."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=BuildJob, dec_hook=_decode)
    channel.write(msgspec.json.encode(_answer(job)))
    channel.flush()
    return 0


def _answer(job: BuildJob) -> BuildAnswer:
    recipe = instantiate(job.recipe)
    refusal = recipe.refuse(job.request)
    if refusal is not None:
        return BuildAnswer(refusal=refusal)
    try:
        return BuildAnswer(report=recipe.build(job.request, job.out))
    except SteelyardError as error:
        return BuildAnswer(error=str(error))


def _status(code: int) -> str:
    if code == -9:
        return "signal 9 (killed, perhaps for want of memory)"
    return f"signal {-code}" if code < 0 else f"status {code}"


def _encode(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} does not travel as JSON")


def _decode(kind: type, value: Any) -> Any:
    if issubclass(kind, Path):
        return kind(value)
    raise TypeError(f"{kind.__name__} does not travel as JSON")


if __name__ == "__main__":
    sys.exit(main())
