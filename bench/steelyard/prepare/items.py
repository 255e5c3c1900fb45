"""The items of a task: fetched, read, checked, and kept in the cache."""

from __future__ import annotations

import hashlib

import msgspec

from steelyard import __version__, plugins
from steelyard.card import TaskCard
from steelyard.catalog import Found
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
    key = _key(found.card)
    done = cache.entry(KIND, key)
    if done is not None:
        return msgspec.json.decode((done / FILE).read_bytes(), type=Dataset)
    paths = fetch(found.card.files, found.folder, cache, progress, offline=offline)
    progress.say(f"reading {found.card.id}")
    reader = plugins.load("readers", found.card.reader.name)
    dataset = data.dataset(found.card, paths, reader)
    with cache.build(KIND, key) as out:
        (out / FILE).write_bytes(msgspec.json.encode(dataset))
    return dataset


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
