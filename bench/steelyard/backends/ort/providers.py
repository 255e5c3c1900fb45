"""Which of onnxruntime's execution providers a session runs on; an accelerator is tried first."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import onnxruntime as ort

from steelyard.api import SessionSpec
from steelyard.errors import Refusal, WorkerError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
ON_GPU = (CUDA, TENSORRT)
# An ONNX model of one node, c = MatMul(a, b) of 8 x 8 floats, opset 13: nothing to install for it.
SMOKE = base64.b64decode(
    "CAcSADpVChEKAWEKAWISAWMiBk1hdE11bBIBZ1oTCgFhEg4KDAgBEggKAggICgIICFoTCgFiEg4KDAgBEggKAggI"
    "CgIICGITCgFjEg4KDAgBEggKAggICgIICEIECgAQDQ=="
)


def chosen(spec: SessionSpec) -> list[str]:
    """Return the providers to ask for, in order: the card's, else those of the plan's device.

    Raises WorkerError for a provider that this onnxruntime lacks or that is not of the device,
    Refusal where the device is a GPU and this onnxruntime has nothing for it.
    """
    named = spec.options.get("providers", [CUDA, CPU] if spec.device == "cuda" else [CPU])
    if not isinstance(named, list):
        raise WorkerError(
            f"session_options.providers: expected list, got {type(named).__name__} {named!r}; "
            "change it in the model's card"
        )
    _check_device(named, spec.device)
    available = ort.get_available_providers()
    missing = [name for name in named if name not in available]
    if spec.device == "cuda" and missing:
        raise Refusal(
            f"onnxruntime {ort.__version__} here has no {missing[0]}, only {', '.join(available)}\n"
            "try: pip uninstall onnxruntime; pip install 'steelyard[gpu]'"
        )
    if missing or not named:
        raise WorkerError(
            f"session_options.providers: {', '.join(missing) or 'none given'} not available; "
            f"this onnxruntime {ort.__version__} has: {', '.join(available)}"
        )
    return named


def believed(providers: Sequence[str]) -> None:
    """Run a small kernel on the first provider if it is a GPU's; raise Refusal where it fails.

    A GPU's wheel may hold no code for the GPU at hand, and says so only when a kernel is run.
    """
    if providers and providers[0] in ON_GPU:
        fault = _smoke(providers[0])
        if fault is not None:
            raise Refusal(fault)


def runs_on(session: ort.InferenceSession) -> tuple[str, ...]:
    """Say what a session really runs on; single nodes may fall to the later ones."""
    return (f"onnxruntime {ort.__version__}: {', '.join(session.get_providers())}",)


def _check_device(named: Sequence[str], device: str) -> None:
    on_gpu = [name for name in named if name in ON_GPU]
    if on_gpu and device != "cuda":
        raise WorkerError(
            f"session_options.providers: {on_gpu[0]} is no provider of device {device!r}; "
            "put the cell on the device cuda"
        )
    if device == "cuda" and named[:1] != on_gpu[:1]:
        raise WorkerError(
            f"session_options.providers: {', '.join(named) or 'none given'}; on the device cuda "
            f"the first is one of {', '.join(ON_GPU)}"
        )


@lru_cache(maxsize=4)
def _smoke(provider: str) -> str | None:
    """Multiply two small matrices on a provider; say what went wrong, or return None."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    # Else the node would run on the CPU without a word.
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    left = np.arange(64, dtype=np.float32).reshape(8, 8) % 5
    try:
        session = ort.InferenceSession(SMOKE, options, providers=[provider])
        product = np.asarray(session.run(["c"], {"a": left, "b": left.T.copy()})[0])
        got = session.get_providers()
    except Exception as error:  # noqa: BLE001  # whatever its libraries raise, it does not run
        return f"{provider} does not run here: {' '.join(str(error).split())[:300]}"
    if provider not in got:
        return f"{provider} did not start, onnxruntime fell back to {', '.join(got)}"
    if not np.array_equal(product, left @ left.T):
        return f"{provider} computes a wrong product of two small matrices: do not believe it"
    return None
