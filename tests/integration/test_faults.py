"""What goes wrong outside of steelyard ends in one clear line, not in a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import toy
from tests.unit.builders import header, record

from steelyard.store import Journal


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("form", ["table", "json"])
def test_an_output_that_is_full_is_said(form: str, tmp_path: Path) -> None:
    journal = Journal.start(tmp_path / "run", header()).append(record())
    journal.close()

    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "steelyard", "report", str(journal.folder), "-f", form],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )

    assert done.stderr == "steelyard: the output cannot be written: No space left on device\n"
    assert done.returncode == 3


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder here that nobody can write")
@pytest.mark.parametrize("command", ["run", "prepare", "verify"])
def test_a_cache_that_cannot_be_used_is_said(command: str, tmp_path: Path) -> None:
    project = toy.project(tmp_path)
    run = Journal.start(tmp_path / "kept", header()).append(record()).folder
    arguments = [str(run)] if command == "verify" else ["--cards", "cards"]

    done = subprocess.run(
        [sys.executable, "-m", "steelyard", command, *arguments],
        cwd=project,
        env={**os.environ, "STEELYARD_CACHE": "/proc/steelyard"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.stderr.endswith(
        "steelyard: /proc/steelyard: the cache cannot be used: No such file or directory\n"
        "try: set STEELYARD_CACHE to a folder that you can write\n"
    )
    assert done.returncode == 3
    assert not (project / "results").exists()
