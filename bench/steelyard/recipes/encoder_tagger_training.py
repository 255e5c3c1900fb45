"""The training of an encoder that tags word pieces: deterministic, on the CPU."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from steelyard.api import Item
from steelyard.errors import PrepareError
from steelyard.notation import parse_spans
from steelyard.recipes.encoder_export import LENGTHS, OPSET, TOLERANCE
from steelyard.recipes.span_pieces import first_pieces
from steelyard.recipes.span_tags import Units, places, tags_of

# What the loss leaves out: pieces that begin no word. torch's own default.
IGNORED = -100
WEIGHT_DECAY = 0.01
LARGEST_GRADIENT = 1.0
# Batches of a pool.
POOL = 16


class Settings(Struct, frozen=True, kw_only=True):
    """How long and how fast it learns. `warm_up` is the share of steps at a rising rate."""

    epochs: int
    batch: int
    learning_rate: float
    warm_up: float
    max_length: int
    threads: int
    seed: int


class TagFacts(Struct, frozen=True, kw_only=True):
    """What `tagger.json` holds: the units that are tagged, the tag of each column."""

    units: Units
    tags: tuple[str, ...]
    max_length: int


class Example(Struct, frozen=True, kw_only=True):
    """A train item: its pieces, and the tag's number of those that begin a unit."""

    ids: tuple[int, ...]
    tags: tuple[int, ...]


def train(
    files: Mapping[str, Path],
    items: Sequence[Item],
    facts: TagFacts,
    settings: Settings,
    target: Path,
) -> tuple[int, str]:
    """Train on items and export to `target`; return the parameters and a note."""
    # Read when torch is loaded: threads that spin while they wait take the cores of the others.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    examples = _examples(files["tokenizer.json"], items, facts)
    with _deterministic(settings):
        model = _model(files, len(facts.tags), target.parent)
        losses = _fit(model, examples, settings)
        difference = export(model, target)
    with torch.no_grad():
        size = int(model.num_parameters())
    told = ", ".join(f"{loss:.3f}" for loss in losses)
    return size, (
        f"loss {told} by epoch; {facts.units}, {len(items)} train items; "
        f"equals torch within {difference:.1e}"
    )


def _examples(tokenizer: Path, items: Sequence[Item], facts: TagFacts) -> list[Example]:
    from tokenizers import Tokenizer

    pieces = Tokenizer.from_file(str(tokenizer))
    pieces.enable_truncation(facts.max_length)
    pieces.no_padding()
    numbers = {tag: number for number, tag in enumerate(facts.tags)}
    examples = []
    for item in items:
        encoding = pieces.encode(item.text)
        at = places(item.text, facts.units)
        tags = [IGNORED] * len(encoding.ids)
        firsts = first_pieces(encoding.offsets, at)
        for first, tag in zip(firsts, tags_of(parse_spans(item.label), at), strict=True):
            if first is not None:
                tags[first] = numbers[tag]
        examples.append(Example(ids=tuple(encoding.ids), tags=tuple(tags)))
    return examples


@contextmanager
def _deterministic(settings: Settings) -> Generator[None, None, None]:
    """Hold torch to one order of sums and one stream of random numbers."""
    import torch

    threads = torch.get_num_threads()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    torch.set_num_threads(settings.threads)
    torch.use_deterministic_algorithms(mode=True)
    torch.manual_seed(settings.seed)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=False)
        torch.set_num_threads(threads)


def _model(files: Mapping[str, Path], tags: int, scratch: Path) -> Any:
    """Load the encoder with a fresh layer of tags on it.

    The words' vectors, half of all weights, stay as they are: a thousand texts hold few of them,
    and those of the others would no longer fit.
    """
    import torch
    from transformers import AutoModelForTokenClassification
    from transformers.utils import logging

    logging.set_verbosity_error()  # it tells that the new layer is new
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        for wanted in ("config.json", "model.safetensors"):
            (Path(name) / wanted).symlink_to(files[wanted].resolve())
        model = AutoModelForTokenClassification.from_pretrained(
            name,
            local_files_only=True,
            use_safetensors=True,
            num_labels=tags,
            dtype=torch.float32,
            attn_implementation="eager",
        )
    model.get_input_embeddings().requires_grad_(requires_grad=False)
    return model


def _fit(model: Any, examples: Sequence[Example], settings: Settings) -> list[float]:
    """Run the epochs; return the mean loss of each.

    AdamW, rate rising over the first steps and falling to 0, as BERT was fine-tuned (1810.04805).
    """
    import torch

    steps = settings.epochs * sum(1 for _ in batches(examples, settings.batch, random.Random(0)))  # noqa: S311
    trained = [p for p in model.parameters() if p.requires_grad]
    plain = [p for p in trained if p.ndim < 2]
    decayed = [p for p in trained if p.ndim >= 2]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": plain, "weight_decay": 0.0}],
        lr=settings.learning_rate,
    )
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: _rate(step, steps, settings.warm_up)
    )
    order = random.Random(settings.seed)  # noqa: S311 - it shuffles
    model.train()
    losses = []
    for _ in range(settings.epochs):
        total = 0.0
        for chosen in batches(examples, settings.batch, order):
            loss = model(**_batch(chosen)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, LARGEST_GRADIENT)
            optimiser.step()
            rates.step()
            optimiser.zero_grad()
            total += float(loss.detach()) * len(chosen)
        losses.append(total / len(examples))
    model.eval()
    return losses


def batches(
    examples: Sequence[Example], size: int, order: random.Random
) -> Iterator[list[Example]]:
    """Yield an epoch's batches in random order, each of items of about one length.

    Batches are cut from shuffled pools sorted by length: that fills up less, and trains faster.
    """
    shuffled = order.sample(examples, len(examples))
    pool = POOL * size
    cut: list[list[Example]] = []
    for first in range(0, len(shuffled), pool):
        alike = sorted(shuffled[first : first + pool], key=lambda example: len(example.ids))
        cut += [alike[start : start + size] for start in range(0, len(alike), size)]
    yield from order.sample(cut, len(cut))


def _rate(step: int, steps: int, warm_up: float) -> float:
    """Return the share of the learning rate at a step."""
    rising = max(1, round(warm_up * steps))
    return (step + 1) / rising if step < rising else (steps - step) / max(1, steps - rising)


def _batch(examples: Sequence[Example]) -> dict[str, Any]:
    """Return inputs, filled up to the longest and masked there."""
    import torch

    longest = max(len(example.ids) for example in examples)
    ids = torch.zeros((len(examples), longest), dtype=torch.long)
    mask = torch.zeros_like(ids)
    tags = torch.full_like(ids, IGNORED)
    for row, example in enumerate(examples):
        length = len(example.ids)
        ids[row, :length] = torch.tensor(example.ids)
        mask[row, :length] = 1
        tags[row, :length] = torch.tensor(example.tags)
    return {"input_ids": ids, "attention_mask": mask, "labels": tags}


def export(model: Any, target: Path) -> float:
    """Export with optimum; return the largest difference from torch, refused beyond a limit."""
    from optimum.exporters.onnx import onnx_export_from_model

    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tracer, on constants; checked below
            onnx_export_from_model(
                model, Path(name), task="token-classification", opset=OPSET, do_validation=False
            )
        shutil.move(Path(name) / "model.onnx", target)
    difference = largest_difference(model, target)
    if difference > TOLERANCE:
        raise PrepareError(f"the ONNX export differs from torch by {difference:.1e}; not used")
    return difference


def largest_difference(model: Any, path: Path) -> float:
    """Return the largest difference between torch and onnxruntime over three lengths."""
    import onnxruntime as ort
    import torch

    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [wanted.name for wanted in session.get_inputs()]
    largest = 0.0
    for length in LENGTHS:
        ids = torch.arange(length).reshape(1, -1) * 7 % model.config.vocab_size
        given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        given["token_type_ids"] = torch.zeros_like(ids)
        with torch.no_grad():
            expected = model(**given).logits.numpy()
        got = session.run(None, {name: given[name].numpy() for name in names})[0]
        largest = max(largest, float(abs(expected - got).max()))
    return largest
