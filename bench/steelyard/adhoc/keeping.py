"""Cards that were made are kept in the cache, as TOML: to be read, pinned, and used offline."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import msgspec

from steelyard.adhoc.reference import Reference
from steelyard.card import HubSource, ModelCard
from steelyard.catalog import Found, decode
from steelyard.errors import Refusal
from steelyard.prepare.cache import Cache

FOLDER = "cards"
_BARE = re.compile(r"[A-Za-z0-9_-]+")
HEAD = (
    "# Written by steelyard for a model without a card; `--cards` takes the folder above models/.\n"
)


def keep(card: ModelCard, cache: Cache) -> Found[ModelCard]:
    """Write a card into the cache and return it as the catalogue would find it."""
    home = cache.root / FOLDER / "models" / card.id
    try:
        data = text(card).encode()
    except UnicodeEncodeError as error:
        raise Refusal(f"{card.id}: a folder whose name is no UTF-8; rename or link it") from error
    path = home / "card.toml"
    if not path.is_file() or path.read_bytes() != data:
        with cache.workspace() as folder:
            written = folder / path.name
            written.write_bytes(data)
            home.mkdir(parents=True, exist_ok=True)
            written.replace(path)
    return _read(path)


def kept(reference: Reference, cache: Cache) -> Found[ModelCard]:
    """Return the card that was made of this commit before; raise Refusal where there is none."""
    matches: list[Found[ModelCard]] = []
    for path in sorted((cache.root / FOLDER / "models").glob("*/card.toml")):
        found = _read(path)
        sources = [source for file in found.card.files for source in file.sources]
        hubs = [source for source in sources if isinstance(source, HubSource)]
        same = [
            source
            for source in hubs
            if (source.repo, source.revision) == (reference.place, reference.revision)
        ]
        named = reference.file is None or any(one.path == reference.file for one in same)
        if same and named:
            matches.append(found)
    if len(matches) == 1:
        return matches[0]
    if matches:
        ids = ", ".join(one.card.id for one in matches)
        raise Refusal(
            f"{reference}: was run before with several files ({ids}); name one with #FILE"
        )
    what = "was not run before" if reference.pinned else f"{reference.revision} is no commit"
    raise Refusal(
        f"{reference}: {what}, and offline no hub is asked; run it once without --offline, "
        "and then by its commit"
    )


def text(card: ModelCard) -> str:
    """Return a card as TOML."""
    facts: dict[str, Any] = msgspec.to_builtins(card)
    return HEAD + "".join(f"{name} = {_lines(value)}\n" for name, value in facts.items())


def _lines(value: Any) -> str:
    """Return a value with a line for each of several tables."""
    if isinstance(value, list | tuple) and any(isinstance(one, dict) for one in value):
        return "[\n" + "".join(f"  {_toml(one)},\n" for one in value) + "]"
    return _toml(value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _toml(key)


def _toml(value: Any) -> str:
    """Return a value as TOML, tables inline; a JSON string is a basic string of TOML."""
    if isinstance(value, dict):
        pairs = ", ".join(f"{_key(key)} = {_toml(one)}" for key, one in value.items())
        return f"{{ {pairs} }}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    # TOML forbids DEL, which JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read(path: Path) -> Found[ModelCard]:
    data = path.read_bytes()
    card = decode(data, ModelCard, f"{path.parent.name}/{path.name}")
    return Found(card=card, folder=path.parent, sha256=hashlib.sha256(data).hexdigest())
