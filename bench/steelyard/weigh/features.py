"""Turn a text into what `linear.onnx` takes: Python and numpy only, for where steelyard is not.

Copied beside every exported linear artefact. N-grams and tf-idf weights are scikit-learn's.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

WORD = re.compile(r"\b\w\w+\b")


def load(folder: str) -> list[dict[str, Any]]:
    """Read the n-gram families of an artefact."""
    home = Path(folder)
    families = json.loads((home / "linear.json").read_text(encoding="utf-8"))["families"]
    for family in families:
        grams = json.loads((home / family["vocabulary"]).read_text(encoding="utf-8"))
        family["index"] = {gram: number for number, gram in enumerate(grams)}
        family["idf"] = np.load(home / family["idf"])
    return list(families)


def inputs(families: list[dict[str, Any]], text: str) -> dict[str, Any]:
    """Return the ids and weights of a text's known n-grams; one weight of 0 if it has none."""
    ids: list[Any] = []
    weights: list[Any] = []
    first = 0
    for family in families:
        index, lowered = family["index"], text.lower()
        grams = _words(lowered, family) if family["analyser"] == "word" else _chars(lowered, family)
        counts = Counter(index[gram] for gram in grams if gram in index)
        numbers = np.fromiter(counts.keys(), np.int64, len(counts))
        seen = np.fromiter(counts.values(), np.float32, len(counts))
        if family["sublinear"]:
            seen = 1 + np.log(seen)
        weighed = seen * family["idf"][numbers]
        norm = np.sqrt(weighed @ weighed)
        ids.append(numbers + first)
        weights.append(weighed / norm if norm > 0 else weighed)
        first += len(index)
    joined = np.concatenate(ids)
    if not joined.size:
        return {"ids": np.zeros(1, np.int64), "weights": np.zeros(1, np.float32)}
    return {"ids": joined, "weights": np.concatenate(weights).astype(np.float32)}


def _words(text: str, family: dict[str, Any]) -> list[str]:
    words = WORD.findall(text)
    sizes = range(family["shortest"], family["longest"] + 1)
    return [" ".join(words[i : i + n]) for n in sizes for i in range(len(words) - n + 1)]


def _chars(text: str, family: dict[str, Any]) -> list[str]:
    """Return n-grams within words, each word between two spaces."""
    grams = []
    for word in text.split():
        padded, sizes = f" {word} ", range(family["shortest"], family["longest"] + 1)
        if len(padded) < sizes[0]:
            grams.append(padded)
        grams += [padded[i : i + n] for n in sizes for i in range(len(padded) - n + 1)]
    return grams
