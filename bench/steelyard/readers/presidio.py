"""Read texts with marked personal data, as presidio-evaluator generates them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.notation import format_spans
from steelyard.readers.rows import decode_options, named_path, only_name, read_text


class PresidioOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which file of the card to read, and what ids begin with."""

    file: str | None = None
    prefix: str = "item"


class _Marked(Struct, frozen=True, kw_only=True):
    """A span: characters from `start_position` to before `end_position`."""

    entity_type: str
    entity_value: str
    start_position: Annotated[int, Meta(ge=0)]
    end_position: Annotated[int, Meta(ge=1)]


class _Sample(Struct, frozen=True, kw_only=True):
    full_text: str
    spans: list[_Marked]
    template_id: int


class Presidio:
    """Reader `presidio`: a JSON list of samples; what was made from one template is one group."""

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return the samples, ids by their place in the list."""
        how = decode_options(options, PresidioOptions)
        name = only_name(paths, how.file)
        text = read_text(named_path(paths, name), name, "utf-8")
        try:
            samples = msgspec.json.decode(text, type=list[_Sample])
        except msgspec.MsgspecError as error:
            raise PrepareError(f"{name}: {error}") from error
        known = {label.id for label in labels}
        return [
            _item(sample, f"{name}[{place}]", f"{how.prefix}-{place:04d}", known)
            for place, sample in enumerate(samples)
        ]


def _item(sample: _Sample, where: str, name: str, known: set[str]) -> Item:
    """Return a sample as an item, once its spans are what they say."""
    last = 0
    for span in sorted(sample.spans, key=lambda one: one.start_position):
        fault = _fault(span, sample.full_text, last, known)
        if fault:
            raise PrepareError(f"{where}: {fault}")
        last = span.end_position
    marked = [(one.start_position, one.end_position, one.entity_type) for one in sample.spans]
    return Item(
        id=name,
        text=sample.full_text,
        label=format_spans(marked),
        group=f"template-{sample.template_id}",
    )


def _fault(span: _Marked, text: str, last: int, known: set[str]) -> str | None:
    """Say what is wrong with a span, or return None."""
    stands = text[span.start_position : span.end_position]
    if span.entity_type not in known:
        return f"span type {span.entity_type!r} is not a label of the task"
    if not stands or stands != span.entity_value:
        there = f"{span.start_position} to {span.end_position}"
        return f"{span.entity_value!r} does not stand at {there}, but {stands!r}"
    if span.start_position < last:
        return f"{span.entity_value!r} overlaps the span before it"
    return None
