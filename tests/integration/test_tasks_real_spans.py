"""Real span tasks from their packages to items, where a network is allowed."""

from __future__ import annotations

from collections import Counter

import pytest

from steelyard import catalog
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


@pytest.mark.parametrize(
    ("task", "counts", "digest"),
    [("pii", (1500, 2863, 17), "d4b5d6e5"), ("address-fields", (1488, 10554, 29), "0d77db18")],
)
def test_a_task_has_the_items_and_spans_that_its_readme_says(
    cache: Cache, task: str, counts: tuple[int, int, int], digest: str
) -> None:
    found = loaded(task, cache)

    kinds = Counter(kind for item in found.items for _, _, kind in parse_spans(item.label))
    assert (len(found.items), kinds.total(), len(kinds)) == counts
    assert found.sha256.startswith(digest)
    assert found.notes == ()


def test_what_was_made_from_a_template_stays_in_one_fold(cache: Cache) -> None:
    found = loaded("pii", cache)

    folds = {(item.group, item.fold) for item in found.items}

    assert len(folds) == len({group for group, _ in folds}) == 209


def test_every_token_of_an_address_is_a_span(cache: Cache) -> None:
    for item in loaded("address-fields", cache).items:
        said = [item.text[start:end] for start, end, _ in parse_spans(item.label)]
        assert said == item.text.split(" ")


def test_each_type_of_two_templates_or_more_is_tested_in_two_folds(cache: Cache) -> None:
    templates: dict[str, set[str | None]] = {}
    folds: dict[str, set[int | None]] = {}
    for item in loaded("pii", cache).items:
        for _, _, kind in parse_spans(item.label):
            templates.setdefault(kind, set()).add(item.group)
            folds.setdefault(kind, set()).add(item.fold)

    assert {kind for kind in folds if len(folds[kind]) < 2} == {"US_DRIVER_LICENSE"}
    assert len(templates["US_DRIVER_LICENSE"]) == 1
