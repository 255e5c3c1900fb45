"""Real tasks from their packages to items: the small ones, and only where a network is allowed."""

from __future__ import annotations

from collections import Counter

import pytest

from steelyard import catalog
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
        ("language-id", 3294, 4478, "ca45444e"),
        ("sentiment", 0, 3600, "2028dcd4"),
        ("spam", 2918, 2846, "79d57357"),
    ],
)
def test_a_task_has_the_items_that_its_readme_says(
    cache: Cache, task: str, train: int, test: int, digest: str
) -> None:
    found = loaded(task, cache)

    assert sum(item.fold is None for item in found.items) == train
    assert len(data.test_items(found)) == test
    assert found.sha256.startswith(digest)


def test_sentences_of_one_review_stay_in_one_fold(cache: Cache) -> None:
    found = loaded("sentiment", cache)

    folds = {(item.group, item.fold) for item in found.items}

    assert max(Counter(group for group, _ in folds).values()) == 1


def test_no_message_is_on_both_sides_of_the_spam_split(cache: Cache) -> None:
    assert loaded("spam", cache).notes == ()
