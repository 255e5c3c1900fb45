"""Spans as tags and back, the word pieces of units, and the baseline that looks strings up."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.api import BuildReport, BuildRequest, Item, Label, SessionSpec, TrainingSet
from steelyard.backends.lookup import Lookup
from steelyard.errors import PrepareError, WorkerError
from steelyard.notation import Span, format_spans
from steelyard.recipes.crf_features import features, shape
from steelyard.recipes.span_lookup import SpanLookup
from steelyard.recipes.span_pieces import first_pieces
from steelyard.recipes.span_tags import places, spans_of, tag_names, tags_of, units_of

LABELS = tuple(Label(id=name, words=name.lower()) for name in ("P", "G"))
TEXT = "Dr. O'Neil, Chad"


def item(text: str, *spans: Span, name: str = "1", fold: int | None = None) -> Item:
    return Item(id=name, text=text, label=format_spans(spans), fold=fold)


def test_words_are_runs_of_letters_and_single_signs_tokens_what_stands_between_blanks() -> None:
    words = [TEXT[a:b] for a, b in places(TEXT, "words")]
    tokens = [TEXT[a:b] for a, b in places(TEXT, "tokens")]

    assert words == ["Dr", ".", "O", "'", "Neil", ",", "Chad"]
    assert tokens == ["Dr.", "O'Neil,", "Chad"]


def test_a_span_begins_with_b_and_goes_on_with_i() -> None:
    at = places(TEXT, "words")

    tags = tags_of([(4, 10, "P"), (12, 16, "G")], at)

    assert tags == ["O", "O", "B-P", "I-P", "I-P", "O", "B-G"]


def test_a_unit_that_a_span_cuts_belongs_to_it() -> None:
    assert tags_of([(1, 5, "P")], [(0, 2), (3, 8)]) == ["B-P", "I-P"]


def test_an_inside_tag_of_another_type_begins_a_span() -> None:
    at = [(0, 1), (2, 3), (4, 5), (6, 7)]

    assert spans_of(["I-P", "I-P", "I-G", "B-G"], at) == [(0, 3, "P"), (4, 5, "G"), (6, 7, "G")]


def test_each_type_has_two_tags_and_outside_comes_first() -> None:
    assert tag_names(["P", "G"]) == ("O", "B-P", "I-P", "B-G", "I-G")


cuts = st.lists(st.integers(0, 3), min_size=1, max_size=12)


@given(cuts, st.data())
def test_spans_of_whole_units_come_back_from_their_tags(
    gaps: list[int], data: st.DataObject
) -> None:
    at, end = [], 0
    for gap in gaps:
        at.append((end + gap, end + gap + 2))
        end += gap + 2
    spans: list[Span] = []
    first = 0
    while first < len(at):
        length = data.draw(st.integers(1, 3))
        kind = data.draw(st.sampled_from(["", "P", "G"]))
        last = min(first + length, len(at))
        if kind:
            spans.append((at[first][0], at[last - 1][1], kind))
        first = last

    assert spans_of(tags_of(spans, at), at) == spans


def test_units_are_tokens_only_where_every_token_is_a_span() -> None:
    whole = item("12 Lane,", (0, 2, "P"), (3, 8, "G"))
    part = item("12 Lane,", (0, 2, "P"), (3, 7, "G"))

    assert units_of([whole]) == "tokens"
    assert units_of([whole, part]) == "words"
    assert units_of([item("12 Lane,", (0, 8, "P"))]) == "words"


def test_a_unit_s_first_piece_is_found_by_its_place() -> None:
    # [CLS] Dr . O ' Ne il , [SEP]: the last word lies beyond the tokeniser's length.
    offsets = [(0, 0), (0, 2), (2, 3), (4, 5), (5, 6), (6, 8), (8, 10), (10, 11), (0, 0)]

    assert first_pieces(offsets, places(TEXT, "words")) == [1, 2, 3, 4, 5, 7, None]
    assert first_pieces(offsets, places(TEXT, "tokens")) == [1, 3, None]


def test_a_unit_that_the_tokeniser_drops_has_no_piece() -> None:
    assert first_pieces([(0, 0), (4, 5), (0, 0)], [(0, 3), (4, 5)]) == [None, 1]


def test_a_shape_keeps_capitals_digits_and_signs_and_cuts_long_runs() -> None:
    assert shape("McDonald-12345") == "XxXxxx-999"
    assert shape("ab.") == "xx."


def test_features_say_what_a_word_is_like_and_what_stands_around_it() -> None:
    text = "Dr. Who\n12"

    described = features(text, places(text, "tokens"))

    assert {"word=dr.", "bare=dr", "shape=Xx.", "gap=none", "1:word=who"} <= set(described[0])
    assert {"word=12", "digits=99", "gap=line", "-2:word=dr.", "edge=False|True"} <= set(
        described[2]
    )
    assert {"2:word=^$", "shapes=Xxx|99|^$"} <= set(described[2])


def built(items: list[Item], out: Path, folds: int = 1) -> BuildReport:
    training = TrainingSet(task="t", labels=LABELS, folds=folds, items=tuple(items))
    request = BuildRequest(files={}, options={}, threads=1, training=training)
    assert SpanLookup().refuse(request) is None
    return SpanLookup().build(request, out)


def answer(folder: Path, text: str) -> str:
    spec = SessionSpec(
        artifact=str(folder), session="strings", threads=1, labels=LABELS, options={}
    )
    session = Lookup().open(spec)
    return session.decode(session.infer(session.encode(text))).label


def test_the_longest_known_string_wins_and_gets_its_usual_type(tmp_path: Path) -> None:
    built(
        [
            item("Chad", (0, 4, "G"), name="1"),
            item("I met Chad", (6, 10, "P"), name="2"),
            item("in Chad", (3, 7, "G"), name="3"),
            item("Chad Smith", (0, 10, "P"), name="4"),
        ],
        tmp_path,
    )

    assert answer(tmp_path / "fold-0", "Chad, Chad Smith") == '[[0,4,"G"],[6,16,"P"]]'
    assert answer(tmp_path / "fold-0", "Smith") == "[]"


def test_a_string_that_is_mostly_unmarked_is_left_out(tmp_path: Path) -> None:
    marked = item("Will", (0, 4, "P"), name="1")
    others = [item("Will it rain?", name=str(n)) for n in (2, 3)]

    built([marked, *others], tmp_path)

    assert answer(tmp_path / "fold-0", "Will") == "[]"


def test_where_every_token_is_marked_an_unknown_one_gets_the_commonest_type(
    tmp_path: Path,
) -> None:
    built([item("12 Long Lane", (0, 2, "P"), (3, 7, "G"), (8, 12, "G"))], tmp_path)

    assert answer(tmp_path / "fold-0", "12 Short") == '[[0,2,"P"],[3,8,"G"]]'


def test_a_fold_never_sees_what_it_tests(tmp_path: Path) -> None:
    items = [
        item("in Chad", (3, 7, "G"), name="1", fold=0),
        item("in Mali", (3, 7, "G"), name="2", fold=1),
    ]

    report = built(items, tmp_path, folds=2)

    assert answer(tmp_path / "fold-0", "Mali, Chad") == '[[0,4,"G"]]'
    assert answer(tmp_path / "fold-1", "Mali, Chad") == '[[6,10,"G"]]'
    assert report.labelled_items == 1


def test_lookup_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    request = BuildRequest(files={}, options={"odd": 1}, threads=1)
    spec = SessionSpec(artifact=".", session="strings", threads=1, labels=(), options={"odd": 1})

    assert SpanLookup().refuse(request) == "recipe 'span-lookup' trains: it needs a task"
    assert Lookup().refuse(spec) == "backend 'lookup' has no session options, got ['odd']"
    with pytest.raises(PrepareError, match="no train items"):
        built([item("Chad", fold=0)], tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "prepare the artefact again"),
        (b"{}", "prepare the artefact again"),
        (
            msgspec.json.encode(
                {"units": "words", "otherwise": None, "strings": [[["Chad"], "PLANET"]]}
            ),
            "PLANET: no labels of the task",
        ),
    ],
)
def test_a_lookup_that_is_damaged_or_of_another_task_is_refused(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "lookup.json").write_bytes(content)

    with pytest.raises(WorkerError, match=said):
        answer(tmp_path, "Chad")
