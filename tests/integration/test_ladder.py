"""The precisions of an encoder and of a decoder: each stays near full precision and costs less."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration import tiny_encoder
from tests.integration.tiny_gguf import PROMPT, TEXTS, WORDS, write_gguf

from steelyard.api import BuildRequest, Label, SessionSpec
from steelyard.backends.ort import OnnxRuntime
from steelyard.recipes.decoder import GgufDecoder
from steelyard.recipes.encoder import EncoderOnnx

NEEDED = ("torch", "optimum", "transformers", "accelerate", "gguf", "onnxruntime", "onnx_ir")
for needed in NEEDED:
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"needs {needed}", allow_module_level=True)

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # of torch and optimum

LOWERED = ("fp16", "int8-static", "int4")


def lowered(
    files: dict[str, Path], base: Path | None, out: Path, **options: Any
) -> tuple[str, ...]:
    request = BuildRequest(files=files, options=options, threads=1, base=base)
    assert EncoderOnnx().refuse(request) is None
    out.mkdir()
    return EncoderOnnx().build(request, out).notes


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("encoders")
    (root / "files").mkdir()
    files = tiny_encoder.make(root / "files")
    lowered(files, None, root / "fp32", precision="fp32", max_length=200, dimensions=32)
    for precision in LOWERED:
        lowered({}, root / "fp32", root / precision, precision=precision, block_size=16)
    return root


def vector(folder: Path, text: str) -> Any:
    from steelyard.backends.ort.encoder import open_embedder

    opened = open_embedder(
        SessionSpec(artifact=str(folder), session="encoder", threads=1, labels=(), options={})
    )
    return opened.embed(opened.encode(text))


@pytest.mark.parametrize(
    ("precision", "least"), [("fp16", 0.99999), ("int8-static", 0.97), ("int4", 0.9)]
)
def test_vectors_point_where_full_precision_points(
    encoders: Path, precision: str, least: float
) -> None:
    for text in ("crude barrel", "the vessel a cargo wheat " * 20):
        cosine = vector(encoders / precision, text) @ vector(encoders / "fp32", text)

        assert cosine > least


def test_no_two_precisions_are_the_same_numbers(encoders: Path) -> None:
    vectors = [vector(encoders / name, "crude barrel opec") for name in ("fp32", *LOWERED)]

    for place, one in enumerate(vectors):
        for other in vectors[place + 1 :]:
            assert np.abs(one - other).max() > 1e-7


def operators(folder: Path) -> set[str]:
    import onnx

    return {node.op_type for node in onnx.load(str(folder / "encoder.onnx")).graph.node}


def test_each_precision_has_its_own_operators(encoders: Path) -> None:
    assert "MatMulNBits" in operators(encoders / "int4")
    assert "QuantizeLinear" in operators(encoders / "int8-static")
    assert "DynamicQuantizeLinear" not in operators(encoders / "int8-static")
    assert operators(encoders / "fp16") - {"Cast"} == operators(encoders / "fp32") - {"Cast"}


def test_half_precision_is_half_the_weights(encoders: Path) -> None:
    import onnx

    def floats(name: str, kind: int) -> int:
        graph = onnx.load(str(encoders / name / "encoder.onnx")).graph
        return sum(len(t.raw_data) for t in graph.initializer if t.data_type == kind)

    whole = floats("fp32", onnx.TensorProto.FLOAT)

    assert floats("fp16", onnx.TensorProto.FLOAT16) == whole // 2
    assert floats("fp16", onnx.TensorProto.FLOAT) == 0


@pytest.mark.parametrize("precision", LOWERED)
def test_lowering_twice_gives_the_same_bytes(
    encoders: Path, tmp_path: Path, precision: str
) -> None:
    lowered({}, encoders / "fp32", tmp_path / "again", precision=precision, block_size=16)

    for name in ("encoder.onnx", "encoder.json", "tokenizer.json"):
        ours, theirs = (folder / name for folder in (tmp_path / "again", encoders / precision))
        assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("precision", LOWERED)
def test_a_lower_precision_without_a_base_is_refused(precision: str) -> None:
    request = BuildRequest(files={}, options={"precision": precision}, threads=1)

    assert "name the fp32 stage as `base`" in str(EncoderOnnx().refuse(request))


def test_a_block_of_an_odd_size_is_refused(tmp_path: Path) -> None:
    options: dict[str, Any] = {"precision": "int4", "block_size": 33}
    request = BuildRequest(files={}, options=options, threads=1, base=tmp_path)

    assert "block_size" in str(EncoderOnnx().refuse(request))


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def decoders(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp(request.param)
    write_gguf(request.param, root / "tiny.gguf")
    for precision in ("fp32", "fp16", "int4-mixed"):
        asked = BuildRequest(
            files={"tiny.gguf": root / "tiny.gguf"}, options={"precision": precision}, threads=1
        )
        assert GgufDecoder().refuse(asked) is None
        (root / precision).mkdir()
        GgufDecoder().build(asked, root / precision)
    return root


def scores(folder: Path, text: str) -> Any:
    spec = SessionSpec(
        artifact=str(folder),
        session="decoder",
        threads=1,
        labels=tuple(Label(id=word, words=word) for word in WORDS),
        options={},
        prompt=PROMPT,
    )
    opened: Any = OnnxRuntime().open(spec)
    found = opened.label_log_likelihoods(text)
    opened.close()
    return found


@pytest.mark.parametrize(("precision", "tolerance"), [("fp16", 0.01), ("int4-mixed", 0.15)])
def test_a_decoders_scores_stay_near_full_precision(
    decoders: Path, precision: str, tolerance: float
) -> None:
    for text in TEXTS:
        whole = scores(decoders / "fp32", text)

        np.testing.assert_allclose(scores(decoders / precision, text), whole, rtol=tolerance)


def test_a_decoders_halves_are_cast_when_they_are_loaded(decoders: Path) -> None:
    whole, half = (decoders / name / "model.onnx.data" for name in ("fp32", "fp16"))

    # Norms and biases stay in fp32, and tensors begin at multiples of 4,096 bytes.
    assert half.stat().st_size < 0.75 * whole.stat().st_size
    assert scores(decoders / "fp16", TEXTS[1]) != scores(decoders / "fp32", TEXTS[1])
