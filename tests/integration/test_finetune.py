"""An encoder of a few kilobytes, trained end to end, exported, quantised and opened again."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from tests.integration import tiny_encoder

from steelyard.api import BuildReport, BuildRequest, Item, Label, SessionSpec, TrainingSet
from steelyard.backends.ort import OnnxRuntime
from steelyard.errors import PrepareError
from steelyard.recipes.encoder_finetune import EncoderFinetune

for needed in ("torch", "optimum", "transformers", "onnxruntime", "tokenizers"):
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"needs {needed}", allow_module_level=True)

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # of torch and optimum

TOPICS = {"oil": "crude barrel opec", "grain": "wheat maize crop", "ship": "vessel port cargo"}
LABELS = tuple(Label(id=name, words=name) for name in sorted(TOPICS))
WORDS = [word for words in TOPICS.values() for word in words.split()]
# One thread: others may compute beside a test. Random weights need more and larger steps.
FAST: dict[str, Any] = {
    "batch": 4,
    "epochs": 25,
    "head_rate": 1e-2,
    "max_length": 16,
    "patience": 25,
    "rate": 3e-3,
    "threads": 1,
}
ONCE: dict[str, Any] = {**FAST, "epochs": 1}
SAME = (Label(id="same", words="same"), Label(id="different", words="different"))


def topics(folds: int = 1) -> TrainingSet:
    items = []
    for number in range(96):
        label = LABELS[number % 3].id
        words = TOPICS[label].split()
        text = " ".join([words[number // 3 % 3], "the", words[number // 9 % 3], "a"])
        fold = None if folds == 1 else number // 3 % folds
        items.append(Item(id=f"i{number}", text=text, label=label, fold=fold))
    return TrainingSet(task="toy", labels=LABELS, folds=folds, items=tuple(items))


def pairs() -> TrainingSet:
    """Return items that only both lines together tell: is the one word the other?"""
    items = []
    for first in WORDS:
        for second in WORDS:
            label = "same" if first == second else "different"
            for copy in range(8 if first == second else 1):
                name = f"{first}-{second}-{copy}"
                items.append(Item(id=name, text=f"{first}\n{second}", label=label))
    return TrainingSet(task="pairs", labels=SAME, folds=1, items=tuple(items))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return tiny_encoder.make(tmp_path_factory.mktemp("files"))


def build(
    files: dict[str, Path],
    out: Path,
    training: TrainingSet,
    options: dict[str, Any],
    base: Path | None = None,
) -> BuildReport:
    request = BuildRequest(files=files, options=options, threads=1, base=base, training=training)
    assert EncoderFinetune().refuse(request) is None
    out.mkdir(parents=True)
    return EncoderFinetune().build(request, out)


@pytest.fixture(scope="module")
def trained(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("trained")
    build(files, root / "trained", topics(folds=2), FAST)
    for precision in ("fp32", "int8"):
        build(files, root / precision, topics(folds=2), {"precision": precision}, root / "trained")
    return root


def opened(folder: Path, labels: tuple[Label, ...] = LABELS) -> Any:
    spec = SessionSpec(
        artifact=str(folder), session="classifier", threads=1, labels=labels, options={}
    )
    assert OnnxRuntime().refuse(spec) is None
    return OnnxRuntime().open(spec)


def answers(session: Any, texts: list[str]) -> list[str]:
    return [session.decode(session.infer(session.encode(text))).label for text in texts]


def test_each_fold_answers_items_that_it_never_saw(trained: Path) -> None:
    for fold in range(2):
        unseen = [item for item in topics(folds=2).items if item.fold == fold]
        said = answers(opened(trained / "fp32" / f"fold-{fold}"), [item.text for item in unseen])

        hits = sum(label == item.label for label, item in zip(said, unseen, strict=True))
        assert hits / len(unseen) > 0.9  # chance is a third


def test_the_report_says_what_was_learned_and_what_was_held_out(
    files: dict[str, Path], tmp_path: Path
) -> None:
    report = build(files, tmp_path / "one", topics(), {**ONCE, "max_train": 80})

    # An eighth of 80 items decides; the others are learned from.
    assert report.labelled_items == 80
    assert "round 1 of 1 planned" in report.notes[0]
    assert "on 10 held-out train items, 70 items learned" in report.notes[0]
    assert "equals torch within" in report.notes[0]


def test_few_items_spare_none_and_train_for_all_rounds(
    files: dict[str, Path], tmp_path: Path
) -> None:
    report = build(files, tmp_path / "few", topics(), {**FAST, "epochs": 3, "max_train": 30})

    assert report.notes[0].startswith("fold 0: 3 rounds, none held out, 30 items learned")


def test_the_same_items_and_seed_give_the_same_bytes(
    files: dict[str, Path], tmp_path: Path
) -> None:
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        build(files, tmp_path / name, topics(), {**ONCE, "seed": seed})

    for name in ("model.onnx", "classifier.json", "tokenizer.json", "learned.json"):
        first, again = (tmp_path / made / "fold-0" / name for made in ("first", "again"))
        assert first.read_bytes() == again.read_bytes()
    first, other = (tmp_path / made / "fold-0" / "model.onnx" for made in ("first", "other"))
    assert first.read_bytes() != other.read_bytes()


def test_int8_keeps_the_answers_and_what_is_noted(trained: Path) -> None:
    texts = [item.text for item in topics().items]
    whole, small = (opened(trained / name / "fold-0") for name in ("fp32", "int8"))

    assert answers(small, texts) == answers(whole, texts)
    first, second = (trained / name / "fold-0" / "model.onnx" for name in ("fp32", "int8"))
    assert first.read_bytes() != second.read_bytes()
    notes = [(trained / name / "fold-0" / "learned.json").read_bytes() for name in ("fp32", "int8")]
    assert notes[0] == notes[1]


def test_full_precision_is_the_trained_file_itself(trained: Path) -> None:
    ours, theirs = (trained / name / "fold-1" / "model.onnx" for name in ("fp32", "trained"))

    assert ours.samefile(theirs)


def test_a_batch_answers_as_single_texts_do(trained: Path) -> None:
    session = opened(trained / "fp32" / "fold-0")
    texts = ["crude", "wheat the maize a crop a the maize", ""]

    rows = session.infer_batch(session.encode_batch(texts))

    singles = [session.infer(session.encode(text))[0] for text in texts]
    np.testing.assert_allclose(rows, singles, atol=1e-5)


def test_two_lines_are_read_as_a_pair(files: dict[str, Path], tmp_path: Path) -> None:
    build(files, tmp_path / "pairs", pairs(), {**ONCE, "pairs": True})
    session = opened(tmp_path / "pairs" / "fold-0", SAME)

    given = session.encode("crude barrel\nport")
    alone = session.encode("crude")

    # [CLS] crude barrel [SEP] port [SEP]; the second text has the other type.
    assert given["input_ids"].tolist() == [[2, 5, 6, 3, 12, 3]]
    assert given["token_type_ids"].tolist() == [[0, 0, 0, 0, 1, 1]]
    # A text of one line is a pair with an empty second.
    assert alone["input_ids"].tolist() == [[2, 5, 3, 3]]


def refusal(files: dict[str, Path], base: Path | None = None, **options: Any) -> str:
    request = BuildRequest(files=files, options=options, threads=1, base=base, training=topics())
    return str(EncoderFinetune().refuse(request))


def test_what_cannot_be_built_is_refused_before_anything_slow(
    files: dict[str, Path], tmp_path: Path
) -> None:
    assert "unknown depth" in refusal(files, depth=3)
    assert "options.epochs: expected at least 1" in refusal(files, epochs=0)
    assert "no file model.safetensors" in refusal(
        {"config.json": tmp_path, "tokenizer.json": tmp_path}
    )
    assert "expected one of fp32, int8" in refusal(files, tmp_path, precision="int3")
    assert "unknown epochs" in refusal(files, tmp_path, precision="int8", epochs=3)


def test_a_fold_with_one_label_is_an_error_that_names_it(
    files: dict[str, Path], tmp_path: Path
) -> None:
    items = tuple(replace(item, label="oil") for item in topics().items)

    with pytest.raises(PrepareError, match="task toy, fold 0: 96 train items with fewer than two"):
        build(files, tmp_path / "one", replace(topics(), items=items), FAST)


def test_training_leaves_torch_as_it_was(files: dict[str, Path], tmp_path: Path) -> None:
    import torch

    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    build(files, tmp_path / "one", topics(), {**ONCE, "threads": 2})

    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
