"""A recipe that changes says so by its version: caches find artefacts by it."""

from __future__ import annotations

import sys

import pytest
from tests import recipe_lock
from tests.recipe_lock import Locked, shape


def advice(name: str, was: Locked | None, now: Locked | None) -> str:
    """Say what to do about a recipe that is not as the lock has it."""
    write = "write the lock anew: python -m tests.recipe_lock"
    if was is None or now is None or was.version != now.version:
        return f"{name}: its version is not the lock's; {write}"
    return (
        f"{name}: its source changed: raise version of {name} or, if its output cannot change, "
        f"{write}"
    )


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="syntax trees differ by Python")
def test_a_recipe_whose_source_changed_has_another_version() -> None:
    locked, found = recipe_lock.kept(), recipe_lock.found()

    assert [
        advice(name, locked.get(name), found.get(name))
        for name in sorted({*locked, *found})
        if locked.get(name) != found.get(name)
    ] == []


def test_a_comment_or_a_docstring_changes_no_shape_and_code_does() -> None:
    source = (
        'class A:\n    """Say."""\n\n    version = 1\n\n    def f(self) -> int:\n        return 1\n'
    )
    told = source.replace("Say.", "Say more.").replace("version = 1", "version = 1  # first")

    assert shape(told) == shape(source)
    assert shape(source.replace("return 1", "return 2")) != shape(source)


def test_the_modules_that_a_recipe_imports_count_with_it() -> None:
    found = recipe_lock.found()

    assert len({one.sha256 for one in found.values()}) == len(found)
    assert "steelyard.recipes.decoder_graph" in recipe_lock._modules(
        "steelyard.recipes.decoder", set()
    )
