"""Read attacks on chat models and harmless prompts, families of one template kept together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.rows import Row, Shared, decode_options, items_of, named_path

_WORD = re.compile(r"\w+")
_T = TypeVar("_T")


class PromptOptions(Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`attacks` is a JSON list of texts, `benign` a JSON object of objects with a `prompt`.

    Prompts that share `shared` of the shorter one's runs of `run` words are one family; a family
    with both labels is left out. A text is cut after `max_chars`.
    """

    attacks: str
    benign: str
    attack_label: str = "attack"
    benign_label: str = "benign"
    max_chars: int = 2000
    min_chars: int = 40
    run: int = 5
    shared: float = 0.3


class _Persona(Struct, frozen=True, kw_only=True):
    prompt: str


class _Prompt(Struct, frozen=True, kw_only=True):
    where: str
    text: str
    label: str


class PromptAttacks:
    """Reader `prompt-attacks`."""

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return attacks and harmless prompts, grouped by family."""
        how = decode_options(options, PromptOptions)
        attacks = _decode(named_path(paths, how.attacks), how.attacks, list[str])
        benign = _decode(named_path(paths, how.benign), how.benign, dict[str, _Persona])
        personas = [one.prompt for one in benign.values()]
        found = [
            *_prompts(attacks, "attack", how.attack_label, how),
            *_prompts(personas, "benign", how.benign_label, how),
        ]
        return items_of(_rows(found, how), labels, how, how.attacks)


def _decode(path: Path, name: str, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.MsgspecError as error:
        raise PrepareError(f"{name}: not the JSON that was expected: {error}") from error


def _prompts(texts: Sequence[str], kind: str, label: str, how: PromptOptions) -> Iterator[_Prompt]:
    for number, text in enumerate(texts):
        cut = text.strip()[: how.max_chars].rstrip()
        if len(cut) >= how.min_chars:
            yield _Prompt(where=f"{kind}-{number:04d}", text=cut, label=label)


def _rows(found: Sequence[_Prompt], how: PromptOptions) -> Iterator[Row]:
    """Yield the prompts of families with one label."""
    family = families([one.text for one in found], how.run, how.shared)
    labels: dict[int, set[str]] = defaultdict(set)
    for one, first in zip(found, family, strict=True):
        labels[first].add(one.label)
    for one, first in zip(found, family, strict=True):
        if len(labels[first]) == 1:
            yield Row(
                where=one.where,
                text=one.text,
                label=one.label,
                id=f"{how.prefix}-{one.where}",
                group=found[first].where,
            )


def families(texts: Sequence[str], run: int, shared: float) -> list[int]:
    """Return the first text of each text's family, families being joined through their members.

    Two texts are kin if they share at least `shared` of the runs of words of the one with fewer.
    """
    runs = [_runs(text, run) for text in texts]
    holders: dict[bytes, list[int]] = defaultdict(list)
    family = list(range(len(texts)))
    for place, mine in enumerate(runs):
        common: dict[int, int] = defaultdict(int)
        for one in mine:
            for other in holders[one]:
                common[other] += 1
            holders[one].append(place)
        for other, times in common.items():
            if times >= shared * min(len(mine), len(runs[other])):
                _join(family, place, other)
    return [_first(family, place) for place in range(len(texts))]


def _runs(text: str, run: int) -> set[bytes]:
    """Return the runs of words of a text, hashed; a short text is one run."""
    words = _WORD.findall(text.lower())
    starts = range(max(1, len(words) - run + 1))
    return {sha256(" ".join(words[at : at + run]).encode()).digest()[:8] for at in starts}


def _first(family: list[int], place: int) -> int:
    while family[place] != place:
        family[place] = family[family[place]]
        place = family[place]
    return place


def _join(family: list[int], one: int, other: int) -> None:
    first, second = sorted((_first(family, one), _first(family, other)))
    family[second] = first
