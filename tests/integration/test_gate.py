"""The gate for real: two arms in fresh processes, of options, environments and revisions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import structs
from tests import toy

from steelyard import host, plan, plugins
from steelyard.card import Timing
from steelyard.errors import ArmError
from steelyard.gate import repeating, running
from steelyard.gate.arms import Arm, parse
from steelyard.gate.environments import Site
from steelyard.gate.gating import FAST, Terms
from steelyard.gate.matrix import Asked
from steelyard.gate.running import Order
from steelyard.gate.sequence import Looks
from steelyard.gate.types import CellResult, Line, Quantity, Result
from steelyard.measure import Bench
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent

ROOT = Path(__file__).parents[2]
BRIEF = Timing(
    min_calls=20, max_calls=100, min_seconds=0.05, max_seconds=1.0, warm_up_min_calls=2,
    warm_up_min_seconds=0.0, warm_up_max_seconds=0.1, memory_calls=5,
)  # fmt: skip
SIX = Looks(blocks=(6,))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toy project whose backend spins; whatever else this machine does breaks no rule."""
    toy.project(tmp_path)
    located = plugins.locate

    def locate(kind: plugins.Kind, name: str) -> str:
        own = kind == "backends" and name == "null"
        return "tests.integration.spinning:Spinning" if own else located(kind, name)

    monkeypatch.setattr("steelyard.plugins.locate", locate)
    monkeypatch.setattr("steelyard.validity.RULES", ())
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def order(folder: Path, baseline: Arm, candidate: Arm, *quantities: Quantity) -> Order:
    return Order(
        baseline=baseline,
        candidate=candidate,
        asked=Asked(
            suite=plan.load_suite(folder / "bench.toml"), cards=(folder / "cards",), timing=BRIEF
        ),
        terms=Terms(host=host.identify(), looks=SIX, quantities=quantities or ("latency",)),
    )


def judged(folder: Path, wanted: Order) -> Result:
    cache = Cache(folder / "cache")
    site = Site(cache=cache, progress=Silent(), folder=folder)
    return running.run(wanted, Bench(cache=cache, progress=Silent()), site)


def line(result: Result, quantity: Quantity = "latency") -> Line:
    (cell,) = result.cells
    return next(one for one in cell.lines if one.quantity == quantity)


def test_a_real_extra_delay_is_found(project: Path) -> None:
    arms = parse("majority?spin_us=300"), parse("majority?spin_us=600")

    result = judged(project, order(project, *arms))

    found = line(result)
    assert result.status == "regression"
    assert found.n == 6
    assert found.estimate is not None
    assert 1.5 < found.estimate < 2.5
    assert found.adjusted is not None
    assert found.adjusted <= 0.01
    assert len(result.cells[0].medians_ns) == 6


def test_the_fast_mode_finds_it_in_five_processes(project: Path) -> None:
    wanted = order(project, parse("majority?spin_us=600"), parse("majority?spin_us=300"))
    terms = structs.replace(wanted.terms, mode="fast", looks=FAST)

    result = judged(project, structs.replace(wanted, terms=terms))

    assert result.status == "ok"  # faster by half
    assert line(result).n == 5
    assert (line(result).estimate or 1) < 0.7


def test_other_answers_are_a_loss_however_fast(project: Path) -> None:
    arms = parse("majority"), parse("majority?label=b")

    result = judged(project, order(project, *arms, "score", "size", "memory", "energy"))

    assert line(result, "score").estimate == pytest.approx(-1 / 3)
    assert line(result, "score").status == "inconclusive"  # three items show nothing
    assert line(result, "size").status == "ok"
    assert line(result, "memory").n == 5
    # Not asked for by name: without a sensor it says so and leaves the gate open.
    energy = line(result, "energy")
    assert energy.status != "absent" or energy.optional


def test_an_arm_whose_worker_fails_is_not_a_pass(project: Path) -> None:
    arms = parse("majority"), parse("majority?spin_us=fast")

    result = judged(project, order(project, *arms))

    assert result.status == "absent"
    assert "AssertionError" in (line(result).reason or "")


def test_another_environment_runs_its_arm(project: Path) -> None:
    arms = parse(f"env:{sys.executable}", "majority"), parse("majority?spin_us=50")
    wanted = order(project, *arms, "size")

    assert judged(project, wanted).status == "ok"


def test_an_environment_without_steelyard_is_refused(project: Path) -> None:
    python = project / "bare" / "bin" / "python"
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", project / "bare"), check=True)
    arms = parse(f"env:{python}", "majority"), parse("majority?spin_us=50")

    with pytest.raises(ArmError, match="install steelyard"):
        judged(project, order(project, *arms))


def test_an_audit_counts_alarms_and_advises_blocks(project: Path) -> None:
    cache = Cache(project / "cache")
    site = Site(cache=cache, progress=Silent(), folder=project)
    seen: list[tuple[CellResult, ...]] = []
    arm = parse("majority?spin_us=300")

    audit = repeating.audit(
        order(project, arm, arm),
        Bench(cache=cache, progress=Silent()),
        site,
        2,
        lambda _, cells: seen.append(cells),
    )

    (cell,) = audit.cells
    assert len(seen) == cell.trials == 2
    assert cell.unmeasured == 0
    assert cell.spread is not None
    assert cell.detectable is not None
    assert len(cell.estimates) == 2


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    subprocess.run(("git", "-C", folder, *who, *arguments), check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    toy.project(tmp_path)
    (tmp_path / ".gitignore").write_text("cache/\n")
    git(tmp_path, "init", "--quiet", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def test_a_revision_that_is_the_same_ends_as_measured(repository: Path) -> None:
    done = gate(repository, "--quantity", "size", "--quantity", "score", "-f", "json")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    lines = told["cells"][0]["lines"]
    assert [(one["quantity"], one["status"]) for one in lines] == [("size", "ok"), ("score", "ok")]
    assert lines[1]["reason"] == "not one answer changed"


def test_a_renamed_cell_is_exit_three_and_named(repository: Path) -> None:
    tasks = repository / "cards" / "tasks"
    (tasks / "toy-00").rename(tasks / "toy-new")
    card = tasks / "toy-new" / "card.toml"
    card.write_text(card.read_text().replace('id = "toy-00"', 'id = "toy-new"'))
    suite = repository / "bench.toml"
    suite.write_text(suite.read_text().replace("toy-00", "toy-new"))

    done = gate(repository, "--quantity", "size")

    assert done.returncode == 3
    assert "toy-new" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_revision_that_is_not_there_is_exit_three(repository: Path) -> None:
    done = gate(repository, "--quantity", "size", revision="rev:gone")

    assert done.returncode == 3
    assert "rev-parse" in done.stderr


def test_a_folder_that_is_no_repository_is_exit_three(tmp_path: Path) -> None:
    toy.project(tmp_path)

    done = gate(tmp_path, "--quantity", "size")

    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_arms_that_are_the_same_are_wrong_usage(tmp_path: Path) -> None:
    toy.project(tmp_path)

    done = toy.call(tmp_path, "gate", "--baseline", "majority", "--candidate", "majority")

    assert done.returncode == 2
    assert "--aa" in done.stderr


def gate(folder: Path, *more: str, revision: str = "rev:HEAD") -> subprocess.CompletedProcess[str]:
    arms = ("--model", "majority", "--baseline", revision)
    return toy.call(folder, "gate", *arms, "--cards", "cards", *more)
