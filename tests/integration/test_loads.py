"""Load shapes on real sessions: batches answer as single texts do, generation as no cache does."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.unit.virtual import job

from steelyard import stats
from steelyard.api import BatchSession, BuildRequest, GeneratorSession, Item, SessionSpec
from steelyard.backends.ort import OnnxRuntime
from steelyard.card import GenerateLoad, OfflineLoad, Option, PoissonLoad, SensorLoad, Timing
from steelyard.loads import (
    ColdStart,
    GenerateResult,
    OfflineResult,
    PoissonResult,
    SensorResult,
)
from steelyard.worker.cold import drop_pages, page_cache
from steelyard.worker.loads import measure, rigged

needs_export = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # of torch and optimum

BRIEF = Timing(warm_up_min_calls=1, warm_up_min_seconds=0, warm_up_max_seconds=0.05)


def lacking(*names: str) -> bool:
    return any(importlib.util.find_spec(name) is None for name in names)


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if lacking("sklearn", "onnx", "onnxruntime"):
        pytest.skip("needs the export extra")
    from tests.integration.test_tfidf_linear import build, open_session, task

    folder = tmp_path_factory.mktemp("linear")
    build(task(), folder)
    return open_session(task(), folder / "fold-0")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if lacking("torch", "optimum", "transformers", "onnxruntime", "tokenizers", "sklearn"):
        pytest.skip("needs the export extra")
    from tests.integration import tiny_encoder
    from tests.integration.test_encoder import spec, task

    from steelyard.recipes.encoder import EncoderOnnx
    from steelyard.recipes.linear_head import LinearHead

    root = tmp_path_factory.mktemp("encoder")
    (root / "files").mkdir()
    files = tiny_encoder.make(root / "files")
    stage: dict[str, Option] = {"max_length": 200, "dimensions": 32, "precision": "fp32"}
    for name in ("stage", "out"):
        (root / name).mkdir()
    EncoderOnnx().build(BuildRequest(files=files, options=stage, threads=1), root / "stage")
    request = BuildRequest(files={}, options={}, threads=1, base=root / "stage", training=task())
    LinearHead().build(request, root / "out")
    return OnnxRuntime().open(spec(root / "out" / "fold-0"))


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if lacking("torch", "transformers", "accelerate", "gguf", "onnx", "onnxruntime", "tokenizers"):
        pytest.skip("needs the export extra")
    from tests.integration.test_decoder import build, opened
    from tests.integration.tiny_gguf import write_gguf

    folder = tmp_path_factory.mktemp("decoder")
    write_gguf("llama", folder / "tiny.gguf")
    build(folder / "tiny.gguf", folder / "fp32", precision="fp32")
    return opened(folder / "fp32", 99)


def items(*texts: str) -> tuple[Item, ...]:
    return tuple(Item(id=f"i{n}", text=text, label="oil") for n, text in enumerate(texts))


TEXTS = ("crude opec", "", "wheat " * 150, "vessel in a port, cargo", "maize")

both = pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=needs_export) for kind in ("linear", "encoder")],
)


@both
def test_a_batch_answers_as_its_texts_do_alone(kind: str, request: pytest.FixtureRequest) -> None:
    session = request.getfixturevalue(kind)
    assert isinstance(session, BatchSession)

    together = session.decode_batch(session.infer_batch(session.encode_batch(TEXTS)))

    alone = [session.decode(session.infer(session.encode(text))) for text in TEXTS]
    assert [answer.label for answer in together] == [answer.label for answer in alone]
    for ours, theirs in zip(together, alone, strict=True):
        assert ours.scores == pytest.approx(theirs.scores, abs=1e-5)


@both
def test_a_session_takes_every_shape_it_can(kind: str, request: pytest.FixtureRequest) -> None:
    rig = rigged(request.getfixturevalue(kind), job(items(*TEXTS), 5, BRIEF))

    offline = measure(rig, OfflineLoad(batches=(1, 3), seconds=0.02, min_calls=2))
    poisson = measure(rig, PoissonLoad(rate_hz=100, seconds=0.2, deadline_s=1))
    sensor = measure(rig, SensorLoad(rate_hz=50, seconds=0.2, deadline_s=1))

    assert isinstance(offline, OfflineResult)
    assert isinstance(poisson, PoissonResult)
    assert isinstance(sensor, SensorResult)
    assert len(sensor.times.answers) == len(TEXTS)
    assert all(times.answers == sensor.times.answers for times in offline.batches)
    waited = stats.unpack(sensor.times.latency_ns)
    worked = stats.unpack(sensor.times.service_ns)
    assert len(waited) == 10 - sensor.times.unserved
    assert all(whole >= part > 0 for whole, part in zip(waited, worked, strict=True))


def recomputed(session: Any, text: str, count: int) -> list[int]:
    """Generate greedily by running everything anew for each token."""
    prompt = session._prefix._reader._prompt
    whole = prompt.prefix + text + prompt.suffix
    ids = session._prefix._reader._tokenizer.encode(whole, add_special_tokens=False).ids
    network, found = session._network, list[int]()
    while len(found) < count and session._end not in found:
        tokens = np.asarray([*ids, *found], dtype=np.int64)
        logits, _ = network.extend(network.empty(), tokens)
        found.append(int(logits[-1].argmax()))
    return found


@pytest.mark.export
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", ["", "crude rose", "wheat and maize, 12,000 tonnes"])
def test_generation_equals_a_full_recomputation_without_the_cache(decoder: Any, text: str) -> None:
    assert isinstance(decoder, GeneratorSession)

    written = list(decoder.generate(text, 12))

    assert written == recomputed(decoder, text, 12)
    assert len(set(written)) > 1


@pytest.mark.export
@pytest.mark.filterwarnings("ignore")
def test_generation_ends_with_the_turn(decoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    free = list(decoder.generate("crude rose", 12))
    monkeypatch.setattr(decoder, "_end", free[3])

    written = list(decoder.generate("crude rose", 12))

    assert written == free[: free.index(free[3]) + 1]


@pytest.mark.export
@pytest.mark.filterwarnings("ignore")
def test_a_decoder_tells_its_token_times_and_prompt_sizes(decoder: Any) -> None:
    rig = rigged(decoder, job(items("crude rose", "wheat"), 1, BRIEF))

    result = measure(rig, GenerateLoad(max_new_tokens=5, calls=3))

    assert isinstance(result, GenerateResult)
    assert len(result.generations) == 3
    texts = {item.id: item.text for item in rig.order}
    for each in result.generations:
        prompt = decoder._prefix._reader._prompt
        whole = prompt.prefix + texts[each.item] + prompt.suffix
        assert each.prompt_tokens == len(decoder._prefix._reader._tokenizer.encode(whole).ids)
        assert 0 < each.cached_tokens < each.prompt_tokens
        assert 1 <= len(each.token_ns) <= 5
        assert list(each.token_ns) == sorted(each.token_ns)


COLD = """
import sys, msgspec
from pathlib import Path
from steelyard.api import SessionSpec
from steelyard.backends.null import NullBackend
from steelyard.worker.clock import Clock
from steelyard.worker.cold import cold_start, process_began
spec = msgspec.json.decode(sys.argv[1], type=SessionSpec)
clock = Clock()
told, _ = process_began(Path("/proc/self/stat").read_text(), clock)
parents, label = cold_start(NullBackend(), spec, "text", int(sys.argv[2]), clock)
print(msgspec.json.encode([told, label, parents]).decode())
"""


def test_a_fresh_process_tells_its_phases(tmp_path: Path) -> None:
    from steelyard.api import Label

    (tmp_path / "answer.json").write_text('{"label":"a"}')
    spec = SessionSpec(
        artifact=str(tmp_path),
        session="constant",
        threads=1,
        labels=(Label(id="a", words="a"),),
        options={},
    )
    before = time.monotonic_ns()
    command = [sys.executable, "-c", COLD, msgspec.json.encode(spec).decode(), str(before)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    after = time.monotonic_ns()

    began, label, start = msgspec.json.decode(run.stdout, type=tuple[int, str, ColdStart])
    assert label == "a"
    assert 0 < start.imported_ns <= start.opened_ns <= start.answered_ns <= after - before
    # The kernel counts in ticks of 10 ms.
    assert before - 20_000_000 <= began <= before + start.imported_ns


def test_pages_that_were_read_are_resident_and_can_be_asked_to_go(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "model.onnx").write_bytes(bytes(range(256)) * 16 * 40)
    (tmp_path / "empty").write_bytes(b"")
    read = (tmp_path / "folder" / "model.onnx").read_bytes()

    warm = page_cache(tmp_path)
    dropped = drop_pages(tmp_path)

    assert (warm.method, dropped.method) == ("none", "posix_fadvise")
    assert warm.pages == dropped.pages == len(read) // 4096
    if warm.resident is not None and dropped.resident is not None:
        assert warm.resident == 40
        # A memory file system keeps them all, and the figure says so.
        assert dropped.resident in {0, 40}
