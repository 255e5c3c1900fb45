"""From a reference to a kept card: list, choose, hash, describe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from steelyard.adhoc import card as cards
from steelyard.adhoc import keeping, listing
from steelyard.adhoc.card import Model
from steelyard.adhoc.listing import CONFIG, Choice, Listed
from steelyard.adhoc.reference import Reference
from steelyard.adhoc.shelves import Client, HubClient, Shelf, folder_shelf, hub_shelf, pinned
from steelyard.card import File, ModelCard, TaskCard
from steelyard.catalog import Found
from steelyard.errors import Refusal
from steelyard.prepare.cache import Cache
from steelyard.progress import Progress, Silent


class Desk(Struct, frozen=True, kw_only=True):
    """What making a card needs besides the reference."""

    cache: Cache
    progress: Progress = Silent()
    client: Client = HubClient()
    offline: bool = False


def card_of(
    reference: Reference, tasks: Mapping[str, Found[TaskCard]], desk: Desk
) -> Found[ModelCard]:
    """Return the card of a model that has none, kept in the cache.

    Raises Refusal for a model that is not run, SourceError where a hub does not answer.
    """
    if reference.kind == "hub" and desk.offline:
        return keeping.kept(reference, desk.cache)
    if reference.kind == "hub":
        shelf = hub_shelf(reference, desk.client, desk.cache, desk.progress)
    else:
        shelf = folder_shelf(reference, desk.progress)
    model = _model(reference, shelf)
    made = cards.make(model, tasks, str(reference))
    found = keeping.keep(made, desk.cache)
    desk.progress.say(f"{reference}: card kept in {found.folder / 'card.toml'}")
    return found


def _model(reference: Reference, shelf: Shelf) -> Model:
    where = str(reference)
    choice = listing.choose(shelf.listed, reference.file, where)
    described = [shelf.pin(one) for one in choice.described]
    config = _config(choice.described, described, where)
    if config:  # before gigabytes are hashed
        cards.kind_of(config, where)
    weights = pinned(shelf, choice.weights)
    return Model(
        name=shelf.name,
        title=shelf.title,
        licence=shelf.licence,
        form=choice.form,
        files=_unique((*(file for file, _ in described), *weights), where),
        config=config,
        weights=_graph(choice),
        revision=shelf.revision,
        told_apart=reference.file,
    )


def _graph(choice: Choice) -> str:
    return choice.weights[0].path


def _config(
    listed: Sequence[Listed], pins: Sequence[tuple[File, Path]], where: str
) -> dict[str, Any]:
    """Return config.json, and refuse a tokenizer that asks for code."""
    said: dict[str, dict[str, Any]] = {}
    for one, (_, path) in zip(listed, pins, strict=True):
        if one.path in (CONFIG, "tokenizer_config.json"):
            try:
                said[one.path] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
            except msgspec.MsgspecError as error:
                raise Refusal(f"{where}: {one.path}: {error}") from error
    if "auto_map" in said.get("tokenizer_config.json", {}):
        raise Refusal(f"{where}: its tokenizer asks for code of its own (auto_map), never run")
    return said.get(CONFIG, {})


def _unique(files: Sequence[File], where: str) -> tuple[File, ...]:
    names = [file.name for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Refusal(f"{where}: two of its files are named {twice[0]}")
    return tuple(files)
