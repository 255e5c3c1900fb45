"""The tutorials, followed to the letter."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from tests import toy

DOCS = Path(__file__).resolve().parents[2] / "docs"
FILES = re.compile(r"```\w+ file=(\S+)\n(.*?)```", re.DOTALL)
COMMANDS = re.compile(r"^\$ steelyard (.*)$", re.MULTILINE)


@pytest.mark.export
@pytest.mark.skipif(not DOCS.is_dir(), reason="the docs are not beside an installed wheel's tests")
@pytest.mark.parametrize("name", ["add-a-task.md"])
def test_a_tutorial_works_as_written(tmp_path: Path, name: str) -> None:
    text = (DOCS / name).read_text()
    for path, content in FILES.findall(text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)

    for line in COMMANDS.findall(text):
        done = toy.call(tmp_path, *shlex.split(line))
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert "tickets" in done.stdout
