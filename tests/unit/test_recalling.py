"""Answers of an artefact are recalled for the same content only, and never half."""

from __future__ import annotations

from pathlib import Path

from steelyard.api import Answer, ArrayRef, Item
from steelyard.measure.recalling import KIND, Memory, content, environment
from steelyard.prepare.cache import Cache


def memory(folder: Path, *keys: str) -> Memory:
    return Memory(cache=Cache(folder), keys=keys or ("k-0",))


def item(name: str, text: str = "", fold: int | None = 0) -> Item:
    return Item(id=name, text=text or name, label="a", fold=fold)


def test_what_was_kept_is_recalled_by_content_whatever_the_id(tmp_path: Path) -> None:
    memory(tmp_path).keep([item("1", "hello")], {"1": Answer(label="b", scores=(0.5, 1.5))})

    found = memory(tmp_path).recall([item("other", "hello"), item("1", "something else")])

    assert found == {"other": Answer(label="b", scores=(0.5, 1.5))}


def test_a_larger_sample_adds_to_what_is_known(tmp_path: Path) -> None:
    memory(tmp_path).keep([item("1")], {"1": Answer(label="a")})
    memory(tmp_path).keep([item("2")], {"2": Answer(label="b")})

    found = memory(tmp_path).recall([item("1"), item("2"), item("3")])

    assert {name: answer.label for name, answer in found.items()} == {"1": "a", "2": "b"}


def test_another_artefact_or_fold_knows_nothing(tmp_path: Path) -> None:
    two = memory(tmp_path, "k-0", "k-1")
    two.keep([item("1", "same", fold=1)], {"1": Answer(label="a")})

    assert two.recall([item("1", "same", fold=0)]) == {}
    assert set(two.recall([item("1", "same", fold=1)])) == {"1"}
    assert memory(tmp_path, "j-0", "j-1").recall([item("1", "same", fold=1)]) == {}


def test_a_damaged_entry_counts_as_absent(tmp_path: Path) -> None:
    memory(tmp_path).keep([item("1")], {"1": Answer(label="a")})
    (file,) = (tmp_path / KIND).glob("*/answers.json")
    file.write_text('{"x": {"label": "forged"}}')

    assert memory(tmp_path).recall([item("1")]) == {}


def test_arrays_are_known_by_their_content() -> None:
    first, second, third = (
        Item(id=name, label="a", array=ArrayRef(row=row, sha256=digest * 64))
        for name, row, digest in (("1", 0, "a"), ("2", 9, "a"), ("3", 0, "b"))
    )

    assert content(first) == content(second) != content(third)
    assert content(item("1", "array " + "a" * 64)) != content(first)


def test_the_environment_is_the_same_twice_and_a_digest() -> None:
    assert environment() == environment()
    assert len(environment()) == 64
