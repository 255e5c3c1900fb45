"""Session options and sessions of onnxruntime, with errors a user can act on."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

import onnxruntime as ort
from onnxruntime.capi import (
    onnxruntime_pybind11_state as ort_errors,  # pyright: ignore[reportAttributeAccessIssue]
)

from steelyard.api import SessionSpec
from steelyard.backends.ort.providers import CPU, believed, chosen, runs_on
from steelyard.card import Option
from steelyard.errors import WorkerError

__all__ = ["build", "open_session", "option", "runs_on"]

LEVELS = {
    "disable": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
COMMON = ("graph_optimisation", "memory_arena", "providers", "spinning")
ERRORS_ONLY = 3

T = TypeVar("T")


def option(spec: SessionSpec, name: str, default: T) -> T:
    """Return the session option `name`, of the type of `default`."""
    value: Option | T = spec.options.get(name, default)
    if type(value) is not type(default):
        raise WorkerError(
            f"session_options.{name}: expected {type(default).__name__}, "
            f"got {type(value).__name__} {value!r}; change it in the model's card"
        )
    return value


def build(spec: SessionSpec, own: Collection[str] = ()) -> ort.SessionOptions:
    """Return onnxruntime's options for `spec`; `own` are the options that the session kind adds.

    Threads are always explicit: 0 would take every core of the machine whatever the affinity.
    Spinning is off by default: an idle spinning session doubles the latency of its neighbour.
    """
    _check_names(spec, own)
    options = ort.SessionOptions()
    options.intra_op_num_threads = _threads(spec)
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = _level(spec)
    options.enable_cpu_mem_arena = option(spec, "memory_arena", default=True)
    options.log_severity_level = ERRORS_ONLY
    spinning = "1" if option(spec, "spinning", default=False) else "0"
    options.add_session_config_entry("session.intra_op.allow_spinning", spinning)
    options.add_session_config_entry("session.inter_op.allow_spinning", spinning)
    return options


def open_session(path: Path, spec: SessionSpec, own: Collection[str] = ()) -> ort.InferenceSession:
    """Open the ONNX file at `path`; raise WorkerError saying where, what and what to do."""
    options, providers = build(spec, own), chosen(spec)
    _check_file(path)
    believed(providers)
    try:
        session = ort.InferenceSession(str(path), options, providers=providers)
    except ort_errors.InvalidProtobuf as error:
        raise WorkerError(f"{path}: not an ONNX file; prepare the artefact again") from error
    except (
        ort_errors.Fail,
        ort_errors.InvalidArgument,
        ort_errors.InvalidGraph,
        ort_errors.NotImplemented,
        ort_errors.RuntimeException,
    ) as error:
        raise WorkerError(f"{path}: {_explain(str(error))}") from error
    _check_provider(session, providers)
    return session


def _check_names(spec: SessionSpec, own: Collection[str]) -> None:
    known = sorted({*COMMON, *own})
    unknown = sorted(set(spec.options) - set(known))
    if unknown:
        raise WorkerError(
            f"session_options: unknown {', '.join(unknown)} for session {spec.session!r}; "
            f"known: {', '.join(known)}"
        )


def _threads(spec: SessionSpec) -> int:
    if spec.threads < 1:
        raise WorkerError(f"threads: expected at least 1, got {spec.threads}; change the device")
    return spec.threads


def _level(spec: SessionSpec) -> ort.GraphOptimizationLevel:
    name = option(spec, "graph_optimisation", "all")
    if name not in LEVELS:
        raise WorkerError(
            f"session_options.graph_optimisation: {name!r} is none of {', '.join(LEVELS)}"
        )
    return LEVELS[name]


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise WorkerError(f"{path}: a folder, expected an ONNX file; name the file in it")
    if not path.is_file():
        raise WorkerError(f"{path}: no such file; prepare the artefact again")


def _check_provider(session: ort.InferenceSession, wanted: list[str]) -> None:
    """Refuse the silent fall-back to the CPU of a provider whose libraries do not load."""
    got = session.get_providers()
    if wanted[0] not in got:
        raise WorkerError(
            f"session_options.providers: {wanted[0]} did not start, onnxruntime fell back to "
            f"{', '.join(got)}; install the provider's libraries or name {CPU}"
        )


def _explain(message: str) -> str:
    lowered = message.lower()
    # The second is what onnxruntime 1.23 says of an empty file.
    if "no graph was found in the protobuf" in lowered or "does not have a graph" in lowered:
        return "not an ONNX file; prepare the artefact again"
    if "opset" in lowered or "ir version" in lowered or "ir_version" in lowered:
        return (
            f"newer than this onnxruntime {ort.__version__} can read; upgrade onnxruntime or "
            f"export with a lower opset ({message})"
        )
    return f"onnxruntime {ort.__version__} cannot load it; prepare it again ({message})"
