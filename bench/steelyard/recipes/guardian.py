"""Turn SecureVector Guardian's JSON (n-grams, idf, coefficients) into a linear artefact.

Nothing of the package is run. Its TF-IDF is scikit-learn's, as that of `tfidf-linear` is, so that
the session `linear` opens it; its eight classes become two, an attack or not, inside the graph.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from steelyard.api import BuildReport, BuildRequest
from steelyard.errors import PrepareError
from steelyard.recipes import options
from steelyard.recipes.tfidf_export import IR_VERSION, OPSET

KNOWN = ("attack", "benign", "file")


class Block(Struct, frozen=True, kw_only=True):
    """One family of n-grams: term -> column within the family."""

    vocab: dict[str, int]
    idf: list[float]
    ngram_range: tuple[int, int]
    sublinear_tf: bool


class Bundle(Struct, frozen=True, kw_only=True):
    """What the file holds. `coef` is [classes][word features, then character features]."""

    classes: list[str]
    benign: str
    threshold: float
    word: Block
    char: Block
    coef: list[list[float]]
    intercept: list[float]


class Guardian:
    """Writes `linear.json`, `vocabulary-*.json`, `idf-*.npy` and `linear.onnx`."""

    version = 1
    trains = False
    tools: tuple[str, ...] = ("numpy", "onnx")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, option or file is wrong, or return None."""
        name = options.read(request.options, "file", "guardian.runtime.json.gz")
        if name not in request.files:
            return f"options.file: the card has no file {name!r}"
        return options.missing(("onnx",)) or options.unknown(request.options, KNOWN)

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write the artefact; raise PrepareError for a file of another shape."""
        name = options.read(request.options, "file", "guardian.runtime.json.gz")
        bundle = _read(request.files[name])
        labels = [
            options.read(request.options, "attack", "attack"),
            options.read(request.options, "benign", "benign"),
        ]
        _tables(bundle, labels, out)
        (out / "linear.onnx").write_bytes(_graph(bundle))
        size = sum(map(len, bundle.coef)) + len(bundle.intercept)
        return BuildReport(
            parameters=size,
            notes=(f"an attack from a probability of {bundle.threshold:g} on, its publisher's",),
        )


def _read(path: Path) -> Bundle:
    try:
        bundle = msgspec.json.decode(gzip.decompress(path.read_bytes()), type=Bundle)
    except (msgspec.MsgspecError, OSError, EOFError, zlib.error) as error:
        raise PrepareError(f"{path.name}: no bundle of Guardian: {error}") from error
    width = len(bundle.word.vocab) + len(bundle.char.vocab)
    blocks = (bundle.word, bundle.char)
    shaped = (
        len(bundle.coef) == len(bundle.intercept) == len(bundle.classes)
        and all(len(row) == width for row in bundle.coef)
        and all(
            len(block.idf) == len(block.vocab)
            and sorted(block.vocab.values()) == list(range(len(block.vocab)))
            for block in blocks
        )
    )
    if not shaped or bundle.benign not in bundle.classes or not 0 < bundle.threshold < 1:
        raise PrepareError(f"{path.name}: its tables do not fit together")
    return bundle


def _tables(bundle: Bundle, labels: list[str], out: Path) -> None:
    import numpy as np

    families = []
    for number, (analyser, block) in enumerate([("word", bundle.word), ("char_wb", bundle.char)]):
        vocabulary = sorted(block.vocab, key=block.vocab.__getitem__)
        (out / f"vocabulary-{number}.json").write_bytes(msgspec.json.encode(vocabulary))
        np.save(out / f"idf-{number}.npy", np.array(block.idf, np.float32), allow_pickle=False)
        families.append(
            {
                "analyser": analyser,
                "shortest": block.ngram_range[0],
                "longest": block.ngram_range[1],
                "sublinear": block.sublinear_tf,
                "vocabulary": f"vocabulary-{number}.json",
                "idf": f"idf-{number}.npy",
            }
        )
    facts = {"labels": labels, "families": families}
    (out / "linear.json").write_bytes(msgspec.json.encode(facts, order="sorted"))


def _graph(bundle: Bundle) -> bytes:
    """Return ids int64[n], weights float32[n] -> scores float32[2] of attack and benign.

    The score of an attack is logit(1 - P(benign)) less logit(threshold), that of benign its
    opposite: an attack is the higher one where 1 - P(benign) is above the threshold. By softmax,
    logit(1 - P(benign)) is the logarithm of the sum of the others' exponentials less benign's.
    """
    import numpy as np
    from onnx import TensorProto, checker, helper, numpy_helper

    benign = bundle.classes.index(bundle.benign)
    rows = np.array(bundle.coef, np.float64)
    offsets = np.array(bundle.intercept, np.float64)
    others = [row for row in range(len(rows)) if row != benign]
    logit = math.log(bundle.threshold / (1 - bundle.threshold))
    constants: dict[str, Any] = {
        # Less benign's, each of the others is a log-odds against it.
        "coefficients": (rows[others] - rows[benign]).T.astype(np.float32),
        "intercept": (offsets[others] - offsets[benign] - logit).astype(np.float32),
        "both": np.array([1, -1], np.float32),
    }
    nodes = [
        helper.make_node("Gather", ["coefficients", "ids"], ["rows"], axis=0),
        helper.make_node("MatMul", ["weights", "rows"], ["sums"]),
        helper.make_node("Add", ["sums", "intercept"], ["odds"]),
        helper.make_node("ReduceLogSumExp", ["odds"], ["attack"], axes=[0], keepdims=1),
        helper.make_node("Mul", ["attack", "both"], ["scores"]),
    ]
    inputs = [
        helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"]),
        helper.make_tensor_value_info("weights", TensorProto.FLOAT, ["n"]),
    ]
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [2])
    initialisers = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "guardian", inputs, [scores], initialisers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="steelyard",
    )
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
