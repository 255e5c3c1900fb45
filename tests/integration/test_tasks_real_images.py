"""The real tasks of pictures from their packages, only where a network is allowed."""

from __future__ import annotations

from collections import Counter

import pytest

from steelyard import catalog
from steelyard.arrays import Arrays
from steelyard.prepare import data, items
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent

pytestmark = pytest.mark.network
pytest.importorskip("PIL")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """One cache for the module: each package is fetched once."""
    return Cache(tmp_path_factory.mktemp("cache"))


def loaded(task: str, cache: Cache) -> data.Dataset:
    return items.load(catalog.load().task(task), cache, Silent())


def test_solar_cells_are_divided_as_the_readme_says(cache: Cache) -> None:
    found = loaded("solar-defect", cache)

    counted = Counter((item.fold, item.label) for item in found.items)
    assert counted == {
        (None, "functional"): 1353,
        (None, "defective"): 615,
        (0, "functional"): 450,
        (0, "defective"): 206,
    }
    assert found.notes == ()
    assert found.sha256.startswith("c72cb78c")


def test_solar_cells_are_pictures_of_300_by_300_bytes(cache: Cache) -> None:
    found = loaded("solar-defect", cache)

    assert found.arrays is not None
    rows = Arrays(found.arrays)
    assert len(rows) == 2624
    assert (rows[0].dtype.str, rows[0].shape) == ("|u1", (300, 300))


def test_photographs_of_clothing_are_as_many_of_each_kind(cache: Cache) -> None:
    found = loaded("clothing-images", cache)

    counted = Counter((item.fold, item.label) for item in found.items)
    assert len(counted) == 20
    assert {(fold, n) for (fold, _), n in counted.items()} == {(None, 500), (0, 200)}
    assert found.arrays is not None
    rows = Arrays(found.arrays)
    assert (rows[0].dtype.str, rows[0].shape) == ("|u1", (28, 28))
    assert found.sha256.startswith("78056955")
