"""Readers of tables and of JSON: what a user's file may look like, and what is said of it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.one_file import LABELS, read, refusal

from steelyard.api import Item
from steelyard.errors import PrepareError
from steelyard.readers.delimited import Delimited
from steelyard.readers.json_lines import JsonLines
from steelyard.readers.json_path import JsonPath

patient = settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "mine.csv"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    return tmp_path / "mine.jsonl"


def test_a_csv_with_the_usual_columns_needs_no_options(table: Path) -> None:
    items = read(Delimited(), table, "text,label\nbuys a rival,acq\nprofit up,earn\n")

    assert items == [
        Item(id="item-0001", text="buys a rival", label="acq"),
        Item(id="item-0002", text="profit up", label="earn"),
    ]


def test_columns_are_found_by_name_in_any_order(table: Path) -> None:
    content = "desk;no;body;who\nacq;7;buys;a\nearn;9;profit;b\n"
    items = read(
        Delimited(), table, content, delimiter=";", text="body", label="desk", id="no", group="who"
    )

    assert [(i.id, i.text, i.label, i.group) for i in items] == [
        ("7", "buys", "acq", "a"),
        ("9", "profit", "earn", "b"),
    ]


def test_columns_are_found_by_number_after_skipped_lines(table: Path) -> None:
    content = "Category\tText\nd\tstring\nclass\t\n\nacq\tbuys\nearn\tprofit\n"
    items = read(
        Delimited(), table, content,
        delimiter="\t", header=False, skip=4, label=0, text=1, quotes=False, prefix="r8",
    )  # fmt: skip

    assert [item.id for item in items] == ["r8-0001", "r8-0002"]


def test_train_and_test_files_make_an_official_split(tmp_path: Path) -> None:
    paths = {"a.csv": tmp_path / "a.csv", "b.csv": tmp_path / "b.csv"}
    paths["a.csv"].write_text("text,label\nbuys,acq\n")
    paths["b.csv"].write_text("text,label\nprofit,earn\n")

    items = Delimited().read(paths, {"train": "a.csv", "test": "b.csv", "prefix": "mine"}, LABELS)

    assert [(i.id, i.fold) for i in items] == [("mine-train-0001", None), ("mine-test-0001", 0)]


def test_a_part_column_makes_an_official_split(table: Path) -> None:
    content = "text,label,split\nbuys,acq,test\nprofit,earn,train\n"
    items = read(Delimited(), table, content, part="split")

    assert [item.fold for item in items] == [0, None]


def test_a_byte_order_mark_is_not_part_of_the_first_column(table: Path) -> None:
    assert read(Delimited(), table, "\ufefftext,label\nbuys,acq\n")[0].text == "buys"


@patient
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_any_text_that_the_csv_module_writes_is_read_back(table: Path, texts: list[str]) -> None:
    texts = [text for text in texts if text.strip()] or ["x"]
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([["text", "label"], *([text, "acq"] for text in texts)])

    items = read(Delimited(), table, stream.getvalue())

    assert [item.text for item in items] == texts


def test_an_unknown_label_is_named_with_its_line_and_the_nearest(table: Path) -> None:
    said = refusal(Delimited(), table, "text,label\nbuys,acq\nprofit,earns\n")

    assert said == "mine.csv:3: label 'earns' is not a label of the task; nearest is 'earn'"


def test_a_label_given_in_words_is_answered_with_its_id(table: Path) -> None:
    assert "nearest is 'acq'" in refusal(Delimited(), table, "text,label\nbuys,Acquisition\n")


def test_a_label_near_to_none_is_answered_with_the_list(table: Path) -> None:
    assert "it has 'acq', 'earn'" in refusal(Delimited(), table, "text,label\nbuys,zzzzzz\n")


def test_a_missing_column_is_answered_with_those_there_are(table: Path) -> None:
    said = refusal(Delimited(), table, "body,label\nbuys,acq\n")

    assert said == "mine.csv:1: no column 'text' for text; the header has 'body', 'label'"


def test_a_column_number_beyond_the_line_is_refused(table: Path) -> None:
    said = refusal(Delimited(), table, "buys,acq\n", header=False, text=0, label=2)

    assert "no column 2 for label; the line has 2" in said


def test_a_column_name_without_a_header_is_refused(table: Path) -> None:
    said = refusal(Delimited(), table, "buys,acq\n", header=False)

    assert "without a header, give a column number" in said


def test_a_line_of_another_width_is_named(table: Path) -> None:
    said = refusal(Delimited(), table, "text,label\nbuys, and sells,acq\n")

    assert said.startswith("mine.csv:2: 3 columns, expected 2")


def test_a_quote_that_is_never_closed_is_named(table: Path) -> None:
    assert refusal(Delimited(), table, 'text,label\n"buys,acq\n').startswith("mine.csv:")


def test_a_wrong_encoding_is_named_with_its_line(table: Path) -> None:
    said = refusal(Delimited(), table, "text,label\nbuys,acq\ncafé,earn\n".encode("latin-1"))

    assert said.startswith("mine.csv:3: byte 0xe9 is not utf-8; set the reader option encoding")


def test_a_named_encoding_is_used(table: Path) -> None:
    content = "text,label\ncafé,earn\n".encode("latin-1")

    assert read(Delimited(), table, content, encoding="latin-1")[0].text == "café"


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_is_refused(table: Path, content: str) -> None:
    assert refusal(Delimited(), table, content) == "mine.csv: the file is empty"


def test_a_file_of_a_header_alone_is_refused(table: Path) -> None:
    assert refusal(Delimited(), table, "text,label\n") == "mine.csv: no items in it"


def test_an_empty_text_is_named(table: Path) -> None:
    assert refusal(Delimited(), table, "text,label\n ,acq\n") == "mine.csv:2: the text is empty"


def test_an_id_used_twice_is_named_with_both_lines(table: Path) -> None:
    said = refusal(Delimited(), table, "text,label,id\na,acq,x\nb,acq,x\n", id="id")

    assert said == "mine.csv:3: id 'x' was already used at mine.csv:2"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"colour": "red"}, "reader.options.colour: not an option of this reader; it knows"),
        ({"skip": "three"}, "Expected `int`, got `str` - at `$.skip`"),
        ({"skip": -1}, "expected 0 or more lines"),
        ({"delimiter": "||"}, "expected one character"),
        ({"encoding": "klingon"}, "unknown encoding: klingon"),
        ({"train": "mine.csv"}, "train and test go together"),
        ({"train": "a", "test": "b", "part": "c"}, "either a part column, or train and test"),
        ({"train": "a", "test": "b", "file": "c"}, "give either file, or train and test"),
        ({"file": "other.csv"}, "no file 'other.csv' in the card; it has mine.csv"),
        ({"part": "label"}, "part 'acq', expected 'train' or 'test'"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    table: Path, options: dict[str, object], said: str
) -> None:
    assert said in refusal(Delimited(), table, "text,label\nbuys,acq\n", **options)


def test_which_of_several_files_must_be_said(tmp_path: Path) -> None:
    paths = {"a": tmp_path / "a", "b": tmp_path / "b"}

    with pytest.raises(PrepareError, match=r"the card has 2 files \(a, b\)"):
        Delimited().read(paths, {}, LABELS)


def test_dropped_duplicates_do_not_renumber_the_others(table: Path) -> None:
    content = "text,label\nbuys,acq\nbuys ,acq\nprofit,earn\n"
    items = read(Delimited(), table, content, drop_duplicates=True)

    assert [item.id for item in items] == ["item-0001", "item-0003"]


def test_json_lines_take_fields_from_objects_within(lines: Path) -> None:
    content = (
        '{"x": {"body": "buys"}, "y": "acq", "n": 3}\n\n{"x": {"body": "up"}, "y": "earn", "n": 4}'
    )
    items = read(JsonLines(), lines, content, text="x.body", label="y", id="n")

    assert [(i.id, i.text, i.label) for i in items] == [("3", "buys", "acq"), ("4", "up", "earn")]


@patient
@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip))
def test_any_text_in_json_lines_is_read_back(lines: Path, text: str) -> None:
    content = json.dumps({"text": text, "label": "acq"}, ensure_ascii=False)

    assert read(JsonLines(), lines, content)[0].text == text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"text": "a", "label": "acq"}\n{"text": ', "mine.jsonl:2: not one JSON object"),
        ("[1, 2]", "mine.jsonl:1: list, expected an object"),
        ('{"text": "a"}', "mine.jsonl:1: no field 'label'; there is 'text'"),
        ('{"text": 1.5, "label": "acq"}', "mine.jsonl:1: 'text' is float, expected text"),
        ('{"text": "a", "label": "acg"}', "mine.jsonl:1: label 'acg' is not a label of the task"),
    ],
)
def test_a_wrong_json_line_is_named(lines: Path, content: str, said: str) -> None:
    assert said in refusal(JsonLines(), lines, content)


def test_json_path_takes_the_highest_score_as_label(tmp_path: Path) -> None:
    document = {"data": {"rows": [{"q": "Say: buys", "s": {"acq": 1, "earn": 0}}]}}
    items = read(
        JsonPath(), tmp_path / "task.json", json.dumps(document),
        list="data.rows", text="q", scores="s", strip_prefix="Say: ",
    )  # fmt: skip

    assert [(item.text, item.label) for item in items] == [("buys", "acq")]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('{"rows": 3}', "task.json: 'rows' is int, expected a list"),
        ('{"row": []}', "task.json: no field 'rows'; there is 'row'"),
        ('{"rows": []}', "task.json: no items in it"),
        ("{", "task.json: not JSON"),
        ('{"rows": [{"text": "a", "s": {"acq": 1, "earn": 1}}]}', "rows[0]: 's' has 2 highest"),
        ('{"rows": [{"text": "a", "s": "acq"}]}', "'s' is no object of label ids with numbers"),
        ('{"rows": [{"text": "a", "s": {"acq": "1"}}]}', "'s' holds a score that is no number"),
    ],
)
def test_a_wrong_json_document_is_named(tmp_path: Path, document: str, said: str) -> None:
    assert said in refusal(JsonPath(), tmp_path / "task.json", document, list="rows", scores="s")


def test_label_and_scores_together_are_refused(tmp_path: Path) -> None:
    said = refusal(JsonPath(), tmp_path / "task.json", "[]", label="a", scores="b")

    assert said == "reader.options: give either label or scores"
