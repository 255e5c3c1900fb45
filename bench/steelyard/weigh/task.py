"""Write a division as a task: items, card and suite in a folder that `steelyard run` takes too."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from steelyard import store
from steelyard.card import Split
from steelyard.errors import OptionError, StoreError
from steelyard.weigh.division import Division

ITEMS = "items.jsonl"
MAX_CHARS = 400
GENERIC = (
    (
        "Sort the text into one of these categories: {labels}. Reply with the category only.\n\n"
        "Text: {text}\n\nCategory:"
    ),
    (
        "Read the text and choose the one label of the following that fits it best: {labels}.\n\n"
        "{text}\n\nLabel:"
    ),
    "Possible answers: {labels}. Which of them does this text call for?\n\nText: {text}\n\nAnswer:",
)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
HOW = {
    "stratified": "split evenly by label",
    "grouped": "rows of one group kept together",
    "by-time": "trained on the earlier rows, tested on the later",
}


class Written(Struct, frozen=True, kw_only=True):
    """A task on disk. `cards` goes to --cards, `suite` to `steelyard run`."""

    id: str
    folder: Path
    cards: Path
    suite: Path


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item in `items.jsonl`."""

    id: str
    text: str
    label: str
    group: str | None = None
    part: str | None = None


def name_of(path: Path, given: str | None, taken: Collection[str]) -> str:
    """Return the task's name: as given, else made from the file's; `taken` are shipped tasks."""
    if given is not None:
        if not _NAME.fullmatch(given):
            raise OptionError(
                f"--name: {given!r}; expected lower-case letters, digits, '.', '_' and '-', "
                "64 at most, beginning with a letter or digit"
            )
        if given in taken:
            raise OptionError(f"--name: {given!r} is a task that steelyard ships; choose another")
        return given
    plain = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower())
    made = re.sub(r"^[^a-z0-9]+", "", plain)[:48].rstrip("-_") or "data"
    return f"{made}-own" if made in taken else made


def prompts(question: str | None) -> tuple[str, ...]:
    """Return the ways a generalist is asked: the person's own first.

    A question without {labels} and {text} gets both, in the order that the card wants.
    """
    if question is None:
        return GENERIC
    asked = question.strip()
    if "{" not in asked and "}" not in asked and asked:
        whole = (
            f"{asked} Possible answers: {{labels}}. Reply with the answer only."
            "\n\nText: {text}\n\nAnswer:"
        )
        return (whole, *GENERIC)
    if asked.count("{labels}") != 1 or asked.count("{text}") != 1:
        raise OptionError("--prompt: write {labels} and {text} once each, or neither")
    if asked.index("{labels}") > asked.index("{text}"):
        raise OptionError("--prompt: write {labels} before {text}")
    return (asked, *GENERIC)


def write(
    folder: Path, name: str, division: Division, paraphrases: Sequence[str], suite: str
) -> Written:
    """Write the task, its suite, and a .gitignore, since the items are a person's own."""
    home = folder / "cards" / "tasks" / name
    items = _items(division)
    _refuse_others(folder, name, items)
    card = card_text(name, hashlib.sha256(items).hexdigest(), division, paraphrases)
    try:
        home.mkdir(parents=True, exist_ok=True)
        store.write_atomically(home / ITEMS, items)
        store.write_atomically(home / "card.toml", card.encode())
        store.write_atomically(folder / "bench.toml", suite.encode())
        store.write_atomically(folder / ".gitignore", b"*\n")
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be written: {error.strerror or error}; choose another with --output"
        ) from error
    return Written(id=name, folder=folder, cards=folder / "cards", suite=folder / "bench.toml")


def _refuse_others(folder: Path, name: str, items: bytes) -> None:
    """Raise StoreError where the folder holds another task, or this one of other items."""
    try:
        known = [path.parent for path in sorted((folder / "cards" / "tasks").glob(f"*/{ITEMS}"))]
        if any(home.name == name and (home / ITEMS).read_bytes() != items for home in known):
            raise StoreError(
                f"{folder}: holds a task with other labels or data; choose --name or --output"
            )
    except OSError as error:
        raise StoreError(f"{folder}: cannot be read: {error.strerror or error}") from error
    other = next((home.name for home in known if home.name != name), None)
    if other is not None:
        raise StoreError(f"{folder}: holds another task, {other!r}; choose another --output")


def _items(division: Division) -> bytes:
    official = division.split.kind == "official"
    lines = [
        Line(
            id=item.id,
            text=item.text,
            label=item.label,
            group=item.group,
            part=("train" if item.fold is None else "test") if official else None,
        )
        for item in division.items
    ]
    return msgspec.json.Encoder().encode_lines(lines)


def card_text(name: str, sha256: str, division: Division, paraphrases: Sequence[str]) -> str:
    """Return the task's card; whatever the labels hold, it is TOML."""
    labels = sorted({item.label for item in division.items})
    words = _words(labels)
    listed = [f"  {{ id = {_toml(x)}, words = {_toml(words[x])} }}," for x in labels]
    reader = {"text": "text", "label": "label", "id": "id"}
    if division.how == "grouped":
        reader["group"] = "group"
    if division.split.kind == "official":
        reader["part"] = "part"
    options = ", ".join(f"{key} = {_toml(value)}" for key, value in reader.items())
    return "\n".join(
        [
            "# Written by steelyard weigh.",
            "schema = 1",
            f"id = {_toml(name)}",
            "version = 1",
            f"title = {_toml(f'Own data: {len(labels)} labels, {HOW[division.how]}')}",
            'domain = "back-office"',
            'modality = "text"',
            'metric = "accuracy"',
            'licence = "its owner\'s"',
            'contamination = "Own data; whether a large model has seen it is not known."',
            'expectation = "open"',
            'expectation_reason = "Nothing was said beforehand."',
            "labels = [",
            *listed,
            "]",
            "",
            "[[files]]",
            f"name = {_toml(ITEMS)}",
            f"sha256 = {_toml(sha256)}",
            'licence = "its owner\'s"',
            f'sources = [{{ kind = "file", path = {_toml(ITEMS)} }}]',
            "",
            f'[reader]\nname = "json-lines"\noptions = {{ {options} }}',
            "",
            _split(division.split),
            "",
            '[scorer]\nname = "classification"',
            "",
            "[prompt]",
            f"max_chars = {MAX_CHARS}",
            "paraphrases = [",
            *(f"  {_toml(text)}," for text in paraphrases),
            "]",
            "",
        ]
    )


def _split(split: Split) -> str:
    if split.kind == "official":
        return '[split]\nkind = "official"'
    by_group = "true" if split.by_group else "false"
    folds = f'[split]\nkind = "folds"\nfolds = {split.folds}'
    return f"{folds}\nby_group = {by_group}\nseed = {split.seed}"


def _words(labels: Sequence[str]) -> dict[str, str]:
    """Return each label as it is said to a generalist: `late_delivery` as late delivery."""
    spaced = {label: " ".join(label.replace("_", " ").split()) or label for label in labels}
    return spaced if len(set(spaced.values())) == len(labels) else {x: x for x in labels}


def _toml(text: str) -> str:
    """Return a TOML string: JSON's escapes are TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
