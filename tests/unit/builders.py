"""Small valid values: each function returns one, with what the test cares about changed."""

from __future__ import annotations

from typing import Any

from steelyard.record import SCHEMA, Cell, Host, Record
from steelyard.store import RunHeader


def cell(**changes: Any) -> Cell:
    facts: dict[str, Any] = {"task": "spam", "model": "tiny", "variant": "int8", "device": "cpu-1t"}
    return Cell(**{**facts, **changes})


def host() -> Host:
    return Host(
        machine="x86_64",
        cpu="Testium 9000",
        cores=2,
        memory_bytes=8 << 30,
        system="Linux 6",
        python="3.11.7",
    )


def record(**changes: Any) -> Record:
    facts: dict[str, Any] = {
        "cell": cell(),
        "outcome": "ok",
        "started": "2026-11-22T12:00:00+00:00",
        "seconds": 1.5,
        "task_sha256": "a" * 64,
        "model_sha256": "b" * 64,
        "role": "specialist",
        "precision": "int8",
        "backend": "null",
        "threads": 1,
        "metric": "accuracy",
    }
    return Record(**{**facts, **changes})


def header(**changes: Any) -> RunHeader:
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "run": "20261122T120000Z-toy",
        "suite": "toy",
        "started": "2026-11-22T12:00:00+00:00",
        "tool_version": "0.1.0",
        "plan_sha256": "c" * 64,
        "host": host(),
    }
    return RunHeader(**{**facts, **changes})


TASK_CARD = """
schema = 1
id = "toy"
version = 1
title = "Sort toys"
domain = "back-office"
modality = "text"
metric = "accuracy"
licence = "CC0-1.0"
contamination = "Made for this test."
expectation = "open"
expectation_reason = "A toy."

[reader]
name = "delimited"

[scorer]
name = "classification"

[split]
kind = "official"

[[labels]]
id = "a"
words = "apple"

[[labels]]
id = "b"
words = "pear"

[[files]]
name = "toys.csv"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
licence = "CC0-1.0"
sources = [{ kind = "file", path = "toys.csv" }]

[prompt]
max_chars = 100
paraphrases = [
  "Pick one of: {labels}.\\n\\nText: {text}\\nFruit:",
  "Which of {labels} is it?\\n\\n{text}\\nAnswer:",
]
"""

MODEL_CARD = """
schema = 1
id = "tiny"
role = "specialist"
title = "A tiny model"
tasks = ["*"]
licence = "Apache-2.0"

[[variants]]
id = "fp32"
backend = "null"
session = "constant"
precision = "fp32"
recipe = "majority"

[[variants]]
id = "int8"
backend = "null"
session = "constant"
precision = "int8"
recipe = "majority"
parent = "fp32"
"""
