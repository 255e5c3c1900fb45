"""Recipes of signals and their sessions: what is trained is what answers, in fp32 and in int8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from steelyard import arrays
from steelyard.api import ArrayRef, BuildRequest, Item, Label, SessionSpec, TrainingSet
from steelyard.backends.ort import OnnxRuntime
from steelyard.errors import PrepareError, WorkerError
from steelyard.recipes.array_int8 import ArrayInt8, before_layers
from steelyard.recipes.signal_cnn import SignalCnn
from steelyard.recipes.signal_trees import SignalTrees

pytestmark = pytest.mark.export
pytest.importorskip("sklearn.ensemble")
pytest.importorskip("onnx")
torch = pytest.importorskip("torch")

LABELS = tuple(Label(id=name, words=name) for name in ("high", "low", "never"))
CNN: dict[str, Any] = {"widths": ["4"], "steps": 60, "batch": 16, "rate": 0.01}


def tone(number: int, channels: int) -> Any:
    """Return a tone in noise: even numbers low, odd ones high."""
    draw = np.random.default_rng(number)
    at = np.arange(64 + number % 3)[:, None] + draw.uniform(0, 9, channels)
    wave = np.sin(at * (0.3, 1.5)[number % 2]) + draw.normal(0, 0.3, at.shape)
    return (wave[:, 0] if channels == 1 else wave).astype("<f4")


def request(folder: Path, channels: int = 1, folds: int = 1, **given: Any) -> BuildRequest:
    """Return a task of 90 tones in `folder`; the last third tests, or every one of `folds`."""
    folder.mkdir(exist_ok=True)
    arrays.write(folder, made := [tone(number, channels) for number in range(90)])
    items = tuple(
        Item(
            id=f"i{row}",
            label=("low", "high")[row % 2],
            array=arrays_ref(row, array),
            group=f"g{row // 6}",
            fold=(row // 6 % folds) if folds > 1 else (0 if row >= 60 else None),
        )
        for row, array in enumerate(made)
    )
    training = TrainingSet(task="tones", labels=LABELS, folds=folds, items=items)
    made_request = BuildRequest(files={}, options={}, threads=1, training=training, arrays=folder)
    return msgspec.structs.replace(made_request, **given)


def built(recipe: Any, asked: BuildRequest, out: Path) -> Path:
    """Build as prepare does: the report beside what was made."""
    out.mkdir()
    assert recipe.refuse(asked) is None
    report = recipe.build(asked, out)
    (out / "build.json").write_bytes(msgspec.json.encode(report))
    return out


def opened(folder: Path, kind: str, labels: tuple[Label, ...] = LABELS) -> Any:
    spec = SessionSpec(artifact=str(folder), session=kind, threads=1, labels=labels, options={})
    return OnnxRuntime().open(spec)


def accuracy(session: Any, asked: BuildRequest, fold: int = 0) -> float:
    """Ask the test items of a fold one by one and in one batch; both must say the same."""
    assert asked.training is not None
    assert asked.arrays is not None
    kept = arrays.Arrays(asked.arrays)
    items = [item for item in asked.training.items if item.fold == fold]
    payloads = [kept[item.array.row] for item in items if item.array]
    answers = [session.decode(session.infer(session.encode(one))) for one in payloads]
    batch = session.decode_batch(session.infer_batch(session.encode_batch(payloads)))
    assert [one.label for one in batch] == [one.label for one in answers]
    assert all(one.scores and len(one.scores) == len(LABELS) for one in answers)
    assert all(sum(one.scores) == pytest.approx(1, abs=1e-4) for one in answers)
    right = [one.label == item.label for one, item in zip(answers, items, strict=True)]
    return float(np.mean(right))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("ensemble", ["forest", "extra-trees", "boosting"])
def test_trees_answer_what_they_learned(tmp_path: Path, ensemble: str, channels: int) -> None:
    options: Any = {"ensembles": [ensemble], "trees": 20, "rounds": 10}
    asked = request(tmp_path / "data", channels, options=options)

    made = built(SignalTrees(), asked, tmp_path / "made")

    assert accuracy(opened(made / "fold-0", "signal"), asked) > 0.9


def test_trees_are_chosen_by_cross_validation_and_each_fold_has_its_own(tmp_path: Path) -> None:
    options: Any = {"ensembles": ["forest", "boosting"], "trees": 10, "rounds": 5}
    asked = request(tmp_path / "data", folds=2, options=options)

    made = built(SignalTrees(), asked, tmp_path / "made")

    report = msgspec.json.decode((made / "build.json").read_bytes())
    assert [note.partition(":")[0] for note in report["notes"]] == ["fold 0", "fold 1"]
    assert all("3-fold accuracy forest " in note for note in report["notes"])
    for fold in range(2):
        assert accuracy(opened(made / f"fold-{fold}", "signal"), asked, fold) > 0.9


@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_answers_what_it_learned_and_its_int8_twin_agrees(
    tmp_path: Path, channels: int
) -> None:
    asked = request(tmp_path / "data", channels, options=CNN)
    full = built(SignalCnn(), asked, tmp_path / "fp32")

    small = built(
        ArrayInt8(),
        msgspec.structs.replace(asked, options={"items": 40, "keep_input": True}, base=full),
        tmp_path / "int8",
    )

    assert accuracy(opened(full / "fold-0", "array"), asked) > 0.9
    assert accuracy(opened(small / "fold-0", "array"), asked) > 0.9
    assert b"QuantizeLinear" in (small / "fold-0" / "array.onnx").read_bytes()


@pytest.mark.parametrize("recipe", ["trees", "cnn", "int8"])
def test_the_same_request_gives_the_same_bytes(tmp_path: Path, recipe: str) -> None:
    trees: Any = {"ensembles": ["boosting", "extra-trees"], "trees": 10, "rounds": 5}
    cnn: Any = {**CNN, "widths": ["4", "6"], "steps": 15}
    asked = request(tmp_path / "data", 2, options=trees if recipe == "trees" else cnn)
    kind: Any = SignalTrees() if recipe == "trees" else SignalCnn()
    if recipe == "int8":
        base = built(SignalCnn(), asked, tmp_path / "base")
        kind, asked = ArrayInt8(), msgspec.structs.replace(asked, options={}, base=base)

    one, two = (built(kind, asked, tmp_path / name) for name in ("one", "two"))

    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert len(files) == 3
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in files)


def test_the_trial_of_a_width_leaves_the_random_numbers_of_others_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)

    built(SignalCnn(), request(tmp_path / "data", options=CNN), tmp_path / "made")

    assert torch.equal(torch.rand(3), expected)
    assert not torch.are_deterministic_algorithms_enabled()


def test_recipes_refuse_what_they_cannot_learn_from(tmp_path: Path) -> None:
    asked = request(tmp_path / "data")
    of_texts = msgspec.structs.replace(asked, arrays=None)

    for recipe in (SignalTrees(), SignalCnn()):
        assert "its task must be of signals" in (recipe.refuse(of_texts) or "")
        odd = msgspec.structs.replace(asked, options={"depth": 3})
        assert "unknown depth" in (recipe.refuse(odd) or "")
    assert "name its stage as `base`" in (ArrayInt8().refuse(asked) or "")


def test_a_fold_with_one_label_is_refused(tmp_path: Path) -> None:
    asked = request(tmp_path / "data")
    assert asked.training is not None
    items = tuple(item for item in asked.training.items if item.label == "low")
    only = msgspec.structs.replace(asked.training, items=items)

    with pytest.raises(PrepareError, match="fewer than two labels"):
        SignalTrees().build(msgspec.structs.replace(asked, training=only), tmp_path)


def test_a_session_refuses_another_task_and_another_number_of_channels(tmp_path: Path) -> None:
    options: Any = {"ensembles": ["forest"], "trees": 3}
    asked = request(tmp_path / "data", options=options)
    folder = built(SignalTrees(), asked, tmp_path / "made") / "fold-0"

    with pytest.raises(WorkerError, match="made for other labels than the task's"):
        opened(folder, "signal", LABELS[1:])
    with pytest.raises(WorkerError, match="another number of channels"):
        opened(folder, "signal").encode(np.ones((64, 2), np.float32))


def test_what_prepares_the_input_is_kept_out_of_8_bits(tmp_path: Path) -> None:
    folder = built(SignalCnn(), request(tmp_path / "data", options=CNN), tmp_path / "made")

    kept = before_layers(folder / "fold-0")

    assert any(name.startswith("/Log") for name in kept)
    assert not any("layers" in name or "head" in name for name in kept)


def test_static_int8_needs_items_and_leaves_nothing_behind(tmp_path: Path) -> None:
    from steelyard.recipes.static_int8 import quantise

    folder = built(SignalCnn(), request(tmp_path / "data", options=CNN), tmp_path / "made")
    source = folder / "fold-0" / "array.onnx"

    with pytest.raises(PrepareError, match="needs train items"):
        quantise(source, tmp_path / "small.onnx", [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "made"]


def arrays_ref(row: int, array: Any) -> Any:
    return ArrayRef(row=row, sha256=arrays.sha256(array))
