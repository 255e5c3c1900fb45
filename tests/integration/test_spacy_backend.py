"""The spaCy backend: weights in a network of our own making, types mapped to a task's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from steelyard.api import Label, SessionSpec
from steelyard.backends.spacy import NETWORK, Spacy
from steelyard.card import Option
from steelyard.errors import WorkerError

spacy = pytest.importorskip("spacy")
Example = pytest.importorskip("spacy.training").Example

LABELS = (Label(id="PERSON", words="person"), Label(id="PLACE", words="place"))
TEXT = "Ana Lopez met Bo in Graz on Monday."
TYPES: dict[str, Option] = {"types": {"PER": "PERSON", "GPE": "PLACE"}}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Teach a recogniser one sentence; write it as spaCy itself does, and return it too."""
    folder = tmp_path_factory.mktemp("weights")
    pipeline = spacy.blank("en")
    recogniser = pipeline.add_pipe("ner", config={"model": NETWORK})
    document = pipeline.make_doc(TEXT)
    example = Example.from_dict(
        document, {"entities": [(0, 9, "PER"), (20, 24, "GPE"), (28, 34, "DATE")]}
    )
    pipeline.initialize(lambda: [example])
    for _ in range(20):
        pipeline.update([example])
    recogniser.to_disk(folder, exclude=["vocab"])
    pipeline.vocab.lookups.add_table("lexeme_norm", {"cos": "because"})
    pipeline.vocab.lookups.to_disk(folder)
    return folder, pipeline


def spec(folder: Path, **options: Option) -> SessionSpec:
    return SessionSpec(
        artifact=str(folder), session="ner", threads=1, labels=LABELS, options=options
    )


def test_it_answers_as_the_pipeline_that_was_saved_with_types_mapped(
    weights: tuple[Path, Any],
) -> None:
    folder, pipeline = weights
    session = Spacy().open(spec(folder, **TYPES))

    answer = session.decode(session.infer(session.encode(TEXT)))

    assert [one.label_ for one in pipeline(TEXT).ents] == ["PER", "GPE", "DATE"]
    assert answer.label == '[[0,9,"PERSON"],[20,24,"PLACE"]]'


def test_it_says_what_it_runs_on(weights: tuple[Path, Any]) -> None:
    assert Spacy().open(spec(weights[0], **TYPES)).describe() == (f"spacy {spacy.__version__}",)


def test_types_that_are_missing_or_no_labels_are_refused(weights: tuple[Path, Any]) -> None:
    with pytest.raises(WorkerError, match=r"session_options\.types: expected a table"):
        Spacy().open(spec(weights[0]))
    with pytest.raises(WorkerError, match="PLANET: no labels of the task"):
        Spacy().open(spec(weights[0], types={"GPE": "PLANET"}))
    assert "unknown odd" in str(Spacy().refuse(spec(weights[0], odd=1)))


def test_files_that_are_missing_or_of_another_network_are_refused(
    weights: tuple[Path, Any], tmp_path: Path
) -> None:
    with pytest.raises(WorkerError, match="no cfg, model, moves, lookups"):
        Spacy().open(spec(tmp_path, **TYPES))
    for name in ("cfg", "moves", "lookups.bin"):
        (tmp_path / name).write_bytes((weights[0] / name).read_bytes())
    (tmp_path / "model").write_bytes((weights[0] / "model").read_bytes()[:-20])

    with pytest.raises(WorkerError, match="prepare the artefact again"):
        Spacy().open(spec(tmp_path, **TYPES))
