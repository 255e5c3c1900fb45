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
    assert found.sha256.startswith("00000000")


def test_solar_cells_are_pictures_of_300_by_300_bytes(cache: Cache) -> None:
    found = loaded("solar-defect", cache)

    assert found.arrays is not None
    rows = Arrays(found.arrays)
    assert len(rows) == 2624
    assert (rows[0].dtype.str, rows[0].shape) == ("|u1", (300, 300))
