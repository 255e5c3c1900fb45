from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.builders import MODEL_CARD, TASK_CARD

from steelyard import catalog
from steelyard.errors import CardError, UnknownNameError


def cards(root: Path, task: str = TASK_CARD, model: str = MODEL_CARD) -> Path:
    for kind, name, text in (("tasks", "toy", task), ("models", "tiny", model)):
        folder = root / kind / name
        folder.mkdir(parents=True)
        (folder / "card.toml").write_text(text)
    return root


def complaint(root: Path) -> str:
    with pytest.raises(CardError) as caught:
        catalog.load([root])
    return str(caught.value)


def test_cards_of_a_folder_stand_beside_the_shipped_ones(tmp_path: Path) -> None:
    found = catalog.load([cards(tmp_path)])

    assert found.task("toy").card.title == "Sort toys"
    assert {"majority", "tiny"} <= set(found.models)


def test_files_of_a_relative_folder_are_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(tmp_path / "cards")
    monkeypatch.chdir(tmp_path)

    assert catalog.load([Path("cards")]).tasks["toy"].folder == tmp_path / "cards/tasks/toy"


def test_every_shipped_card_is_valid() -> None:
    found = catalog.load()

    assert len(found.tasks) >= 18
    assert {entry.card.role for entry in found.models.values()} == {
        "baseline",
        "specialist",
        "generalist",
    }


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('title = "Sort toys"', "title = 9", "tasks/toy/card.toml.title: expected str, got int 9"),
        ("version = 1", 'version = "1"', "tasks/toy/card.toml.version: expected int, got str '1'"),
        ('licence = "CC0-1.0"\ncont', "cont", "missing required field licence"),
        ("version = 1", "version = 1\ncolour = 3", "contains unknown field colour"),
        ("0" * 64, "0" * 63, "tasks/toy/card.toml.files[0].sha256: expected str matching regex"),
        ("schema = 1", "schema = 2", "schema: version 2, this steelyard reads 1"),
        ('id = "b"', 'id = "a"', "tasks/toy/card.toml.labels: id 'a' stands twice"),
        ("is it?\\n\\n{text}", "is it?", "prompt.paraphrases[1]: expected {labels} and {text}"),
        ('kind = "official"', 'kind = "folds"', "split.folds: expected with kind 'folds'"),
        ('id = "toy"', 'id = "tox"', "tasks/toy/card.toml.id: expected the folder's name, 'toy'"),
        ("schema = 1", "schema = ", "tasks/toy/card.toml: not TOML"),
    ],
)
def test_a_wrong_card_is_one_line_with_file_key_and_what_was_expected(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert old in TASK_CARD
    said = complaint(cards(tmp_path, task=TASK_CARD.replace(old, new, 1)))

    assert expected in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('parent = "fp32"', 'parent = "fp64"', "variants[1].parent: expected another variant's id"),
        ('parent = "fp32"', 'base = "x"', "variants[1].base: expected a stage's id"),
        ('id = "int8"', 'id = "fp32"', "models/tiny/card.toml.variants: id 'fp32' stands twice"),
        ('role = "specialist"', 'role = "expert"', "role: invalid enum value 'expert'"),
    ],
)
def test_a_wrong_model_card_names_the_variant(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert expected in complaint(cards(tmp_path, model=MODEL_CARD.replace(old, new, 1)))


def test_a_taken_id_names_both_files(tmp_path: Path) -> None:
    first, second = cards(tmp_path / "one"), cards(tmp_path / "two")

    with pytest.raises(CardError, match=r"'toy' is taken by tasks/toy/card.toml"):
        catalog.load([first, second])


def test_an_unknown_name_gets_the_nearest_one(tmp_path: Path) -> None:
    found = catalog.load([cards(tmp_path)])

    with pytest.raises(UnknownNameError, match=r"no task 'tooy'; did you mean 'toy'\?"):
        found.task("tooy")
    with pytest.raises(UnknownNameError, match=r"no variant of tiny 'int9'; did you mean 'int8'"):
        found.variant("tiny", "int9")


def test_a_folder_without_cards_is_refused(tmp_path: Path) -> None:
    assert "expected a folder with tasks/ or models/" in complaint(tmp_path)
