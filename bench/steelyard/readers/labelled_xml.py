"""Read texts whose tokens are labelled by XML elements, as parserator's training files are."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.parsers import expat

from msgspec import Struct

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.notation import Span, format_spans
from steelyard.readers.rows import decode_options, named_path, only_name


class XmlOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which file of the card to read, what ids begin with, which element holds an item."""

    file: str | None = None
    prefix: str = "item"
    element: str = "AddressString"
    drop_duplicates: bool = False


class LabelledXml:
    """Reader `labelled-xml`: an item is an element of elements; their names are the labels.

    Runs of blanks become one space. Each token, what stands between spaces, is a span of its own.
    """

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return the items in the order of the file; with `drop_duplicates`, each text once."""
        how = decode_options(options, XmlOptions)
        name = only_name(paths, how.file)
        root = parse(named_path(paths, name).read_bytes(), name)
        known = {label.id for label in labels}
        items = list(_items(root, name, how, known))
        if not items:
            raise PrepareError(f"{name}: no element {how.element!r} in it")
        return items


def parse(data: bytes, name: str) -> Element:
    """Return the root of a document; refuse one that declares a type or entities.

    Entities can grow without bound ("billion laughs") or name files of this machine, and a
    labelled text needs none.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.ParseFile(io.BytesIO(data))
        return builder.close()
    except (expat.ExpatError, ParseError, AssertionError) as error:
        raise PrepareError(f"{name}: not well-formed XML: {error}") from error
    except _DoctypeError as error:
        raise PrepareError(f"{name}: declares a document type; take the declaration out") from error


class _DoctypeError(Exception):
    """The document has a DOCTYPE, without which nothing can be declared."""


def _refuse_doctype(*_: object) -> NoReturn:
    raise _DoctypeError


def _items(root: Element, name: str, how: XmlOptions, known: set[str]) -> Iterator[Item]:
    """Yield the items; numbers count those that are left out."""
    seen: set[str] = set()
    for number, element in enumerate(root.iter(how.element), start=1):
        where = f"{name}: {how.element} {number}"
        text, spans = _tokens(element, where, known)
        if how.drop_duplicates and text in seen:
            continue
        seen.add(text)
        yield Item(id=f"{how.prefix}-{number:04d}", text=text, label=format_spans(spans))


def _tokens(element: Element, where: str, known: set[str]) -> tuple[str, list[Span]]:
    """Return an item's text and a span a token; refuse text outside of labels."""
    words: list[tuple[str, str]] = []
    _check_blank(element.text, where)
    for child in element:
        if child.tag not in known:
            raise PrepareError(f"{where}: <{child.tag}> is not a label of the task")
        if len(child):
            raise PrepareError(f"{where}: <{child.tag}> holds elements, expected text")
        words += [(word, child.tag) for word in (child.text or "").split()]
        _check_blank(child.tail, where)
    spans: list[Span] = []
    at = 0
    for word, label in words:
        spans.append((at, at + len(word), label))
        at += len(word) + 1
    return " ".join(word for word, _ in words), spans


def _check_blank(text: str | None, where: str) -> None:
    if text and text.strip():
        raise PrepareError(f"{where}: {text.strip()[:40]!r} has no label")
