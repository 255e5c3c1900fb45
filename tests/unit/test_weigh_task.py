"""What is written: a card, a suite, a matrix, the lines that load an artefact."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.builders import cell, record

from steelyard import catalog, plan
from steelyard.api import Score
from steelyard.card import Name, TaskCard
from steelyard.errors import SteelyardError, StoreError
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent
from steelyard.record import ArtifactRef, Prediction, Record, Sample
from steelyard.weigh import best, confusion, export, features, result, suite, task
from steelyard.weigh.division import divide
from steelyard.weigh.intake import Kept
from steelyard.weigh.suite import Models
from steelyard.weigh.times import Moment

TEXTS = st.text(min_size=1).filter(str.strip)
MODELS = Models(light=("majority", "tfidf-linear@fp32"), encoders=("minilm-head@int8",))


def kept(n: int = 20, labels: tuple[str, ...] = ("a", "b"), **more: Any) -> list[Kept]:
    return [
        Kept(line=i + 2, text=f"text {i}", label=labels[i % len(labels)], **more) for i in range(n)
    ]


def card_of(rows: list[Kept], **changes: Any) -> TaskCard:
    asked = changes.get("paraphrases", task.GENERIC)
    text = task.card_text("own", "0" * 64, divide(rows, 0, "x"), asked)
    return catalog.decode(text.encode(), TaskCard, "card.toml")


@given(
    st.lists(
        st.text(st.characters(blacklist_categories=["Cs"]), min_size=1).filter(str.strip),
        min_size=2,
        max_size=5,
        unique_by=lambda x: " ".join(x.split()),
    )
)
def test_any_labels_make_a_card_that_says_them(labels: list[str]) -> None:
    card = card_of(kept(labels=tuple(labels)))

    assert {label.id for label in card.labels} == set(labels)
    assert len({label.words for label in card.labels}) == len(labels)


def test_labels_are_said_with_spaces_unless_two_would_be_one() -> None:
    plain = card_of(kept(labels=("late_delivery", "refund")))
    both = card_of(kept(labels=("late_delivery", "late delivery")))

    assert [label.words for label in plain.labels] == ["late delivery", "refund"]
    assert {label.words for label in both.labels} == {"late_delivery", "late delivery"}


def test_a_written_task_is_found_planned_and_read_as_it_was_divided(tmp_path: Path) -> None:
    from steelyard.prepare import items

    hostile = ("=cmd|' /C calc'!A0", "\u202elabel", '"""', "{text}")
    divided = divide(kept(40, hostile, group=None), 0, "x")
    text = suite.suite_text("own", MODELS, divided.tested, 100)

    written = task.write(tmp_path, "own", divided, task.GENERIC, text)

    found = catalog.load((written.cards,))
    data = items.load(found.task("own"), Cache(tmp_path / "cache"), Silent())
    assert data.items == divided.items
    loaded = plan.load_suite(written.suite)
    assert [c.cell.model for c in plan.cells(loaded, found, 2)] == [
        "majority",
        "tfidf-linear",
        "minilm-head",
    ]
    assert (tmp_path / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("how", ["grouped", "by-time"])
def test_groups_and_times_come_back_from_the_card(tmp_path: Path, how: str) -> None:
    from steelyard.prepare import items

    rows = [
        Kept(
            line=i,
            text=f"text {i}",
            label="ab"[i % 2],
            group=f"g{i % 7}" if how == "grouped" else None,
            moment=Moment(dated=True, value=float(i)) if how == "by-time" else None,
        )
        for i in range(50)
    ]
    divided = divide(rows, 3, "x")

    written = task.write(tmp_path, "own", divided, task.GENERIC, "schema = 1\n")

    card = catalog.load((written.cards,)).task("own")
    assert items.load(card, Cache(tmp_path / "cache"), Silent()).items == divided.items


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    texts = []
    for home in (tmp_path / "1", tmp_path / "2"):
        written = task.write(home, "own", divide(kept(), 0, "x"), task.GENERIC, "x")
        texts.append([p.read_bytes() for p in sorted(written.cards.rglob("*")) if p.is_file()])

    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("tickets.csv", "tickets"),
        ("My Tickets (2026).csv", "my-tickets-2026"),
        ("../../etc/passwd.csv", "passwd"),
        ("--help.csv", "help"),
        ("Жалобы.csv", "data"),
        ("-", "data"),
        ("spam.csv", "spam-own"),
        ("x" * 200 + ".csv", "x" * 48),
        ("\x1b[31mred.csv", "31mred"),
    ],
)
def test_a_task_is_named_after_its_file(path: str, name: str) -> None:
    made = task.name_of(Path(path), None, {"spam"})

    assert made == name
    assert msgspec.convert(made, Name) == made


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/b", "", ".", "..", "A", "x\n", "a" * 65]
)
def test_a_path_is_no_name_of_a_task(name: str) -> None:
    with pytest.raises(SteelyardError, match="--name: ") as caught:
        task.name_of(Path("x.csv"), name, ())

    assert caught.value.exit_code == 2


def test_the_name_of_a_shipped_task_is_taken() -> None:
    with pytest.raises(SteelyardError, match="'spam' is a task that steelyard ships"):
        task.name_of(Path("x.csv"), "spam", {"spam"})


def test_a_question_gets_its_labels_and_its_text() -> None:
    asked = task.prompts("Which team handles this?")

    assert asked[0].startswith("Which team handles this? Possible answers: {labels}.")
    prompt = card_of(kept(), paraphrases=asked).prompt
    assert prompt is not None
    assert prompt.paraphrases == asked
    assert len(task.prompts(None)) == 3
    assert task.prompts("Of {labels}, which?\n{text}")[0] == "Of {labels}, which?\n{text}"


@pytest.mark.parametrize("prompt", ["{text} of {labels}", "{labels}", "{text}", "{", "{x} y"])
def test_a_prompt_that_cannot_be_filled_is_refused(prompt: str) -> None:
    with pytest.raises(SteelyardError, match="--prompt: write"):
        task.prompts(prompt)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SteelyardError, match="choose another with --output") as caught:
        task.write(tmp_path / "file", "own", divide(kept(), 0, "x"), task.GENERIC, "x")
    assert "\n" not in str(caught.value)


def test_what_takes_long_gets_a_sample() -> None:
    models = Models(light=("majority",), encoders=("minilm-head@int8",), generalist="big@int8")

    few = suite.suite_text("own", models, 1000, 50)
    many = suite.suite_text("own", models, 1001, 50)

    assert "sample = 1000" not in few
    assert "sample = 1000" in many
    assert "sample = 50" in few


def test_a_specialist_is_no_generalist() -> None:
    found = catalog.load()

    with pytest.raises(SteelyardError, match=r"majority is a baseline; there is .*smollm2"):
        suite.models(found, "majority")
    with pytest.raises(SteelyardError, match="no model 'qwen'"):
        suite.models(found, "qwen")


def test_a_prompt_with_a_person_s_texts_in_it_would_be_recorded_and_is_refused() -> None:
    with pytest.raises(SteelyardError, match="your texts would be in them"):
        suite.models(catalog.load(), "smollm2-135m@int8-8shot")


def test_where_nothing_can_be_trained_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steelyard.recipes.options.find_spec", lambda _: None)

    with pytest.raises(SteelyardError, match=r"no specialist can be trained here") as caught:
        suite.models(catalog.load(), None)
    assert "pip install 'steelyard[export]'" in str(caught.value)


def said(*pairs: tuple[str, str]) -> tuple[Prediction, ...]:
    return tuple(Prediction(id=str(i), expected=a, answer=b) for i, (a, b) in enumerate(pairs))


def test_a_matrix_counts_what_was_taken_for_what() -> None:
    made = confusion.confusion(said(("a", "a"), ("a", "b"), ("b", "b"), ("a", "a")), ["a", "b"])

    assert made.counts == ((2, 1), (0, 1))
    assert made.mistakes() == [("a", "b", 1)]
    assert confusion.text(made) == (
        "expected \\ answered  a  b  recall\n"
        "a                    2  1    0.67\n"
        "b                    0  1    1.00\n"
    )


def test_of_many_labels_only_what_was_confused_is_shown() -> None:
    labels = [f"l{i}" for i in range(300)]
    made = confusion.confusion(said(("l1", "l2"), ("l1", "l2"), ("l3", "l4")), labels)

    assert confusion.text(made) == (
        "expected  answered  times\nl1              l2      2\nl3              l4      1\n"
    )
    assert "None of 300" in confusion.text(confusion.confusion(said(("l1", "l1")), labels))


def test_a_matrix_is_harmless_in_a_terminal_and_in_a_spreadsheet() -> None:
    labels = ["=1+1", "@SUM(A1)", "-x", "b\u202e", "c" * 100]
    made = confusion.confusion(said(("=1+1", "-x")), labels)

    shown, kept_rows = confusion.text(made), list(csv.reader(io.StringIO(confusion.csv_text(made))))

    assert "\u202e" not in shown
    assert "c" * 30 not in shown
    assert kept_rows[0][1:4] == ["'=1+1", "'@SUM(A1)", "'-x"]
    assert [row[0] for row in kept_rows[1:4]] == ["'=1+1", "'@SUM(A1)", "'-x"]


def cell_record(model: str, role: str, size: int, sample: Sample | None = None) -> Record:
    return record(
        cell=cell(model=model),
        role=role,
        sample=sample,
        artifact=ArtifactRef(sha256="d" * 64, size_bytes=size, recipe_sha256="e", parameters=1),
        scores=(Score(metric="accuracy", value=0.5, n=4),),
    )


def answers(right: int, wrong: int, start: int = 0) -> tuple[Prediction, ...]:
    marks = [True] * right + [False] * wrong
    marks = marks[start:] + marks[:start]
    return tuple(
        Prediction(id=str(i), expected="a", answer="a" if mark else "b")
        for i, mark in enumerate(marks)
    )


SMALL = cell_record("small", "specialist", 10)
LARGE = cell_record("large", "specialist", 1000)
ALWAYS = cell_record("always", "baseline", 1)


def test_of_two_that_cannot_be_told_apart_the_smaller_is_taken() -> None:
    given_answers = {SMALL.cell.id: answers(90, 10), LARGE.cell.id: answers(93, 7)}

    choice = best.choose([LARGE, SMALL], given_answers)

    assert choice is not None
    assert choice.record is SMALL
    assert choice.against is LARGE
    # 3 lost, none won: p = 2 * 0.5^3.
    assert choice.pair is not None
    assert (choice.pair.lost, choice.pair.won) == (3, 0)
    assert choice.pair.p_value == pytest.approx(0.25)


def test_a_larger_one_that_is_better_is_taken() -> None:
    given_answers = {SMALL.cell.id: answers(80, 20), LARGE.cell.id: answers(95, 5)}

    choice = best.choose([SMALL, LARGE], given_answers)

    assert choice is not None
    assert choice.record is LARGE
    assert choice.reason == "it has 15.0 points more than small@int8"


def test_a_specialist_no_better_than_one_answer_is_said_to_be_so() -> None:
    given_answers = {SMALL.cell.id: answers(52, 48), ALWAYS.cell.id: answers(50, 50)}

    choice = best.choose([ALWAYS, SMALL], given_answers)

    assert choice is not None
    told = best.beats_constant(choice, [ALWAYS, SMALL], given_answers)
    assert told is not None
    assert "2 items won, 0 lost of 100" in told
    better = {**given_answers, SMALL.cell.id: answers(80, 20)}
    assert best.beats_constant(choice, [ALWAYS, SMALL], better) is None


def test_one_that_is_better_than_a_constant_is_taken_before_one_that_is_not() -> None:
    given_answers = {
        SMALL.cell.id: answers(54, 46),
        LARGE.cell.id: answers(60, 40, start=1),
        ALWAYS.cell.id: answers(50, 50),
    }

    choice = best.choose([ALWAYS, SMALL, LARGE], given_answers)

    assert choice is not None
    assert choice.record is LARGE
    assert "no other is shown to be better than always" in choice.reason


def test_where_none_is_better_than_a_constant_there_is_none_to_take() -> None:
    given_answers = {SMALL.cell.id: answers(52, 48), ALWAYS.cell.id: answers(50, 50)}

    found = result.result([ALWAYS, SMALL], lambda r: given_answers[r.cell.id], card_of(kept()), 1.0)

    assert found is not None
    assert found.useless
    assert "(78 labels for 270 rows), or label more." in result.none_to_take(78, 270)


def test_without_a_generalist_the_two_best_specialists_are_compared() -> None:
    given_answers = {
        SMALL.cell.id: answers(90, 10),
        LARGE.cell.id: answers(93, 7),
        ALWAYS.cell.id: answers(50, 50),
    }

    found = result.result(
        [ALWAYS, SMALL, LARGE], lambda r: given_answers[r.cell.id], card_of(kept()), 1.0
    )

    assert found is not None
    assert not found.useless
    assert found.said[0].startswith("The two best specialists: small@int8 less large@int8: -3.0")
    # psi = 4 / 102, d = 0.03: 340 to two digits.
    assert found.said[2] == (
        "To tell small@int8 and large@int8 apart, if they differ as much as here, takes about "
        "340 test items; there are 100."
    )


def test_another_task_in_the_same_folder_is_kept_and_the_same_one_is_written_again(
    tmp_path: Path,
) -> None:
    mine, other = divide(kept(), 0, "x"), divide(kept(labels=("a", "c")), 0, "x")
    task.write(tmp_path, "mine", mine, task.GENERIC, "")

    task.write(tmp_path, "mine", mine, task.GENERIC, "")
    for name, division, remedy in (
        ("mine", other, "holds a task with other labels or data; choose --name or --output"),
        ("yours", other, "holds another task, 'mine'; choose another --output"),
    ):
        with pytest.raises(StoreError, match=remedy):
            task.write(tmp_path, name, division, task.GENERIC, "")
    assert not (tmp_path / "cards" / "tasks" / "yours").exists()


def test_the_generalist_is_what_a_specialist_is_set_against() -> None:
    big = cell_record("big", "generalist", 10**9, Sample(n=50, of=400, seed=0))
    given_answers = {
        SMALL.cell.id: answers(90, 10),
        ALWAYS.cell.id: answers(50, 50),
        big.cell.id: answers(44, 6),
    }
    card = card_of(kept())

    found = result.result([ALWAYS, SMALL, big], lambda r: given_answers[r.cell.id], card, 1.0)

    assert found is not None
    assert found.choice.against is big
    assert found.said[0].startswith("small@int8 less big@int8: +12.0 points")
    assert "on the same 50 items" in found.said[0]
    assert "400 labelled items are at hand" in found.said[1]


def test_without_a_specialist_there_is_no_result() -> None:
    failed = record(cell=cell(model="x"), outcome="failed", reason="no")

    assert result.result([failed], lambda _: None, card_of(kept()), 1.0) is None


FAMILIES = [
    {"analyser": "word", "shortest": 1, "longest": 2, "sublinear": True},
    {"analyser": "char_wb", "shortest": 1, "longest": 4, "sublinear": False},
    {"analyser": "char_wb", "shortest": 4, "longest": 5, "sublinear": True},
]


@given(text=st.text(st.sampled_from("ab cd.É\u0130_1\n "), max_size=40))
def test_the_exported_features_are_those_that_were_measured(text: str) -> None:
    pytest.importorskip("onnxruntime")
    from steelyard.backends.ort.linear import Family, Weigher

    grams = [["ab", "ab ab", "cd", "é"], [" ", "a", " ab", "ab ", "é"], [" ab ", " a ", " cd."]]
    given_families, ours = [], []
    for number, (facts, vocabulary) in enumerate(zip(FAMILIES, grams, strict=True)):
        idf = np.linspace(1, 2, len(vocabulary), dtype=np.float32)
        index = {gram: place for place, gram in enumerate(vocabulary)}
        given_families.append({**facts, "index": index, "idf": idf})
        family = msgspec.convert({**facts, "vocabulary": "v", "idf": "i"}, Family)
        weigher = Weigher(family, vocabulary, idf)
        ids, weights = weigher.weigh(text.lower())
        ours.append((ids + sum(map(len, grams[:number])), weights))

    made = features.inputs(given_families, text)

    ids, weights = (np.concatenate(parts) for parts in zip(*ours, strict=True))
    if not ids.size:
        assert made["weights"].tolist() == [0.0]
        return
    expected = dict(zip(ids.tolist(), weights.tolist(), strict=True))
    found = dict(zip(made["ids"].tolist(), made["weights"].tolist(), strict=True))
    assert found == pytest.approx(expected, abs=1e-6)
    assert made["weights"].dtype == np.float32


@pytest.mark.parametrize("kind", ["linear", "encoder"])
def test_the_lines_are_python_and_about_ten(tmp_path: Path, kind: str) -> None:
    facts = {"max_length": 256, "pooling": "mean", "normalise": True, "output": "x"}
    (tmp_path / f"{kind}.json").write_bytes(msgspec.json.encode(facts))
    home = tmp_path / 'it\'s "here"\n'

    text = export.lines(tmp_path, home)

    compile(text, "example.py", "exec")
    assert len(text.splitlines()) <= 12
    assert max(map(len, text.replace(repr(str(home)), "''").splitlines())) <= 100


def test_an_artefact_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(SteelyardError, match="run again to build it"):
        export.export(SMALL, Cache(tmp_path / "cache"), tmp_path)
