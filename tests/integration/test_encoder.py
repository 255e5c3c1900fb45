"""Encoders: exported, quantised, taken ready, opened; heads trained on them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelyard.api import BuildReport, BuildRequest, Item, Label, SessionSpec, TrainingSet
from steelyard.backends.ort import OnnxRuntime
from steelyard.errors import WorkerError
from steelyard.recipes.encoder import EncoderOnnx
from steelyard.recipes.linear_head import LinearHead

for needed in ("torch", "optimum", "transformers", "onnxruntime", "tokenizers", "sklearn"):
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"needs {needed}", allow_module_level=True)

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # of torch and optimum

TOPICS = {"oil": "crude barrel opec", "grain": "wheat maize crop", "ship": "vessel port cargo"}
LABELS = tuple(Label(id=name, words=name) for name in sorted(TOPICS))


class Stages:
    """The stages of a tiny encoder, each built once."""

    def __init__(self, files: dict[str, Path], root: Path) -> None:
        self.files = files
        self.root = root

    def build(self, name: str, base: str | None = None, **options: Any) -> BuildReport:
        request = BuildRequest(
            files=self.files,
            options={"max_length": 200, "dimensions": 32, **options},
            threads=1,
            base=self.root / base if base else None,
        )
        assert EncoderOnnx().refuse(request) is None
        (self.root / name).mkdir()
        return EncoderOnnx().build(request, self.root / name)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    location = Path(__file__).with_name("tiny_encoder.py")
    module_spec = importlib.util.spec_from_file_location("tiny_encoder", location)
    assert module_spec is not None
    assert module_spec.loader is not None
    tiny_encoder = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(tiny_encoder)
    files = tiny_encoder.make(tmp_path_factory.mktemp("files"))
    made = Stages(files, tmp_path_factory.mktemp("stages"))
    made.build("fp32", precision="fp32")
    made.build("int8", base="fp32", precision="int8")
    return made


def spec(folder: Path, **options: Any) -> SessionSpec:
    return SessionSpec(
        artifact=str(folder), session="encoder", threads=1, labels=LABELS, options=options
    )


def embedder(folder: Path) -> Any:
    from steelyard.backends.ort.encoder import open_embedder

    return open_embedder(spec(folder))


def embed(folder: Path, text: str) -> Any:
    opened = embedder(folder)
    return opened.embed(opened.encode(text))


def torch_vector(files: dict[str, Path], ids: list[int]) -> Any:
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(files["config.json"].parent).eval()
    with torch.no_grad():
        vector = model(torch.tensor([ids])).last_hidden_state[0].mean(dim=0).numpy()
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("words", [1, 12, 150])
def test_the_export_equals_torch_at_other_lengths(stages: Stages, words: int) -> None:
    text = " ".join((TOPICS["oil"].split() * 60)[:words])
    ids = embedder(stages.root / "fp32").encode(text)["input_ids"][0].tolist()

    assert len(ids) == words + 2
    vector = embed(stages.root / "fp32", text)
    assert vector == pytest.approx(torch_vector(stages.files, ids), abs=1e-5)


def test_texts_are_cut_at_the_encoders_length_and_never_padded(stages: Stages) -> None:
    opened = embedder(stages.root / "fp32")

    assert opened.encode("crude " * 500)["input_ids"].shape == (1, 200)
    assert opened.encode("")["input_ids"].tolist() == [[2, 3]]


def test_int8_is_smaller_and_points_the_same_way(stages: Stages) -> None:
    whole, small = (stages.root / name / "encoder.onnx" for name in ("fp32", "int8"))
    cosine = embed(whole.parent, "crude opec") @ embed(small.parent, "crude opec")

    assert small.read_bytes() != whole.read_bytes()
    assert cosine > 0.98


def test_two_exports_give_the_same_bytes(stages: Stages) -> None:
    stages.build("again", precision="fp32")
    stages.build("again-int8", base="again", precision="int8")

    for first, second in (("fp32", "again"), ("int8", "again-int8")):
        for name in ("encoder.onnx", "encoder.json", "tokenizer.json"):
            ours, theirs = (stages.root / folder / name for folder in (first, second))
            assert ours.read_bytes() == theirs.read_bytes()


def test_a_ready_file_is_taken_as_it_is(stages: Stages) -> None:
    ready = stages.root / "int8" / "encoder.onnx"
    files = {"model-int8.onnx": ready, "tokenizer.json": stages.files["tokenizer.json"]}
    Stages(files, stages.root).build("ready", precision="ready")

    assert (stages.root / "ready" / "encoder.onnx").read_bytes() == ready.read_bytes()


def test_int8_without_its_parent_is_refused(stages: Stages) -> None:
    request = BuildRequest(files=stages.files, options={"precision": "int8"}, threads=1)

    assert "name the fp32 stage as `base`" in str(EncoderOnnx().refuse(request))


def task(folds: int = 1) -> TrainingSet:
    items = []
    for number in range(60):
        label = LABELS[number % 3].id
        words = TOPICS[label].split()
        text = " ".join([words[number // 6 % 3], "the", words[number // 18 % 3], "a"])
        fold = None if folds == 1 else number // 3 % folds
        items.append(Item(id=f"i{number}", text=text, label=label, fold=fold))
    return TrainingSet(task="toy", labels=LABELS, folds=folds, items=tuple(items))


def train(stages: Stages, out: Path, training: TrainingSet, **options: Any) -> BuildReport:
    request = BuildRequest(
        files={}, options=options, threads=2, base=stages.root / "fp32", training=training
    )
    assert LinearHead().refuse(request) is None
    return LinearHead().build(request, out)


def test_a_head_learns_the_task_in_each_fold(stages: Stages, tmp_path: Path) -> None:
    training = task(folds=2)
    report = train(stages, tmp_path, training)

    assert (report.parameters, report.labelled_items) == (33 * 3, 30)
    assert "3-fold accuracy" in report.notes[1]
    for fold in range(2):
        session = OnnxRuntime().open(spec(tmp_path / f"fold-{fold}"))
        answers = [
            session.decode(session.infer(session.encode(item.text))) for item in training.items
        ]
        hits = sum(a.label == i.label for a, i in zip(answers, training.items, strict=True))
        assert hits / len(answers) > 0.7  # random weights tell words apart, chance is a third
        assert all(a.scores is not None and len(a.scores) == 3 for a in answers)


def test_folds_share_the_encoders_file(stages: Stages, tmp_path: Path) -> None:
    train(stages, tmp_path, task(folds=2))
    first, second = (tmp_path / f"fold-{fold}" / "encoder.onnx" for fold in range(2))

    assert first.samefile(second)


def test_the_cap_on_train_items_is_kept_and_reported(stages: Stages, tmp_path: Path) -> None:
    assert train(stages, tmp_path, task(), max_train=33).labelled_items == 33


def test_two_heads_have_the_same_bytes(stages: Stages, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        train(stages, tmp_path / name, task())

    for name in ("weights.npy", "intercept.npy", "head.json"):
        ours, theirs = (tmp_path / run / "fold-0" / name for run in ("a", "b"))
        assert ours.read_bytes() == theirs.read_bytes()


def test_a_head_without_an_encoder_is_refused() -> None:
    request = BuildRequest(files={}, options={}, threads=1, training=task())

    assert "name its stage as `base`" in str(LinearHead().refuse(request))


def test_a_missing_tokenizer_is_named(stages: Stages, tmp_path: Path) -> None:
    train(stages, tmp_path, task())
    (tmp_path / "fold-0" / "tokenizer.json").unlink()

    with pytest.raises(WorkerError, match=r"tokenizer\.json: no such file"):
        OnnxRuntime().open(spec(tmp_path / "fold-0"))
