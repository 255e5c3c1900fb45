"""Two runs of the same artefacts on two processors: flips by hand, and what cannot be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from tests.unit import builders

from steelyard import store
from steelyard.api import Score
from steelyard.errors import StoreError
from steelyard.record import ArtifactRef, Host, Prediction

pytest.importorskip("benchmarks.flips")

from benchmarks import flips

ARM = structs.replace(builders.host(), machine="aarch64", core="Cortex-A76", emulated="by qemu")
HERE = (("1", "spam", (2.0, -2.0)), ("2", "ham", (-1.0, 1.0)), ("3", "spam", (0.01, -0.01)))
# The third answer turns; of all scores the second item's first moves furthest, by 0.25.
THERE = (("1", "spam", (2.0, -2.0)), ("2", "ham", (-1.25, 1.0)), ("3", "ham", (-0.02, 0.02)))

Answers = tuple[tuple[str, str, "tuple[float, ...] | None"], ...]


def run(folder: Path, answers: Answers, host: Host | None = None, **changes: Any) -> Path:
    """Keep a run of one cell whose every item is spam."""
    predictions = [
        Prediction(id=name, expected="spam", answer=answer, scores=scores)
        for name, answer, scores in answers
    ]
    facts: dict[str, Any] = {
        "artifact": ArtifactRef(
            sha256="d" * 64, size_bytes=1, recipe_sha256="e" * 64, parameters=1
        ),
        "data_sha256": "f" * 64,
        "scores": (Score(metric="accuracy", value=0.5, low=0.1, high=0.9, n=len(answers)),),
        "predictions_sha256": store.write_predictions(folder, predictions),
    }
    header = builders.header(host=host or builders.host())
    journal = store.Journal.start(folder, header)
    journal.append(builders.record(**{**facts, **changes}))
    return folder


def test_flips_and_the_widest_difference_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    here, there = run(tmp_path / "x86", HERE), run(tmp_path / "arm", THERE, ARM)

    (found,) = flips.paired(flips.sides(here), flips.sides(there))

    assert (found.items, found.widest, found.scores) == (3, 0.25, (0.5, 0.5))
    assert found.flips == (flips.Flip(id="3", expected="spam", here="spam", there="ham"),)


def test_an_invalid_window_takes_nothing_from_the_answers(tmp_path: Path) -> None:
    here = run(tmp_path / "x86", HERE, outcome="invalid", reason="busy")

    assert list(flips.sides(here)) == ["spam/tiny@int8/cpu-1t"]


@pytest.mark.parametrize(("most", "status"), [(0.33, flips.TOO_MANY), (0.34, 0)])
def test_one_flip_of_three_is_a_third(
    tmp_path: Path, most: float, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = run(tmp_path / "x86", HERE), run(tmp_path / "arm", THERE, ARM)

    assert flips.main([str(here), str(there), "--emulated", "--most", str(most)]) == status

    told = capsys.readouterr()
    assert "| spam/tiny@int8/cpu-1t | 3 | 1 | 0.25 | accuracy | 0.500 | 0.500 | 2, 2 |" in told.out
    assert "item 3: spam here, ham there; the label is spam" in told.out
    assert "there: aarch64, Cortex-A76, Python 3.11.7, onnxruntime none; emulated: by qemu" in (
        told.out
    )
    assert ("more than 33.0% of the answers differ" in told.err) == (status == flips.TOO_MANY)


def test_records_that_are_not_marked_as_emulated_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = run(tmp_path / "x86", HERE), run(tmp_path / "arm", HERE)

    assert flips.main([str(here), str(there), "--emulated"]) == flips.INCOMPARABLE
    assert "x86_64 is not marked as emulated" in capsys.readouterr().err


def test_sessions_without_scores_are_compared_by_their_answers(tmp_path: Path) -> None:
    bare: Answers = (("1", "spam", None),)
    here, there = run(tmp_path / "x86", bare), run(tmp_path / "arm", bare, ARM)

    (found,) = flips.paired(flips.sides(here), flips.sides(there))

    assert (found.widest, found.flips) == (None, ())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data_sha256": "0" * 64}, "not the same artefact, data and items"),
        ({"artifact": None}, "not the same artefact, data and items"),
        ({"cell": builders.cell(model="other")}, "answered on one side only"),
        ({"outcome": "failed", "reason": "crashed"}, "no cell was answered"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    tmp_path: Path, changes: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = run(tmp_path / "x86", HERE), run(tmp_path / "arm", THERE, ARM, **changes)

    assert flips.main([str(here), str(there)]) == flips.INCOMPARABLE
    assert said in capsys.readouterr().err


def test_other_items_are_not_compared(tmp_path: Path) -> None:
    here, there = run(tmp_path / "x86", HERE), run(tmp_path / "arm", THERE[:2], ARM)

    with pytest.raises(StoreError, match="not the same artefact"):
        flips.paired(flips.sides(here), flips.sides(there))
