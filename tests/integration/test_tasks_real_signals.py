"""Real tasks of signals from their packages to items, where a network is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard import catalog
from steelyard.arrays import Arrays
from steelyard.prepare import data, items
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """One cache for the module: each package is fetched once."""
    return Cache(tmp_path_factory.mktemp("cache"))


def loaded(task: str, cache: Cache) -> data.Dataset:
    return items.load(catalog.load().task(task), cache, Silent())


@pytest.mark.parametrize(
    ("task", "train", "test", "digest"),
    [
        ("bearing-vibration", 2150, 956, "ef5815de"),
        ("appliance-current", 537, 537, "d118cd68"),
        ("watch-activity", 0, 1149, "4525fc6a"),
    ],
)
def test_a_task_has_the_items_that_its_readme_says(
    cache: Cache, task: str, train: int, test: int, digest: str
) -> None:
    found = loaded(task, cache)

    assert sum(item.fold is None for item in found.items) == train
    assert len(data.test_items(found)) == test
    assert found.sha256.startswith(digest)


def test_windows_of_vibration_have_one_length_whatever_the_rate_was(cache: Cache) -> None:
    found = loaded("bearing-vibration", cache)
    assert isinstance(found.arrays, Path)
    kept = Arrays(found.arrays)

    assert {kept[row].shape for row in range(len(kept))} == {(610,)}
    assert len({item.group for item in found.items}) == 20


def test_no_person_is_in_two_folds(cache: Cache) -> None:
    found = loaded("watch-activity", cache)

    folds = {(item.group, item.fold) for item in found.items}

    assert len(folds) == len({group for group, _ in folds}) == 10
