from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.builders import MODEL_CARD, TASK_CARD
from tests.unit.test_catalog import cards

from steelyard import catalog, plan
from steelyard.errors import CardError, UnknownNameError
from steelyard.plan import Suite

SUITE = """
schema = 1
name = "toy"
tasks = ["toy"]

[[entries]]
models = ["tiny"]
device = "cpu-1t"

[[entries]]
models = ["tiny@int8"]
device = "cpu-all"
sample = 100
"""


def suite(folder: Path, text: str = SUITE, *, quick: bool = False) -> Suite:
    path = folder / "bench.toml"
    path.write_text(text)
    return plan.load_suite(path, quick=quick)


def ids(folder: Path, text: str = SUITE, cores: int = 4) -> list[str]:
    found = catalog.load([cards(folder / "cards")])
    return [p.cell.id for p in plan.cells(suite(folder, text), found, cores)]


def test_a_model_stands_for_all_its_variants_and_all_cores_are_counted(tmp_path: Path) -> None:
    assert ids(tmp_path) == ["toy/tiny@fp32/cpu-1t", "toy/tiny@int8/cpu-1t", "toy/tiny@int8/cpu-4t"]


def test_a_cell_named_twice_runs_once(tmp_path: Path) -> None:
    assert len(ids(tmp_path, cores=1)) == 2


def test_more_threads_than_cores_is_refused_with_both_figures(tmp_path: Path) -> None:
    found = catalog.load([cards(tmp_path / "cards")])
    text = SUITE.replace("cpu-all", "cpu-8t")

    refused = [p.refusal for p in plan.cells(suite(tmp_path, text), found, 2) if p.refusal]

    assert refused == ["cpu-8t needs 8 cores, this process may use 2"]


@pytest.mark.parametrize("device", ["gpu", "cpu-0t", "cpu-", "cpu-twot"])
def test_an_unknown_device_is_refused(tmp_path: Path, device: str) -> None:
    with pytest.raises(CardError, match=r"bench.toml.entries\[1\].device: expected cpu-1t"):
        suite(tmp_path, SUITE.replace("cpu-all", device))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["tiny"]', '["tinny"]', "no model 'tinny'; did you mean 'tiny'"),
        ("tiny@int8", "tiny@int4", "no variant of tiny 'int4'; did you mean 'int8'"),
        ('["toy"]', '["toys"]', "no task 'toys'; did you mean 'toy'"),
    ],
)
def test_unknown_names_in_a_suite_get_the_nearest(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(UnknownNameError, match=said):
        ids(tmp_path, SUITE.replace(old, new))


def test_a_suite_that_is_not_there_names_the_shipped_ones(tmp_path: Path) -> None:
    shipped = ", ".join(sorted(path.stem for path in plan.SHIPPED.glob("*.toml")))
    assert "default, dependability, few-shot" in shipped

    with pytest.raises(UnknownNameError, match=f"one of: {shipped}"):
        plan.load_suite(tmp_path / "none.toml")


def test_shipped_suites_can_be_named() -> None:
    assert plan.load_suite(Path("quick")).name == "quick"
    assert plan.load_suite().name == "default"
    assert plan.load_suite(quick=True).name == "quick"


def test_a_quick_run_of_an_own_suite_asks_fewer_items(tmp_path: Path) -> None:
    quick = suite(tmp_path, quick=True)

    assert [entry.sample for entry in quick.entries] == [None, 40]
    assert quick.timing.max_seconds < plan.load_suite().timing.max_seconds


def test_nothing_selected_is_an_error_that_shows_what_ids_look_like(tmp_path: Path) -> None:
    found = catalog.load([cards(tmp_path / "cards")])
    planned = plan.cells(suite(tmp_path), found, 2)

    assert len(plan.select(planned, ("fp32",))) == 1
    with pytest.raises(UnknownNameError, match=r"nothing selected by 'x9'; cells read like: toy/"):
        plan.select(planned, ("x9",))


def test_a_plan_is_recognised_until_something_that_matters_changes(tmp_path: Path) -> None:
    found = catalog.load([cards(tmp_path / "cards")])
    same = [plan.fingerprint(plan.cells(suite(tmp_path), found, 2)) for _ in range(2)]
    other = plan.fingerprint(plan.cells(suite(tmp_path, SUITE.replace("100", "99")), found, 2))

    assert same[0] == same[1] != other


WRITTEN = """
[[variants]]
id = "written"
backend = "null"
session = "constant"
precision = "int8"
recipe = "majority"
answers = ["spans", "numbers"]
"""


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("label", ["fp32", "int8"]),
        ("spans", ["written"]),
        ("text", []),
    ],
)
@pytest.mark.parametrize("tasks", ['["*"]', '["toy"]'])
def test_a_variant_serves_the_answers_that_it_gives(
    tmp_path: Path, tasks: str, answers: str, expected: list[str]
) -> None:
    task = TASK_CARD.replace('"text"\n', f'"text"\nanswers = "{answers}"\n')
    if answers == "text":
        task = task[: task.index("[[labels]]")] + task[task.index("[[files]]") :]
        task = task.replace("one of: {labels}", "it").replace("Which of {labels}", "Which")
    model = MODEL_CARD.replace('tasks = ["*"]', f"tasks = {tasks}") + WRITTEN
    found = catalog.load([cards(tmp_path / "cards", task, model)])
    text = SUITE[: SUITE.rindex("[[entries]]")]

    served = [p.variant.id for p in plan.cells(suite(tmp_path, text), found, 1)]

    if tasks == '["toy"]' and answers != "label":
        # Named by its card, a model is served in the variants that do not say otherwise, too.
        expected = ["fp32", "int8", *expected]
    assert served == expected


def test_a_generalist_that_takes_no_text_is_not_asked_in_words(tmp_path: Path) -> None:
    model = MODEL_CARD.replace('"specialist"', '"generalist"')
    blind = model.replace('tasks = ["*"]', 'tasks = ["toy"]\nmodalities = ["series"]')

    def prompted(text: str, name: str) -> bool:
        found = catalog.load([cards(tmp_path / name, model=text)])
        return all(p.prompted for p in plan.cells(suite(tmp_path), found, 4))

    assert prompted(model, "asked")
    assert not prompted(blind, "not")
