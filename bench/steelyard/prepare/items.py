"""The items of a task: fetched, read, checked, and kept in the cache."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from steelyard import __version__, arrays, plugins
from steelyard.card import TaskCard
from steelyard.catalog import Found
from steelyard.errors import PrepareError
from steelyard.prepare import data
from steelyard.prepare.cache import Cache
from steelyard.prepare.data import Dataset
from steelyard.prepare.fetch import fetch
from steelyard.progress import Progress

KIND = "data"
FILE = "dataset.json"


def load(
    found: Found[TaskCard], cache: Cache, progress: Progress, *, offline: bool = False
) -> Dataset:
    """Return a task's data set, from the cache or from its sources.

    Raises SourceError or PrepareError.
    """
    done = kept(found, cache)
    if done is not None:
        return done
    key = _key(found.card)
    paths = fetch(found.card.files, found.folder, cache, progress, offline=offline)
    progress.say(f"reading {found.card.id}")
    reader = plugins.load("readers", found.card.reader.name)
    with cache.build(KIND, key) as out:
        dataset = data.dataset(found.card, paths, reader, out)
        (out / FILE).write_bytes(msgspec.json.encode(dataset))
    made = kept(found, cache)
    assert made is not None, "a build that ended cleanly is in the cache"  # noqa: S101
    return made


def kept(found: Found[TaskCard], cache: Cache) -> Dataset | None:
    """Return a task's data set, with where its arrays lie, or None where the cache has none."""
    done = cache.entry(KIND, _key(found.card))
    if done is None:
        return None
    dataset = msgspec.json.decode((done / FILE).read_bytes(), type=Dataset)
    if not (done / arrays.INDEX).is_file():
        return dataset
    return msgspec.structs.replace(dataset, arrays=done)


def entry(found: Found[TaskCard], cache: Cache) -> Path:
    """Return where the cache keeps a task's data set; raise PrepareError where it does not."""
    done = cache.entry(KIND, _key(found.card))
    if done is None:
        raise PrepareError(f"task {found.card.id}: its data set is not in the cache; prepare it")
    return done


def _key(card: TaskCard) -> str:
    """Hash what decides the items; a reworded prompt does not read the files again.

    The reader's source is among it: between two versions of steelyard it may change.
    """
    files = sorted((file.name, file.sha256, file.extract) for file in card.files)
    labels = sorted(label.id for label in card.labels)
    reader = plugins.locate("readers", card.reader.name)
    facts = [__version__, card.id, card.version, files, reader, card.reader, card.split, labels]
    source = plugins.source_sha256(reader)
    return hashlib.sha256(msgspec.json.encode([*facts, source], order="sorted")).hexdigest()
