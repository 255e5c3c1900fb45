"""Read pairs of product titles from prompts of the OpenAI evals suite `product-matching`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.rows import (
    Part,
    Row,
    Shared,
    decode_options,
    items_of,
    named_path,
    read_text,
)

_PAIR = re.compile(r"Product 1: 'Title: (?P<one>.+)'\s+Product 2: 'Title: (?P<two>.+)'")
_HEADINGS = {"Matching:": True, "Non-matching:": False}
_ANSWERS = {"Yes": True, "No": False}


class ProductOptions(Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files of prompts: `train` with solved pairs in each, `test` with the pair that is asked."""

    train: str
    test: str
    match: str
    other: str


class _Message(Struct, frozen=True, kw_only=True):
    content: str


class _Sample(Struct, frozen=True, kw_only=True):
    input: tuple[_Message, ...]
    ideal: str


class _Pair(Struct, frozen=True, kw_only=True):
    where: str
    one: str
    two: str
    match: bool


class ProductPairs:
    """Reader `product-pairs`. A text is two lines, a product's title on each."""

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return the solved pairs as train items, each once, and the asked ones as test items.

        Raises PrepareError where a pair occurs with both answers or on both sides of the split.
        """
        how = decode_options(options, ProductOptions)
        asked = [
            _asked(sample, where)
            for where, sample in _samples(named_path(paths, how.test), how.test)
        ]
        solved = [
            pair
            for where, sample in _samples(named_path(paths, how.train), how.train)
            for pair in _solved(sample, where)
        ]
        train = _once(solved)
        _check_apart(train, asked)
        rows = [*_rows(train, "train", how), *_rows(asked, "test", how)]
        return items_of(rows, labels, how, how.test)


def _samples(path: Path, name: str) -> Iterator[tuple[str, _Sample]]:
    """Yield each line's place and sample."""
    for number, line in enumerate(read_text(path, name, "utf-8").split("\n"), start=1):
        if line.strip():
            where = f"{name}:{number}"
            try:
                yield where, msgspec.json.decode(line, type=_Sample)
            except msgspec.MsgspecError as error:
                raise PrepareError(f"{where}: no sample of evals: {error}") from error


def _asked(sample: _Sample, where: str) -> _Pair:
    """Return the pair at the end of a prompt with the sample's answer."""
    found = _PAIR.search("\n".join(sample.input[-1].content.split("\n")[-2:]))
    if found is None or sample.ideal not in _ANSWERS:
        raise PrepareError(f"{where}: no pair with an answer of {' or '.join(_ANSWERS)}")
    return _Pair(where=where, one=found["one"], two=found["two"], match=_ANSWERS[sample.ideal])


def _solved(sample: _Sample, where: str) -> Iterator[_Pair]:
    """Yield the pairs listed under a prompt's headings; the asked pair stands on two lines."""
    match: bool | None = None
    for line in sample.input[-1].content.split("\n"):
        match = _HEADINGS.get(line.strip(), match)
        found = _PAIR.fullmatch(line.strip())
        if found is not None and match is not None:
            yield _Pair(where=where, one=found["one"], two=found["two"], match=match)


def _once(pairs: Sequence[_Pair]) -> list[_Pair]:
    """Return each pair once, whichever title stands first; refuse two answers to one."""
    first: dict[frozenset[str], _Pair] = {}
    for pair in pairs:
        known = first.setdefault(_titles(pair), pair)
        if known.match != pair.match:
            raise PrepareError(f"{pair.where}: another answer than at {known.where}")
    return list(first.values())


def _check_apart(train: Sequence[_Pair], test: Sequence[_Pair]) -> None:
    """Refuse a pair on both sides."""
    known = {_titles(pair): pair for pair in train}
    for pair in test:
        if _titles(pair) in known:
            raise PrepareError(f"{pair.where}: a pair that {known[_titles(pair)].where} solves")


def _titles(pair: _Pair) -> frozenset[str]:
    return frozenset((" ".join(pair.one.split()), " ".join(pair.two.split())))


def _rows(pairs: Sequence[_Pair], part: Part, how: ProductOptions) -> Iterator[Row]:
    for pair in pairs:
        text = f"{pair.one}\n{pair.two}"
        label = how.match if pair.match else how.other
        yield Row(where=pair.where, text=text, label=label, part=part)
