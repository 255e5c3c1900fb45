"""`.ci/aarch64`: shellcheck has nothing to say, and what it cannot have it names, with status 3."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from steelyard import plan

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "aarch64"
SHELLCHECK = shutil.which("shellcheck", path=str(Path(sys.executable).parent)) or shutil.which(
    "shellcheck"
)

pytestmark = pytest.mark.skipif(
    not SCRIPT.is_file(), reason="the script is not beside an installed wheel's tests"
)


def call(*arguments: str, path: str = os.defpath) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("bash") or "/bin/bash", str(SCRIPT), *arguments]
    return subprocess.run(
        command, env={"PATH": path, "HOME": "/nowhere"}, capture_output=True, text=True, check=False
    )


@pytest.fixture
def dist(tmp_path: Path) -> str:
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "steelyard-0-py3-none-any.whl").touch()
    return str(folder)


@pytest.mark.skipif(SHELLCHECK is None, reason="needs shellcheck")
def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run(
        [str(SHELLCHECK), str(SCRIPT)], capture_output=True, text=True, check=False
    )

    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [(), ("3.12", "dist", "out"), ("3.11", "dist")])
def test_other_versions_and_missing_arguments_are_told_the_usage(
    arguments: tuple[str, ...],
) -> None:
    done = call(*arguments)

    assert (done.returncode, done.stderr) == (
        2,
        "aarch64: usage: .ci/aarch64 3.10|3.11 DIST FOLDER\n",
    )


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, dist: str) -> None:
    done = call("3.11", dist, dist)

    assert done.returncode == 2
    assert "is not empty" in done.stderr


def test_a_machine_without_qemu_is_told_what_to_install(tmp_path: Path, dist: str) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "realpath", "ls", "mkdir"):
        (tools / name).symlink_to(str(shutil.which(name)))

    done = call("3.11", dist, str(tmp_path / "out"), path=str(tools))

    assert done.returncode == 3
    assert done.stderr == (
        "aarch64: qemu-aarch64-static is missing; try: apt-get install qemu-user-static\n"
    )


def test_its_cells_are_one_small_one_of_each_precision() -> None:
    suite = plan.load_suite(SCRIPT.with_name("aarch64.toml"))

    assert {name for entry in suite.entries for name in entry.models} == {
        "tfidf-linear@fp32",
        "minilm-head@int8",
    }
    assert all((entry.sample or 0) <= 100 for entry in suite.entries)
