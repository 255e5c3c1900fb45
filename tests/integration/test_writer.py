"""A tiny random decoder writes forecasts: its prompt is chosen by the task's score, in workers."""

from __future__ import annotations

import hashlib
import importlib.util
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.tiny_gguf import write_gguf

from steelyard import catalog, plan
from steelyard.measure.cell import Result, measure_cell
from steelyard.measure.work import Bench
from steelyard.notation import parse_numbers
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent

for needed in ("torch", "transformers", "accelerate", "gguf", "onnx", "onnxruntime", "tokenizers"):
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"needs {needed}", allow_module_level=True)

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # of torch and transformers

TASK = """
schema = 1
id = "load"
version = 1
title = "Forecast"
domain = "physical"
modality = "series"
answers = "numbers"
metric = "mase"
higher_is_better = false
licence = "CC0-1.0"
contamination = "Made for this test."
expectation = "open"
expectation_reason = "A toy."

[prompt]
max_chars = 200
paraphrases = ["Hours: {text}\\nNext:", "Continue: {text}\\n"]

[[files]]
name = "load.csv"
sha256 = "@"
licence = "CC0-1.0"
sources = [{ kind = "file", path = "load.csv" }]

[reader]
name = "hourly"
options = { time = "ts", value = "y", history = 24, horizon = 3, tests = 2, stride = 6 }

[split]
kind = "official"

[scorer]
name = "forecast"
options = { scale = 10.0 }
"""

MODEL = """
schema = 1
id = "tiny"
role = "generalist"
title = "A tiny random decoder"
tasks = ["*"]
modalities = ["text", "series"]
licence = "Apache-2.0"
parameters = 1

[[files]]
name = "tiny.gguf"
sha256 = "@"
licence = "Apache-2.0"
sources = [{ kind = "file", path = "tiny.gguf" }]

[[variants]]
id = "int8"
backend = "onnxruntime"
session = "decoder"
precision = "int8"
recipe = "gguf-decoder"
options = { precision = "int8" }

[[variants]]
id = "int8-written"
backend = "onnxruntime"
session = "writer"
precision = "int8"
recipe = "gguf-decoder"
options = { precision = "int8" }
session_options = { max_new_tokens = 6 }
answers = ["spans", "numbers", "text"]

[[variants]]
id = "int8-written-1shot"
backend = "onnxruntime"
session = "writer"
precision = "int8"
recipe = "gguf-decoder"
options = { precision = "int8" }
session_options = { max_new_tokens = 6 }
answers = ["spans", "numbers", "text"]
shots = 1
"""

SUITE = """
schema = 1
name = "toy"
tasks = ["load"]

[timing]
min_calls = 2
max_calls = 4
min_seconds = 0.0
max_seconds = 0.5
warm_up_min_calls = 1
warm_up_min_seconds = 0.0
warm_up_max_seconds = 0.1
memory_calls = 2

[metering]
windows = 1
window_seconds = 0.2
idle_seconds = 0.1

[[entries]]
models = ["tiny"]
device = "cpu-1t"
prompt_items = 3
dependability = { items = 2 }
"""


def write(folder: Path) -> None:
    start = datetime(2020, 1, 1)  # noqa: DTZ001  # the file's own time
    rows = [f"{start + timedelta(hours=i)},{10 + i % 24}" for i in range(60)]
    task, model = folder / "cards/tasks/load", folder / "cards/models/tiny"
    task.mkdir(parents=True)
    model.mkdir(parents=True)
    (task / "load.csv").write_text("ts,y\n" + "\n".join(rows) + "\n")
    write_gguf("qwen2", model / "tiny.gguf")
    for text, file in ((TASK, task / "load.csv"), (MODEL, model / "tiny.gguf")):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        (file.parent / "card.toml").write_text(text.replace('"@"', f'"{digest}"'))
    (folder / "bench.toml").write_text(SUITE)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    folder = tmp_path_factory.mktemp("written")
    write(folder)
    planned = plan.cells(
        plan.load_suite(folder / "bench.toml"), catalog.load([folder / "cards"]), 1
    )
    bench = Bench(cache=Cache(folder / "cache"), progress=Silent())
    return {one.variant.id: measure_cell(one, bench) for one in planned}


def test_only_variants_that_write_are_asked_for_numbers(results: dict[str, Result]) -> None:
    assert list(results) == ["int8-written", "int8-written-1shot"]


def test_the_artefact_is_shared(results: dict[str, Result]) -> None:
    made = {r.record.artifact.sha256 for r in results.values() if r.record.artifact}

    assert len(made) == 1


@pytest.mark.parametrize("variant", ["int8-written", "int8-written-1shot"])
def test_the_prompt_was_chosen_by_the_task_s_own_score(
    results: dict[str, Result], variant: str
) -> None:
    record = results[variant].record

    assert record.reason is None or record.outcome == "invalid"
    choice = record.prompt
    assert choice is not None
    assert (choice.metric, choice.n, choice.normalisation) == ("mase", 3, None)
    assert [name for name, _ in choice.candidates] == [
        "paraphrase 1, written",
        "paraphrase 2, written",
    ]
    assert choice.accuracy == min(score for _, score in choice.candidates)


def test_what_a_random_model_writes_is_scored_and_its_unreadable_answers_are_told(
    results: dict[str, Result],
) -> None:
    result = results["int8-written"]
    empty = [p for p in result.predictions if not parse_numbers(p.answer)]

    assert len(result.predictions) == 2
    assert result.record.scores[0].metric == "mase"
    told = [line for line in result.record.warnings if "written answers are no numbers" in line]
    assert bool(told) == bool(empty)


def test_asking_again_gives_the_same_and_no_label_can_be_outside(
    results: dict[str, Result],
) -> None:
    again = results["int8-written"].record.dependability

    assert again is not None
    assert (again.n, again.repeats_differ, again.outside, again.label_scored) == (2, 0, 0, False)
    assert [one.paraphrase for one in again.reworded] != []
