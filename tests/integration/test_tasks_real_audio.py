"""The real tasks of sound: items as the READMEs say, and published detectors on a few of them."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from steelyard import catalog, plugins
from steelyard.api import SessionSpec
from steelyard.arrays import Arrays
from steelyard.prepare import data, items
from steelyard.prepare.artifacts import Workshop, artifact
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent

pytestmark = pytest.mark.network

needs_engines = pytest.mark.skipif(
    not all(map(shutil.which, ("espeak-ng", "flite", "festival"))),
    reason="espeak-ng, flite and festival are programs of the system",
)
TASKS = [
    pytest.param("voice-activity", 1200, 1200, "80ca401b", id="voice-activity"),
    pytest.param("wake-word", 1440, 594, "eada6167", marks=needs_engines, id="wake-word"),
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """One cache for the module: each package is fetched once."""
    return Cache(tmp_path_factory.mktemp("cache"))


def loaded(task: str, cache: Cache) -> data.Dataset:
    return items.load(catalog.load().task(task), cache, Silent())


@pytest.mark.parametrize(("task", "train", "test", "digest"), TASKS)
def test_a_task_has_the_items_that_its_readme_says(
    cache: Cache, task: str, train: int, test: int, digest: str
) -> None:
    found = loaded(task, cache)

    assert sum(item.fold is None for item in found.items) == train
    assert len(data.test_items(found)) == test
    assert found.sha256.startswith(digest)
    assert found.notes == ()


def test_no_voice_is_on_both_sides(cache: Cache) -> None:
    found = loaded("voice-activity", cache)

    sides = {(item.id.split("/")[0], item.fold) for item in found.items}

    assert sides == {("english", None), ("french", None), ("italian", 0), ("russian", 0)}


@needs_engines
def test_no_engine_is_on_both_sides(cache: Cache) -> None:
    found = loaded("wake-word", cache)

    engines = {(item.id.split("/")[1], item.fold) for item in found.items}

    assert engines == {("espeak-ng", None), ("flite", 0), ("festival", 0)}


@pytest.mark.parametrize(
    ("task", "model", "needed", "least"),
    [
        pytest.param("voice-activity", "silero-vad@8k", "onnxruntime", 0.8, id="silero-vad"),
        pytest.param("voice-activity", "whisper-base@int8", "ctranslate2", 0.8, id="whisper-vad"),
        pytest.param(
            "wake-word", "openwakeword@fp32", "ai_edge_litert", 0.8,
            marks=needs_engines, id="openwakeword",
        ),
        pytest.param(
            "wake-word", "whisper-base@int8", "ctranslate2", 0.7,
            marks=needs_engines, id="whisper-phrase",
        ),
    ],
)  # fmt: skip
def test_a_published_detector_is_right_about_most_of_a_few_items(
    cache: Cache, task: str, model: str, needed: str, least: float
) -> None:
    pytest.importorskip(needed)
    found = loaded(task, cache)
    assert found.arrays is not None
    name, _, variant_id = model.partition("@")
    card = catalog.load().model(name)
    variant = next(one for one in card.card.variants if one.id == variant_id)
    made = artifact(card, variant, None, Workshop(cache=cache, progress=Silent(), threads=1))
    spec = SessionSpec(
        artifact=str(made.folds[0]),
        session=variant.session,
        threads=1,
        labels=catalog.load().task(task).card.labels,
        options=variant.session_options,
    )
    session = plugins.load("backends", variant.backend).open(spec)
    rows, few = Arrays(found.arrays), data.sample(data.test_items(found), 20, 0)

    answers = [
        session.decode(session.infer(session.encode(rows[item.array.row])))
        for item in few
        if item.array
    ]

    right = Counter(answer.label == item.label for answer, item in zip(answers, few, strict=True))
    assert right[True] >= least * len(few)
    assert len({answer.label for answer in answers}) == 2
