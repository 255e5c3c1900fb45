"""Put a trained artefact where its owner finds it, with ten lines that load and ask it."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
from msgspec import Struct

from steelyard.errors import PrepareError, StoreError
from steelyard.prepare.artifacts import KIND
from steelyard.prepare.cache import Cache
from steelyard.record import Record

FOLDER = "artifact"
EXAMPLE = "example.py"
_FEATURES = Path(__file__).with_name("features.py")

_LINEAR = """\
import json, sys
import onnxruntime
home = {home}
sys.path.insert(0, home)
from features import inputs, load
session = onnxruntime.InferenceSession(home + "/linear.onnx")
labels = json.load(open(home + "/linear.json", encoding="utf-8"))["labels"]
families = load(home)
scores = session.run(None, inputs(families, {text}))[0]
print(labels[scores.argmax()])
"""

_ENCODER = """\
import json, numpy, onnxruntime, tokenizers
home = {home}
session = onnxruntime.InferenceSession(home + "/encoder.onnx")
tokenizer = tokenizers.Tokenizer.from_file(home + "/tokenizer.json")
tokenizer.no_padding(), tokenizer.enable_truncation({length})
said = tokenizer.encode({text})
given = dict(input_ids=said.ids, attention_mask=said.attention_mask, token_type_ids=said.type_ids)
fed = {{i.name: numpy.array([given[i.name]]) for i in session.get_inputs()}}
vector = session.run([{output}], fed)[0][0]{pooled}
{normal}scores = vector @ numpy.load(home + "/weights.npy") + numpy.load(home + "/intercept.npy")
print(json.load(open(home + "/head.json", encoding="utf-8"))["labels"][scores.argmax()])
"""


class _Encoder(Struct, frozen=True):
    """What of `encoder.json` the lines need."""

    max_length: int
    pooling: str
    normalise: bool
    output: str


def export(record: Record, cache: Cache, folder: Path) -> Path:
    """Copy the artefact that was timed to `folder`, whole or not at all; return where it is.

    Of a task in folds that is the first fold's: trained on all rows but those that tested it.
    """
    source = _built(record, cache)
    home = folder / FOLDER
    fresh = folder / f".{FOLDER}.new"
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(source, fresh)
        if (fresh / "linear.json").is_file():
            shutil.copyfile(_FEATURES, fresh / _FEATURES.name)
        (fresh / EXAMPLE).write_text(lines(fresh, home), encoding="utf-8")
        shutil.rmtree(home, ignore_errors=True)
        fresh.rename(home)
    except OSError as error:
        raise StoreError(f"{home}: cannot be written: {error.strerror or error}") from error
    return home


def withdraw(folder: Path) -> bool:
    """Remove an artefact that an earlier call put into `folder`; tell whether there was one."""
    home = folder / FOLDER
    if not home.is_dir():
        return False
    try:
        shutil.rmtree(home)
    except OSError as error:
        raise StoreError(f"{home}: cannot be removed: {error.strerror or error}") from error
    return True


def lines(artifact: Path, home: Path, text: str = "a text of yours") -> str:
    """Return the Python lines that load the artefact once it is at `home`, and ask it one text."""
    place = repr(str(home.absolute()))
    if (artifact / "linear.json").is_file():
        return _LINEAR.format(home=place, text=repr(text))
    facts = msgspec.json.decode((artifact / "encoder.json").read_bytes(), type=_Encoder)
    return _ENCODER.format(
        home=place,
        text=repr(text),
        length=facts.max_length,
        output=repr(facts.output),
        pooled="[0]" if facts.pooling == "cls" else ".mean(axis=0)",
        normal="vector /= numpy.linalg.norm(vector)\n" if facts.normalise else "",
    )


def _built(record: Record, cache: Cache) -> Path:
    if record.artifact is None:
        raise PrepareError(f"{record.cell.id}: has no artefact")
    entry = cache.entry(KIND, record.artifact.recipe_sha256)
    if entry is None:
        raise PrepareError(
            f"{record.cell.id}: its artefact is gone from {cache.root}; run again to build it"
        )
    return entry / "fold-0"
