"""A worker loads no training library: what a board lacks, it must not need."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("onnxruntime")

HEAVY = (
    "sklearn",
    "scipy",
    "torch",
    "transformers",
    "optimum",
    "onnx",
    "pandas",
    "huggingface_hub",
)
SCRIPT = """
import sys
from importlib import import_module
for name in sys.argv[1].split(","):
    import_module(name)
print(",".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded_after(*modules: str) -> set[str]:
    command = [sys.executable, "-c", SCRIPT, ",".join(modules)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(run.stdout.strip().split(","))


@pytest.mark.parametrize("kind", ["linear", "encoder"])
def test_opening_a_session_kind_loads_no_training_library(kind: str) -> None:
    loaded = loaded_after("steelyard.backends.ort", f"steelyard.backends.ort.{kind}")

    assert not loaded & set(HEAVY)


def test_the_other_backends_load_no_training_library() -> None:
    loaded = loaded_after("steelyard.backends.null", "steelyard.backends.fasttext")

    assert not loaded & {*HEAVY, "onnxruntime", "fasttext", "numpy"}


def test_the_recipes_modules_are_cheap_to_import() -> None:
    names = ("majority", "tfidf_linear", "encoder", "linear_head", "copy")
    loaded = loaded_after(*(f"steelyard.recipes.{name}" for name in names))

    assert not loaded & {*HEAVY, "onnxruntime", "tokenizers", "numpy"}


def test_the_backend_is_cheap_until_it_is_asked() -> None:
    assert not loaded_after("steelyard.backends.ort") & {"onnxruntime", "tokenizers", "numpy"}
