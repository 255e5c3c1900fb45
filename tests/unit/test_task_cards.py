"""Every card below tasks/ says what a card must say."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from steelyard import catalog, plugins
from steelyard.card import GeneratorSource, PackageSource, TaskCard

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TASKS = catalog.shipped_root() / "tasks"
CARDS = sorted(TASKS.glob("*/card.toml"))


@pytest.fixture(params=CARDS, ids=lambda path: path.parent.name)
def path(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def card(path: Path) -> TaskCard:
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), TaskCard)


def test_the_cards_are_there() -> None:
    assert {path.parent.name for path in CARDS} >= {
        "intent", "language-id", "routing-r52", "routing-r8", "sentiment", "spam",
    }  # fmt: skip


def test_a_card_s_id_is_its_folder_s_name(card: TaskCard, path: Path) -> None:
    assert card.id == path.parent.name


def test_a_card_has_a_readme_of_one_page(path: Path) -> None:
    words = (path.parent / "README.md").read_text(encoding="utf-8").split()

    assert 100 < len(words) < 700


def test_labels_and_their_words_are_unique(card: TaskCard) -> None:
    assert len({label.id for label in card.labels}) == len(card.labels)
    assert len({label.words for label in card.labels}) == len(card.labels)


def test_a_prompt_asks_in_several_ways_with_labels_before_text(card: TaskCard) -> None:
    if card.prompt is None:
        assert (card.modality, card.answers) != ("text", "label")
        return
    assert len(set(card.prompt.paraphrases)) >= 2
    for paraphrase in card.prompt.paraphrases:
        assert paraphrase.count("{text}") == 1
        assert paraphrase.count("{labels}") == bool(card.labels)
        assert not card.labels or paraphrase.index("{labels}") < paraphrase.index("{text}")
        assert paraphrase.format(labels="x", text="y").count("{") == 0


def test_every_file_can_be_had_from_a_package_or_be_made(card: TaskCard) -> None:
    for file in card.files:
        assert any(isinstance(one, PackageSource | GeneratorSource) for one in file.sources)


def test_an_archive_that_is_the_file_has_the_file_s_hash(card: TaskCard) -> None:
    for file in card.files:
        for source in file.sources:
            if isinstance(source, PackageSource) and source.parts[0].member is None:
                assert len(source.parts) == 1
                assert source.parts[0].sha256 == file.sha256


def test_reader_and_scorer_are_installed_plugins(card: TaskCard) -> None:
    assert card.reader.name in plugins.names("readers")
    assert card.scorer.name in plugins.names("scorers")


def test_a_reader_s_labels_are_the_card_s(card: TaskCard) -> None:
    known = {label.id for label in card.labels}

    for name in ("labels", "declarations", "locales"):
        given = card.reader.options.get(name, {})
        assert isinstance(given, dict)
        assert set(given.values() if name == "labels" else given) <= known
