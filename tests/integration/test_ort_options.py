"""Sessions of onnxruntime open with explicit options and fail with a remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from steelyard.api import Label, SessionSpec
from steelyard.backends.ort import OnnxRuntime
from steelyard.errors import WorkerError

pytest.importorskip("onnxruntime")
from steelyard.backends.ort import options as ort_options


def spec(threads: int = 1, session: str = "linear", **options: Any) -> SessionSpec:
    return SessionSpec(
        artifact="none",
        session=session,
        threads=threads,
        labels=(Label(id="a", words="a"),),
        options=options,
    )


def identity(opset: int = 17, ir_version: int = 9) -> bytes:
    helper = pytest.importorskip("onnx").helper
    value = [helper.make_tensor_value_info(name, 1, [1]) for name in ("x", "y")]
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "g", value[:1], value[1:])
    imports = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=ir_version)
    return bytes(model.SerializeToString())


def test_threads_are_explicit_and_spinning_is_off() -> None:
    options = ort_options.build(spec(threads=3))

    assert options.intra_op_num_threads == 3
    assert options.inter_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_spinning_can_be_asked_for() -> None:
    options = ort_options.build(spec(spinning=True))

    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "1"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spining": True}, "unknown spining for session 'linear'; known: .*spinning"),
        ({"spinning": "no"}, "spinning: expected bool, got str 'no'"),
        ({"graph_optimisation": "most"}, "'most' is none of disable, basic"),
        ({"providers": ["NoSuchProvider"]}, "NoSuchProvider not available; .*CPUExecutionProvider"),
        ({"providers": []}, "none given"),
    ],
)
def test_a_wrong_option_is_an_error_that_names_the_right_ones(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(WorkerError, match=message):
        ort_options.open_session(tmp_path / "m.onnx", spec(**options))


def test_no_threads_is_an_error() -> None:
    with pytest.raises(WorkerError, match="at least 1, got 0"):
        ort_options.build(spec(threads=0))


def test_a_folder_is_not_a_model(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="a folder, expected an ONNX file"):
        ort_options.open_session(tmp_path, spec())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"gone\.onnx: no such file; prepare"):
        ort_options.open_session(tmp_path / "gone.onnx", spec())


@pytest.mark.parametrize("content", [b"", b"PK not onnx", b"<html></html>"])
def test_a_file_of_another_kind_is_not_an_onnx_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(content)

    with pytest.raises(WorkerError, match="not an ONNX file; prepare the artefact again"):
        ort_options.open_session(tmp_path / "m.onnx", spec())


@pytest.mark.parametrize("version", [{"opset": 99}, {"ir_version": 60}])
def test_a_model_newer_than_the_runtime_says_so(tmp_path: Path, version: dict[str, int]) -> None:
    (tmp_path / "m.onnx").write_bytes(identity(**version))

    with pytest.raises(WorkerError, match="newer than this onnxruntime"):
        ort_options.open_session(tmp_path / "m.onnx", spec())


def test_an_unknown_session_is_refused_with_the_known_ones() -> None:
    reason = OnnxRuntime().refuse(spec(session="diffusion"))

    assert reason is not None
    assert "no session 'diffusion'; it has: linear, " in reason
    assert {"encoder", "decoder"} <= set(reason.rpartition(": ")[2].split(", "))
