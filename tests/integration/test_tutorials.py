"""The tutorials, followed to the letter."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests import toy

DOCS = Path(__file__).resolve().parents[2] / "docs"
FILES = re.compile(r"```\w+ file=(\S+)\n(.*?)```", re.DOTALL)
COMMANDS = re.compile(r"^\$ (steelyard|pip|python) (.*)$", re.MULTILINE)
HASH_OF = re.compile(r"@sha256:(\S+?)@")


def write_files(text: str, folder: Path) -> None:
    """Write the files that a tutorial shows; a hash that the reader takes is taken here."""
    for path, content in FILES.findall(text):
        filled = HASH_OF.sub(lambda found: _sha256(folder / found[1]), content)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(filled)


def call(folder: Path, program: str, line: str) -> subprocess.CompletedProcess[str]:
    """Run one command of a tutorial; packages go where this test's workers find them."""
    if program == "steelyard":
        return toy.call(folder, *shlex.split(line))
    if program == "python":
        return _run(folder, *shlex.split(line))
    quiet = ("--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    return _run(folder, "-m", "pip", *shlex.split(line), *quiet, "--target", str(folder / "site"))


@pytest.mark.export
@pytest.mark.skipif(not DOCS.is_dir(), reason="the docs are not beside an installed wheel's tests")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("add-a-task.md", "tickets"),
        ("write-a-meter.md", "2 passed"),
        pytest.param("add-a-model.md", "char-svm", marks=pytest.mark.network),
        pytest.param("write-a-backend.md", "praise-words", marks=pytest.mark.network),
        pytest.param("first-run.md", "tfidf-linear", marks=pytest.mark.network),
    ],
)
def test_a_tutorial_works_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, shown: str
) -> None:
    text = (DOCS / name).read_text()
    write_files(text, tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    printed = ""
    for program, line in COMMANDS.findall(text):
        done = call(tmp_path, program, line)
        assert done.returncode in {0, 3} if line == "doctor" else done.returncode == 0, (
            f"{line}\n{done.stderr}"
        )
        printed += done.stdout

    assert shown in printed


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
