"""A pull request in a scratch repository, gated as a job does it: by the command and its status."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import toy
from tests.integration.test_gate import git

ROOT = Path(__file__).parents[2]
CELL = "toy-00/clerk@plain/cpu-1t"
CARD = """
schema = 1
id = "clerk"
role = "specialist"
title = "A model that takes as long as its card says"
tasks = ["*"]
licence = "MIT"

[[variants]]
id = "plain"
backend = "null"
session = "constant"
precision = "none"
recipe = "majority"
# Far below a scheduler's slice: however busy the machine, most calls are not interrupted.
session_options = { spin_us = 200 }
"""
# The command, but for a backend that is really so slow, and rules that no other work breaks.
COMMAND = """
from steelyard import plugins, validity
from steelyard.cli import main

validity.RULES = ()
located = plugins.locate


def locate(kind, name):
    own = kind == "backends" and name == "null"
    return "tests.integration.spinning:Spinning" if own else located(kind, name)


plugins.locate = locate
main()
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a task and a model of its own on `main`, and a branch checked out."""
    toy.project(tmp_path, models='"clerk"')
    home = tmp_path / "cards" / "models" / "clerk"
    home.mkdir(parents=True)
    (home / "card.toml").write_text(CARD)
    (tmp_path / ".gitignore").write_text("cache/\n*.json\n")
    git(tmp_path, "init", "--quiet", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    git(tmp_path, "checkout", "--quiet", "-b", "change")
    return tmp_path


def proposed(repository: Path, change: Callable[[str], str]) -> None:
    """Commit a change of the model's card on the branch."""
    (card,) = repository.glob("cards/models/*/card.toml")
    card.write_text(change(card.read_text()))
    git(repository, "commit", "--quiet", "--all", "-m", "the pull request")


def job(repository: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run what the job runs: the branch against main."""
    arms = ("--model", "clerk@plain", "--baseline", "rev:main", "--quantity", "latency")
    return subprocess.run(
        [sys.executable, "-c", COMMAND, "gate", *arms, "--cards", "cards", *more],
        cwd=repository,
        env={**toy.environment(repository), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def test_a_pull_request_that_makes_a_model_a_tenth_slower_fails_its_job(repository: Path) -> None:
    proposed(repository, lambda card: card.replace("spin_us = 200", "spin_us = 220"))

    done = job(repository, "--blocks", "6", "-o", "gate.json")

    assert done.returncode == 1, done.stdout + done.stderr
    told = done.stdout.partition(f"REGRESSION  ({CELL} -> {CELL})")[2]
    figures = re.search(r"latency REGRESSION: (\d\.\d{3}) \[(\d\.\d{3}, \d\.\d{3})\]", told)
    assert figures is not None, done.stdout
    (cell,) = json.loads((repository / "gate.json").read_text())["cells"]
    (line,) = cell["lines"]
    assert cell["candidate"] == CELL
    assert figures[1] == f"{line['estimate']:.3f}"
    assert figures[2] == f"{line['low']:.3f}, {line['high']:.3f}"
    assert 1.0 < line["low"] <= line["estimate"] <= line["high"]
    assert 1.05 < line["estimate"] < 1.15


@pytest.mark.parametrize("renamed", [("clerk", "teller"), ("plain", "simple")])
def test_a_pull_request_that_renames_a_model_or_variant_ends_its_job_with_three(
    repository: Path, renamed: tuple[str, str]
) -> None:
    old, new = (f'id = "{name}"' for name in renamed)
    models = repository / "cards" / "models"
    if renamed[0] == "clerk":
        git(repository, "mv", str(models / "clerk"), str(models / renamed[1]))
    proposed(repository, lambda card: card.replace(old, new))

    done = job(repository)

    assert done.returncode == 3, done.stdout + done.stderr
    said = done.stderr.strip().splitlines()[-1]
    assert f"'{renamed[0]}'" in said
    assert "rev:main has it" in said


def test_a_model_that_neither_side_has_is_wrong_usage_or_no_arm(repository: Path) -> None:
    here = job(repository, "--model", "nobody@plain")
    both = job(repository, "--model", "nobody", "--baseline", "nobody?spin_us=1")

    assert (here.returncode, both.returncode) == (3, 2), here.stderr + both.stderr
    assert "nobody" in here.stderr
