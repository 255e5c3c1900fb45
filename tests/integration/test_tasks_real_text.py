"""Office tasks over text from their packages to items: counts, splits, near-duplicates."""

from __future__ import annotations

from collections import Counter

import pytest

from steelyard import catalog
from steelyard.prepare import data, items
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent

pytest.importorskip("benchmarks.near_duplicates")

from benchmarks import near_duplicates

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
        ("log-triage", 0, 1024, "145cd8cf"),
        ("product-match", 1595, 433, "499c2175"),
        ("prompt-attack", 0, 2135, "9d98fc8e"),
        ("source-type", 0, 1412, "b74456e6"),
    ],
)
def test_a_task_has_the_items_that_its_readme_says(
    cache: Cache, task: str, train: int, test: int, digest: str
) -> None:
    found = loaded(task, cache)

    assert sum(item.fold is None for item in found.items) == train
    assert len(data.test_items(found)) == test
    assert found.sha256.startswith(digest)


@pytest.mark.parametrize("task", ["log-triage", "prompt-attack", "source-type"])
def test_a_group_stays_in_one_fold(cache: Cache, task: str) -> None:
    folds = {(item.group, item.fold) for item in loaded(task, cache).items}

    assert max(Counter(group for group, _ in folds).values()) == 1


def test_every_language_keeps_a_third_of_its_items_in_train(cache: Cache) -> None:
    found = loaded("source-type", cache)
    every = Counter(item.label for item in found.items)

    for fold in range(found.folds):
        train = Counter(item.label for item in found.items if item.fold != fold)
        assert min(train[label] / every[label] for label in every) >= 0.33


def test_few_product_pairs_are_near_duplicates_of_train_pairs(cache: Cache) -> None:
    found = loaded("product-match", cache)

    assert Counter(i.label for i in data.test_items(found)) == {"different": 383, "match": 50}
    assert len(near_duplicates.near_duplicates(found.items)) == 5
