"""Readers of texts with marked spans: generated personal data, and labelled XML."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.api import Item, Label
from steelyard.errors import PrepareError
from steelyard.readers.labelled_xml import LabelledXml, parse
from steelyard.readers.presidio import Presidio

TYPES = tuple(Label(id=name, words=name.lower()) for name in ("PERSON", "GPE"))
FIELDS = tuple(Label(id=name, words=name.lower()) for name in ("Number", "Street"))


def span(kind: str, value: str, start: int) -> dict[str, object]:
    return {
        "entity_type": kind,
        "entity_value": value,
        "start_position": start,
        "end_position": start + len(value),
    }


def sample(text: str, *spans: dict[str, object], template: int = 7) -> dict[str, object]:
    return {
        "full_text": text, "masked": "?", "spans": spans, "template_id": template, "metadata": None,
    }  # fmt: skip


def presidio(folder: Path, *samples: dict[str, object]) -> list[Item]:
    path = folder / "data.json"
    path.write_text(json.dumps(samples), encoding="utf-8")
    return Presidio().read({"data.json": path}, {"prefix": "pii"}, TYPES)


def labelled(folder: Path, body: str, **options: bool) -> list[Item]:
    path = folder / "data.xml"
    path.write_text(f"<All>{body}</All>", encoding="utf-8")
    return LabelledXml().read({"data.xml": path}, {"element": "One", **options}, FIELDS)


def test_a_sample_is_an_item_with_its_spans_in_order_and_its_template_as_group(
    tmp_path: Path,
) -> None:
    text = "Ana is from Ghana"

    items = presidio(tmp_path, sample(text, span("GPE", "Ghana", 12), span("PERSON", "Ana", 0)))

    assert items == [
        Item(
            id="pii-0000",
            text=text,
            label='[[0,3,"PERSON"],[12,17,"GPE"]]',
            group="template-7",
        )
    ]


def test_a_sample_without_spans_is_an_item_too(tmp_path: Path) -> None:
    assert presidio(tmp_path, sample("Hello"))[0].label == "[]"


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([span("GPE", "Chad", 12)], r"data.json\[0\]: 'Chad' does not stand at 12 to 16"),
        ([span("PLANET", "Ghana", 12)], "'PLANET' is not a label of the task"),
        ([span("GPE", "Ghana", 12), span("PERSON", "Gha", 12)], "overlaps the span before it"),
        ([span("GPE", "", 40)], "does not stand at"),
    ],
)
def test_a_span_that_is_not_what_it_says_is_refused(
    tmp_path: Path, spans: list[dict[str, object]], said: str
) -> None:
    with pytest.raises(PrepareError, match=said):
        presidio(tmp_path, sample("Ana is from Ghana", *spans))


def test_a_file_that_is_no_list_of_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="missing required field `spans`"):
        presidio(tmp_path, {"full_text": "Ana", "template_id": 1})


def test_elements_become_a_span_a_token_and_blanks_one_space(tmp_path: Path) -> None:
    body = "<One><Number>12</Number>  <Street>Long\nLane,\n</Street></One>"

    (item,) = labelled(tmp_path, body)

    assert item.text == "12 Long Lane,"
    assert item.label == '[[0,2,"Number"],[3,7,"Street"],[8,13,"Street"]]'


def test_entities_of_xml_itself_are_read(tmp_path: Path) -> None:
    body = "<One><Street>A</Street> <Street>&amp;</Street> <Street>&#38;</Street></One>"

    assert labelled(tmp_path, body)[0].text == "A & &"


def test_a_text_is_kept_once_and_ids_count_what_was_left_out(tmp_path: Path) -> None:
    one, two = "<One><Number>1</Number></One>", "<One><Number>2</Number></One>"

    items = labelled(tmp_path, one + one + two, drop_duplicates=True)

    assert [item.id for item in items] == ["item-0001", "item-0003"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<One><City>Bonn</City></One>", "data.xml: One 1: <City> is not a label of the task"),
        ("<One>at <Number>1</Number></One>", "'at' has no label"),
        ("<One><Number>1</Number> to</One>", "'to' has no label"),
        ("<One><Number>1<Street>A</Street></Number></One>", "<Number> holds elements"),
        ("<Two/>", "no element 'One'"),
        ("<One>", "not well-formed XML"),
    ],
)
def test_a_document_that_is_not_labelled_throughout_is_refused(
    tmp_path: Path, body: str, said: str
) -> None:
    with pytest.raises(PrepareError, match=said):
        labelled(tmp_path, body)


BILLION_LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE All [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>
<All><One><Number>&c;</Number></One></All>"""
A_FILE_OF_THIS_MACHINE = """<?xml version="1.0"?>
<!DOCTYPE All [<!ENTITY f SYSTEM "file:///etc/hostname">]><All><One>&f;</One></All>"""
A_TYPE_ELSEWHERE = '<!DOCTYPE All SYSTEM "http://example.invalid/all.dtd"><All/>'


@pytest.mark.parametrize("hostile", [BILLION_LAUGHS, A_FILE_OF_THIS_MACHINE, A_TYPE_ELSEWHERE])
def test_a_document_that_declares_a_type_or_entities_is_refused(hostile: str) -> None:
    with pytest.raises(PrepareError, match=r"x\.xml: declares a document type"):
        parse(hostile.encode(), "x.xml")


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(PrepareError):
        assert parse(b"<a>" + data + b"</a>", "x.xml").tag == "a"


words = st.lists(
    st.tuples(st.text("ab1,&<é", min_size=1, max_size=4), st.sampled_from(["Number", "Street"])),
    min_size=1,
    max_size=6,
)


@given(words)
def test_every_token_of_a_text_is_a_span_of_its_label(drawn: list[tuple[str, str]]) -> None:
    from xml.sax.saxutils import escape

    from steelyard.readers.labelled_xml import _tokens

    body = " ".join(f"<{kind}>{escape(word)}</{kind}>" for word, kind in drawn)
    element = parse(f"<One>{body}</One>".encode(), "x.xml")

    text, spans = _tokens(element, "x.xml", {"Number", "Street"})

    assert [(text[start:end], kind) for start, end, kind in spans] == drawn
