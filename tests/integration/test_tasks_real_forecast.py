"""The real load series: what is in it, and that the card's constant is what it says it is."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from steelyard import arrays, catalog
from steelyard.notation import parse_numbers
from steelyard.prepare import data, items
from steelyard.prepare.cache import Cache
from steelyard.prepare.data import Dataset
from steelyard.prepare.fetch import fetch
from steelyard.progress import Silent

pytestmark = pytest.mark.network

WEEK = 168


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """One cache for the module: the package is fetched once."""
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def loaded(cache: Cache) -> Dataset:
    return items.load(catalog.load().task("load-forecast"), cache, Silent())


@pytest.fixture(scope="module")
def load(cache: Cache) -> np.ndarray:
    found = catalog.load().task("load-forecast")
    (path,) = fetch(found.card.files, found.folder, cache, Silent()).values()
    return np.array([float(row["y"]) for row in csv.DictReader(path.read_text().splitlines())])


def test_the_series_has_three_years_of_hours(load: np.ndarray) -> None:
    assert len(load) == 26_304


def test_the_scale_is_the_naive_error_within_the_train_part(load: np.ndarray) -> None:
    train = load[: -8 * WEEK]

    scale = np.abs(train[WEEK:] - train[:-WEEK]).mean()

    given = catalog.load().task("load-forecast").card.scorer.options["scale"]
    assert scale == pytest.approx(given, rel=1e-8)


def test_items_are_counted_and_eight_weeks_are_tested(loaded: Dataset) -> None:
    tested = data.test_items(loaded)

    assert len(loaded.items) == 1_014
    assert [item.id for item in tested[:2]] == ["load-2014-11-06T00", "load-2014-11-13T00"]
    assert len(tested) == 8


def test_arrays_and_labels_are_the_file_s(loaded: Dataset, load: np.ndarray) -> None:
    last = loaded.items[-1]
    assert loaded.arrays is not None
    assert last.array is not None

    history = arrays.Arrays(loaded.arrays)[last.array.row]

    np.testing.assert_allclose(history, load[-672 - WEEK : -WEEK], rtol=1e-6)
    np.testing.assert_allclose(parse_numbers(last.label), load[-WEEK:], rtol=1e-5)
    assert len(last.text.splitlines()) == 28
    assert len(last.text) < 4_000  # what the card's prompt lets through


def test_the_same_week_again_has_the_figure_of_the_card(loaded: Dataset, load: np.ndarray) -> None:
    weeks = load[-9 * WEEK :].reshape(9, WEEK)

    mase = np.abs(weeks[1:] - weeks[:-1]).mean() / 150.8771075

    assert mase == pytest.approx(0.669, abs=5e-4)
