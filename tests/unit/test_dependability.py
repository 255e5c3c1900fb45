from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.unit import builders
from tests.unit.builders import MODEL_CARD, TASK_CARD
from tests.unit.test_catalog import cards
from tests.unit.test_plan import suite
from tests.unit.test_prompting import CHAT

from steelyard import catalog, plan, prompting
from steelyard.api import Answer, Item, RenderedPrompt
from steelyard.errors import CardError
from steelyard.job import Answered, Job, Scored
from steelyard.measure import Bench
from steelyard.measure import dependability as again
from steelyard.measure.dependability import NO_WORDS, ONE_WORDING, Asked, count
from steelyard.measure.findings import Findings
from steelyard.measure.work import Work
from steelyard.passes import Passes
from steelyard.prepare.artifacts import Artifact
from steelyard.prepare.cache import Cache
from steelyard.prepare.data import Dataset
from steelyard.progress import Silent
from steelyard.prompting import Candidate, ScoredItem
from steelyard.record import ArtifactRef, Dependability, PromptChoice, Reworded
from steelyard.record_file import encode
from steelyard.spawn import Listener, OnStart, PassFailed, Worker, ignore

ITEMS = tuple(Item(id=f"i{n}", text="text", label="a") for n in range(4))
LABELS = {"a", "b"}


def answers(labels: str) -> dict[str, str]:
    return {item.id: label for item, label in zip(ITEMS, labels, strict=True)}


def test_changes_are_counted_by_paraphrase_and_by_item() -> None:
    asked = Asked(
        first=answers("aabb"),
        again=answers("aabb"),
        reworded={0: answers("babb"), 2: answers("baba")},
    )

    assert count(asked, ITEMS, LABELS, label_scored=True) == Dependability(
        n=4,
        correct=2,
        repeats_differ=0,
        answers=16,
        outside=0,
        label_scored=True,
        # The first item changes under both, the last under one: two items, three flips.
        flipped=2,
        reworded=(
            Reworded(paraphrase=0, flips=1, correct=1),
            Reworded(paraphrase=2, flips=2, correct=2),
        ),
    )


def test_without_words_there_is_nothing_to_reword_and_that_is_said() -> None:
    asked = Asked(first=answers("aabb"), again=answers("abbx"))

    found = count(asked, ITEMS, LABELS, label_scored=False)

    assert (found.repeats_differ, found.outside, found.answers) == (2, 1, 8)
    assert found.flipped is None
    assert found.no_paraphrases == NO_WORDS


def test_a_prompt_of_one_wording_has_no_other_words() -> None:
    asked = Asked(first=answers("aabb"), again=answers("aabb"))

    assert count(asked, ITEMS, LABELS, label_scored=True).no_paraphrases == ONE_WORDING


@given(st.lists(st.text("abx", min_size=4, max_size=4), min_size=1, max_size=5))
def test_items_that_flip_lie_between_the_most_and_the_sum_of_flips(rounds: list[str]) -> None:
    others = {place: answers(labels) for place, labels in enumerate(rounds)}
    asked = Asked(first=answers("aabb"), again=answers("aabb"), reworded=others)

    found = count(asked, ITEMS, LABELS, label_scored=True)

    flips = [one.flips for one in found.reworded]
    assert found.flipped is not None
    assert max(flips) <= found.flipped <= min(4, sum(flips))


def test_another_wording_gets_priors_of_its_own_by_the_chosen_method() -> None:
    prompt = RenderedPrompt(prefix="p", suffix="s", answers=("apple", "pear"), max_chars=9)
    candidate = Candidate(
        paraphrase=1,
        prompt=prompt,
        items=(
            ScoredItem(expected="a", log_likelihoods=(-2.0, -8.0)),
            ScoredItem(expected="b", log_likelihoods=(-4.0, -4.0)),
        ),
        neutral=((-1.0, -3.0),),
        lengths=(1, 2),
    )

    def priors(**method: Any) -> tuple[float, ...]:
        return prompting.calibrated(candidate, choice(**method)).priors

    assert priors(calibration="none") == ()
    assert priors(calibration="neutral") == (-1.0, -3.0)
    assert priors(calibration="train") == (-3.0, -6.0)
    assert priors(calibration="train", normalisation="mean") == (-3.0, -3.0)


def choice(**changes: Any) -> PromptChoice:
    facts: dict[str, Any] = {
        "paraphrase": 0,
        "normalisation": "sum",
        "calibration": "train",
        "shots": 0,
        "accuracy": 1.0,
        "n": 2,
        "candidates": (),
        "prefix": "the chosen prefix",
        "suffix": "",
        "max_chars": 9,
        "priors": (-9.0, -9.0),
    }
    return PromptChoice(**{**facts, **changes})


def test_a_suite_asks_again_only_where_it_says_so_and_never_quickly(tmp_path: Path) -> None:
    text = """
schema = 1
name = "toy"
tasks = ["toy"]

[[entries]]
models = ["tiny@fp32"]
device = "cpu-1t"

[[entries]]
models = ["tiny@int8"]
device = "cpu-1t"
dependability = { items = 5 }
"""
    found = catalog.load([cards(tmp_path / "cards")])

    silent, asked = plan.cells(suite(tmp_path, text), found, 1)
    quick = plan.cells(suite(tmp_path, text, quick=True), found, 1)

    assert silent.dependability is None
    assert asked.dependability is not None
    assert asked.dependability.items == 5
    assert [cell.dependability for cell in quick] == [None, None]
    assert plan.fingerprint((silent,)) != plan.fingerprint((asked,))


@pytest.mark.parametrize("wrong", ["{ items = 0 }", '{ items = "5" }', "{ item = 5 }", "true"])
def test_a_malformed_wish_is_refused(tmp_path: Path, wrong: str) -> None:
    text = f"""
schema = 1
name = "toy"
tasks = ["toy"]
[[entries]]
models = ["tiny"]
device = "cpu-1t"
dependability = {wrong}
"""
    with pytest.raises(CardError, match="dependability"):
        suite(tmp_path, text)


def test_a_record_keeps_what_was_found_and_names_nothing_where_nobody_asked() -> None:
    found = count(
        Asked(first=answers("aabb"), again=answers("aabb")), ITEMS, LABELS, label_scored=False
    )
    asked, silent = builders.record(dependability=found), builders.record()

    assert b"dependability" not in encode(silent)
    assert b'"dependability":{"answers":8' in encode(asked)


class Obedient(Passes, frozen=True, kw_only=True):
    """Passes of a model that says "a" to the first wording and "b" to the second; no process."""

    def run(self, job: Job, listen: Listener, on_start: OnStart = ignore) -> None:
        RAN.append(job)
        for part in job.parts:
            if job.kind == "choose":
                for index, _ in enumerate(job.candidates):
                    listen(scored(index, len(part.items)))
                return
            prompt = part.spec.prompt
            if prompt is not None and "broken" in prompt.prefix:
                raise PassFailed("timed_out", "accuracy pass took too long")
            label = "b" if prompt is not None and "Which of" in prompt.prefix else "a"
            listen(Answered(answers=tuple((i.id, Answer(label=label)) for i in part.items)))


RAN: list[Job] = []


def scored(index: int, n: int) -> Scored:
    return Scored(
        candidate=index, lengths=(1, 1), items=((-1.0, -2.0),) * n, neutral=((-5.0, -6.0),)
    )


def work(folder: Path, *, calibration: str = "train", task: str = TASK_CARD) -> Work:
    """Return a prompted cell under way, its four test items answered with "a"."""
    RAN.clear()
    model = MODEL_CARD.replace("specialist", "generalist")
    found = catalog.load([cards(folder / "cards", task, model)])
    text = (
        'schema = 1\nname = "toy"\ntasks = ["toy"]\n[[entries]]\nmodels = ["tiny@int8"]\n'
        'device = "cpu-1t"\nprompt_items = 2\ndependability = { items = 3 }\n'
    )
    (planned,) = plan.cells(suite(folder, text), found, 1)
    (folder / "chat.json").write_bytes(msgspec.json.encode(CHAT))
    artifact = Artifact(
        path=folder,
        folds=(folder,),
        ref=ArtifactRef(sha256="a" * 64, size_bytes=1, recipe_sha256="b" * 64, parameters=1),
    )
    train = tuple(Item(id=f"t{n}", text="text", label="ab"[n % 2]) for n in range(4))
    test = tuple(structs.replace(item, fold=0) for item in ITEMS)
    findings = Findings(planned)
    findings.dataset = Dataset(task="toy", folds=1, items=(*train, *test), sha256="c" * 64)
    findings.prompt = choice(calibration=calibration)
    return Work(
        bench=Bench(cache=Cache(folder / "cache"), progress=Silent()),
        passes=Obedient(planned=planned, artifact=artifact, backend="null", worker=Worker()),
        asked=test,
        found=findings,
        answers={item.id: Answer(label="a") for item in test},
    )


def test_a_prompted_model_is_asked_again_and_in_every_other_wording(tmp_path: Path) -> None:
    under_way = work(tmp_path)

    again.dependability(under_way)

    found = under_way.found.dependability
    assert found is not None
    assert (found.n, found.correct, found.repeats_differ, found.flipped) == (3, 3, 0, 3)
    assert found.reworded == (Reworded(paraphrase=1, flips=3, correct=0),)
    assert (found.label_scored, found.outside, found.answers) == (True, 0, 9)
    assert [job.kind for job in RAN] == ["accuracy", "choose", "accuracy"]
    # The other wording's priors are its own: the mean over the train items it was tried on.
    asked = RAN[-1].parts[0].spec.prompt
    assert asked is not None
    assert asked.priors == (-1.0, -2.0)
    assert len(RAN[1].parts[0].items) == 2


@pytest.mark.parametrize(("calibration", "tried"), [("none", []), ("neutral", [1])])
def test_train_items_are_tried_only_where_the_method_needs_them(
    tmp_path: Path, calibration: str, tried: list[int]
) -> None:
    again.dependability(work(tmp_path, calibration=calibration))

    assert [len(job.parts[0].items) for job in RAN if job.kind == "choose"] == tried


def test_what_goes_wrong_here_is_said_and_costs_no_other_result(tmp_path: Path) -> None:
    under_way = work(tmp_path, task=TASK_CARD.replace("Which of", "broken: which of"))

    again.dependability(under_way)

    assert under_way.found.dependability is None
    why = ("dependability", "timed_out: accuracy pass took too long")
    assert why in under_way.found.absent


def test_nobody_is_asked_twice_unasked(tmp_path: Path) -> None:
    under_way = work(tmp_path)
    under_way.found.planned = structs.replace(under_way.found.planned, dependability=None)

    again.dependability(under_way)

    assert RAN == []
    assert under_way.found.dependability is None
