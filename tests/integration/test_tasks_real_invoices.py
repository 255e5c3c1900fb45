"""The invoice tasks from their sources to items, and lines read by the published networks."""

from __future__ import annotations

from collections import Counter

import pytest

from steelyard import catalog
from steelyard.arrays import Arrays
from steelyard.notation import parse_spans
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


def test_the_fields_are_those_that_the_readme_counts(cache: Cache) -> None:
    found = loaded("invoice-fields", cache)

    kinds = Counter(kind for item in found.items for _, _, kind in parse_spans(item.label))
    assert (len(found.items), kinds.total(), len(kinds)) == (144, 1763, 10)
    assert found.notes == ()


@pytest.mark.parametrize("task", ["invoice-fields", "invoice-ocr"])
def test_a_layout_stays_in_one_fold(task: str, cache: Cache) -> None:
    folds = {(item.group, item.fold) for item in loaded(task, cache).items}

    assert len(folds) == len({group for group, _ in folds}) == 12


def test_every_line_has_a_picture_of_its_size(cache: Cache) -> None:
    found = loaded("invoice-ocr", cache)

    assert len(found.items) == 576
    assert found.arrays is not None
    kept = Arrays(found.arrays)
    for row in range(len(kept)):
        height, width = kept[row].shape
        assert 16 < height < 70
        assert 25 < width < 1240
