"""The encoder tagger: trained, exported, quantised and opened; on a tiny encoder."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from typing import Any

import pytest

from steelyard.api import BuildReport, BuildRequest, Item, Label, SessionSpec, TrainingSet
from steelyard.backends.ort import OnnxRuntime
from steelyard.card import Option
from steelyard.errors import PrepareError, WorkerError
from steelyard.notation import format_spans
from steelyard.recipes.encoder_tagger import EncoderTagger
from steelyard.recipes.encoder_tagger_precision import TaggerPrecision
from steelyard.recipes.encoder_tagger_training import Example, batches

for needed in ("torch", "optimum", "transformers", "onnxruntime", "tokenizers"):
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"needs {needed}", allow_module_level=True)

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # of torch and optimum

OIL, GRAIN = ("crude", "barrel", "opec"), ("wheat", "maize", "crop")
LABELS = (Label(id="oil", words="oil"), Label(id="grain", words="grain"))
QUICK: dict[str, Option] = {
    "epochs": 12, "batch": 4, "learning_rate": 0.005, "max_length": 12, "threads": 1,
}  # fmt: skip


def sentence(number: int, oil: str, grain: str) -> Item:
    text = f"the {oil} {oil}, a {grain}."
    at = len(f"the {oil} {oil}, a ")
    spans = [(4, 5 + 2 * len(oil), "oil"), (at, at + len(grain), "grain")]
    return Item(id=str(number), text=text, label=format_spans(spans), fold=number % 2)


ITEMS = tuple(
    sentence(number, OIL[number % 3], GRAIN[number // 2 % 3]) for number in range(24)
)  # fmt: skip


def task(items: tuple[Item, ...] = ITEMS) -> TrainingSet:
    return TrainingSet(task="t", labels=LABELS, folds=2, items=items)


def trained(files: dict[str, Path], out: Path, items: tuple[Item, ...] = ITEMS) -> BuildReport:
    request = BuildRequest(files=files, options=QUICK, threads=1, training=task(items))
    assert EncoderTagger().refuse(request) is None
    out.mkdir()
    return EncoderTagger().build(request, out)


def precise(base: Path, out: Path, precision: str) -> BuildReport:
    request = BuildRequest(
        files={}, options={"precision": precision}, threads=1, base=base, training=task()
    )
    assert TaggerPrecision().refuse(request) is None
    out.mkdir()
    return TaggerPrecision().build(request, out)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    location = Path(__file__).with_name("tiny_encoder.py")
    module_spec = importlib.util.spec_from_file_location("tiny_encoder", location)
    assert module_spec is not None
    assert module_spec.loader is not None
    tiny_encoder = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(tiny_encoder)
    made: dict[str, Path] = tiny_encoder.make(tmp_path_factory.mktemp("files"))
    _make_teachable(made["config.json"].parent)
    return made


def _make_teachable(folder: Path) -> None:
    """Write smaller weights, without drop-out: the shared ones do not learn in a second."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig.from_pretrained(folder)
    config.update({"initializer_range": 0.1, "hidden_dropout_prob": 0.0})
    config.update({"attention_probs_dropout_prob": 0.0})
    BertModel(config).save_pretrained(folder)


@pytest.fixture(scope="module")
def made(
    files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, BuildReport]:
    out = tmp_path_factory.mktemp("tagger") / "trained"
    return out, trained(files, out)


def session(folder: Path, labels: tuple[Label, ...] = LABELS) -> Any:
    spec = SessionSpec(artifact=str(folder), session="tagger", threads=1, labels=labels, options={})
    assert OnnxRuntime().refuse(spec) is None
    return OnnxRuntime().open(spec)


def answer(opened: Any, text: str) -> str:
    label: str = opened.decode(opened.infer(opened.encode(text))).label
    return label


def test_it_learns_where_spans_begin_and_end(made: tuple[Path, BuildReport]) -> None:
    opened = session(made[0] / "fold-0")

    right = [answer(opened, item.text) == item.label for item in ITEMS if item.fold == 0]

    assert all(right)


def test_it_reports_what_it_learned_from(made: tuple[Path, BuildReport]) -> None:
    report = made[1]

    assert report.labelled_items == 12
    assert report.parameters > 5 * 32  # the layer of tags alone: O, and B and I of two types
    assert "words, 12 train items; equals torch within" in report.notes[1]


def test_the_same_items_give_the_same_bytes(
    files: dict[str, Path], made: tuple[Path, BuildReport], tmp_path: Path
) -> None:
    trained(files, tmp_path / "again")

    for name in ("fold-0/tagger.onnx", "fold-1/tagger.onnx", "fold-0/tagger.json"):
        assert (tmp_path / "again" / name).read_bytes() == (made[0] / name).read_bytes()


def test_words_beyond_its_length_are_outside(made: tuple[Path, BuildReport]) -> None:
    opened = session(made[0] / "fold-0")

    # [CLS], ten words and [SEP] are twelve pieces: the last word of oil is not read.
    assert answer(opened, "the crude crude" + " the" * 7 + " opec") == '[[4,15,"oil"]]'


def test_a_batch_answers_as_its_texts_do_alone(made: tuple[Path, BuildReport]) -> None:
    opened = session(made[0] / "fold-0")
    texts = [ITEMS[0].text, "the", ITEMS[3].text + " the port"]

    batch = opened.decode_batch(opened.infer_batch(opened.encode_batch(texts)))

    assert [one.label for one in batch] == [answer(opened, text) for text in texts]


def test_both_precisions_are_made_of_one_training(
    made: tuple[Path, BuildReport], tmp_path: Path
) -> None:
    full = precise(made[0], tmp_path / "fp32", "fp32")
    small = precise(made[0], tmp_path / "int8", "int8")

    graph = (tmp_path / "fp32/fold-1/tagger.onnx").read_bytes()
    quantised = (tmp_path / "int8/fold-1/tagger.onnx").read_bytes()
    opened = session(tmp_path / "int8/fold-1")
    assert graph == (made[0] / "fold-1/tagger.onnx").read_bytes()
    assert len(quantised) < len(graph)
    assert (full.labelled_items, small.labelled_items) == (12, 12)
    assert small.notes == ("dynamic int8, weights a channel",)
    assert answer(opened, ITEMS[1].text) == ITEMS[1].label


def test_a_batch_holds_items_of_about_one_length_and_an_epoch_every_item() -> None:
    examples = [Example(ids=(0,) * length, tags=(0,) * length) for length in range(1, 101)]

    drawn = list(batches(examples, 4, random.Random(1)))  # noqa: S311

    lengths = [len(example.ids) for batch in drawn for example in batch]
    assert sorted(lengths) == list(range(1, 101))
    assert lengths != sorted(lengths)
    assert max(max(len(e.ids) for e in b) - min(len(e.ids) for e in b) for b in drawn) < 50


def test_what_is_missing_is_said_before_anything_slow(files: dict[str, Path]) -> None:
    without = BuildRequest(files={}, options={}, threads=1, training=task())
    odd = BuildRequest(files=files, options={"odd": 1}, threads=1, training=task())
    alone = BuildRequest(files={}, options={}, threads=1, training=task())

    assert "no file config.json" in str(EncoderTagger().refuse(without))
    assert "unknown odd" in str(EncoderTagger().refuse(odd))
    assert "name it as `base`" in str(TaggerPrecision().refuse(alone))


def test_items_without_any_span_are_refused(files: dict[str, Path], tmp_path: Path) -> None:
    plain = tuple(Item(id=str(n), text="the crop", label="[]", fold=n % 2) for n in range(4))

    with pytest.raises(PrepareError, match="no train item has a span"):
        trained(files, tmp_path / "plain", plain)


def test_an_artefact_of_another_task_is_refused(made: tuple[Path, BuildReport]) -> None:
    with pytest.raises(WorkerError, match="grain: no labels of the task"):
        session(made[0] / "fold-0", LABELS[:1])
