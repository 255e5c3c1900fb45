"""Sound models from train items to answers; and Whisper's spectrogram."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from steelyard import arrays
from steelyard.api import ArrayRef, BuildReport, BuildRequest, Item, Label, SessionSpec, TrainingSet
from steelyard.backends.ort import OnnxRuntime

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # of torch and sklearn
pytest.importorskip("onnx")

LABELS = tuple(Label(id=name, words=name) for name in ("hum", "hiss"))
RATE = 16_000


def clip(label: str, seed: int) -> Any:
    """Return a second of noise, or of a low tone in the same noise."""
    source = np.random.default_rng(seed)
    noise = source.standard_normal(RATE) * 300
    times = np.arange(RATE) / RATE
    tone = 2000 * np.sin(2 * np.pi * source.uniform(200, 400) * times) * (times > 0.2)
    return (noise + (tone if label == "hum" else 0)).astype("<i2")


@pytest.fixture
def request_for(tmp_path: Path) -> Any:
    labels = ["hum", "hiss"] * 30
    kept = [clip(label, seed) for seed, label in enumerate(labels)]
    arrays.write(tmp_path, kept)
    items = tuple(
        Item(
            id=f"i{row}",
            label=label,
            array=ArrayRef(row=row, sha256=arrays.sha256(kept[row])),
            fold=None if row < 40 else 0,
        )
        for row, label in enumerate(labels)
    )
    training = TrainingSet(task="toy", labels=LABELS, folds=1, items=items)

    def make(**options: Any) -> BuildRequest:
        return BuildRequest(
            files={}, options=options, threads=1, training=training, arrays=tmp_path
        )

    return make


def built(recipe: Any, request: BuildRequest, out: Path) -> BuildReport:
    assert recipe.refuse(request) is None
    out.mkdir()
    report: BuildReport = recipe.build(request, out)
    return report


def session(out: Path) -> Any:
    spec = SessionSpec(
        artifact=str(out / "fold-0"), session="sound", threads=1, labels=LABELS, options={}
    )
    return OnnxRuntime().open(spec)


def share_right(opened: Any, labels: Mapping[int, str]) -> float:
    said = {
        seed: opened.decode(opened.infer(opened.encode(clip(label, seed)))).label
        for seed, label in labels.items()
    }
    return float(np.mean([said[seed] == label for seed, label in labels.items()]))


UNSEEN = {seed: ("hum", "hiss")[seed % 2] for seed in range(1000, 1020)}


def recipes() -> list[Any]:
    from steelyard.recipes.energy_vad import EnergyVad
    from steelyard.recipes.mel_cnn import MelCnn
    from steelyard.recipes.mel_linear import MelLinear

    return [
        pytest.param(EnergyVad(), {}, id="energy-vad"),
        pytest.param(MelLinear(), {"segments": ["1", "2"], "cost": ["0.1", "1"]}, id="mel-linear"),
        pytest.param(MelCnn(), {"epochs": 8}, id="mel-cnn"),
    ]


@pytest.mark.parametrize(("recipe", "options"), recipes())
def test_a_recipe_learns_what_its_session_then_tells(
    recipe: Any, options: Any, request_for: Any, tmp_path: Path
) -> None:
    report = built(recipe, request_for(**options), tmp_path / "out")

    opened = session(tmp_path / "out")
    assert share_right(opened, UNSEEN) == 1.0
    assert report.labelled_items == 40
    clips = [clip(label, seed) for seed, label in UNSEEN.items()]
    batch = opened.decode_batch(opened.infer_batch(opened.encode_batch(clips)))
    assert [answer.label for answer in batch] == list(UNSEEN.values())


@pytest.mark.parametrize(("recipe", "options"), recipes())
def test_the_same_items_give_the_same_bytes(
    recipe: Any, options: Any, request_for: Any, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        built(recipe, request_for(**options), tmp_path / name)

    files = sorted(path.name for path in (tmp_path / "one" / "fold-0").iterdir())
    assert files == ["sound.json", "sound.onnx"]
    for name in files:
        one, two = (tmp_path / run / "fold-0" / name for run in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_trained_network_is_brought_to_a_variants_precision(
    precision: str, request_for: Any, tmp_path: Path
) -> None:
    from steelyard.recipes.mel_cnn import MelCnn
    from steelyard.recipes.mel_cnn_precision import MelCnnPrecision

    trained = built(MelCnn(), request_for(epochs=8), tmp_path / "base")
    request = msgspec.structs.replace(
        request_for(precision=precision, calibration_items=10), base=tmp_path / "base"
    )
    report = built(MelCnnPrecision(), request, tmp_path / "out")

    assert share_right(session(tmp_path / "out"), UNSEEN) == 1.0
    assert report.parameters == trained.parameters == 48 * 201 + 64 * 241 + 64 * 321 + 2 * 129
    same = [(tmp_path / run / "fold-0" / "sound.onnx").read_bytes() for run in ("base", "out")]
    assert (same[0] == same[1]) == (precision == "fp32")


def test_the_exported_network_gives_torchs_scores(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    import onnxruntime as ort

    from steelyard.recipes import mel_network

    inputs = [np.random.default_rng(n).standard_normal((40, 63)).astype("f4") for n in range(8)]
    weights = mel_network.train(inputs, [0, 1] * 4, 2, epochs=2, seed=3)
    model = mel_network._network(40, 2)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})

    given = np.stack(inputs)
    expected = mel_network._scores(model, torch.from_numpy(given)).detach().numpy()
    found = ort.InferenceSession(mel_network.graph(weights)).run(None, {"features": given})[0]

    assert np.abs(np.asarray(found) - expected).max() < 1e-5


def test_the_linear_graph_gives_scikit_learns_decision(request_for: Any, tmp_path: Path) -> None:
    from steelyard.recipes import mel_linear, sound_export

    request = request_for(segments=["2"], cost=["0.1"])
    built(mel_linear.MelLinear(), request, tmp_path / "out")
    items = request.training.train_items(0)
    shown = sound_export.features(request, request.training, "statistics", 2)
    model = mel_linear._fit(items, shown, 0.1)

    opened = session(tmp_path / "out")
    ids = [item.id for item in items]
    found = opened.infer(np.stack([shown[name] for name in ids]))

    decisions = model.decision_function([shown[name] for name in ids])
    second = list(model.classes_).index(model.classes_[1])
    column = opened._columns[[label.id for label in LABELS].index(model.classes_[second])]
    assert np.abs(found[:, column] - decisions).max() < 1e-3


def test_clips_shorter_than_a_word_are_refused() -> None:
    pytest.importorskip("torch")
    from steelyard.errors import PrepareError
    from steelyard.recipes import mel_network

    with pytest.raises(PrepareError, match="clips of 44 frames; this network takes 45"):
        mel_network.train([np.zeros((40, 44), "f4")], [0], 2, epochs=1, seed=0)


def test_a_learning_curves_point_trains_on_its_items_alone(
    request_for: Any, tmp_path: Path
) -> None:
    from steelyard.recipes.energy_vad import EnergyVad

    request = request_for()
    few = msgspec.structs.replace(request.training, chosen=(("i0", "i1", "i2", "i3"),))
    report = built(EnergyVad(), msgspec.structs.replace(request, training=few), tmp_path / "out")

    assert report.labelled_items == 4


def test_a_task_without_sounds_is_refused(request_for: Any, tmp_path: Path) -> None:
    from steelyard.errors import PrepareError
    from steelyard.recipes.energy_vad import EnergyVad

    request = msgspec.structs.replace(request_for(), arrays=None)

    with pytest.raises(PrepareError, match="the task has no sounds"):
        built(EnergyVad(), request, tmp_path / "out")


@pytest.mark.parametrize("size", [400, 16_384, 479_700, 480_000])
def test_whispers_spectrogram_is_that_of_transformers(size: int) -> None:
    transformers = pytest.importorskip("transformers")
    from steelyard.backends.ctranslate2.spectrogram import Spectrograms

    source = np.random.default_rng(size)
    samples = (source.standard_normal(size) * 3000).clip(-32768, 32767).astype("<i2")
    reference = transformers.WhisperFeatureExtractor(feature_size=80)

    expected = reference(samples / 32768, sampling_rate=RATE, return_tensors="np").input_features

    assert np.abs(Spectrograms()(samples) - expected).max() < 1e-5


def test_a_clip_longer_than_30_s_is_refused() -> None:
    from steelyard.backends.ctranslate2.spectrogram import Spectrograms
    from steelyard.errors import WorkerError

    with pytest.raises(WorkerError, match="Whisper takes 400 to 480000"):
        Spectrograms()(np.zeros(480_001, "<i2"))
