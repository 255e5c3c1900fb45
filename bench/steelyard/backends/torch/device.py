"""The device that torch computes on: believed only after a small kernel gave the right result."""

from __future__ import annotations

from typing import Any

import torch
from msgspec import Struct

from steelyard.api import SessionSpec
from steelyard.errors import Refusal, WorkerError

FORMATS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
SIDE = 64
COMMON = ("precision",)


class Place(Struct, frozen=True, kw_only=True):
    """Where and in which number format a model runs; `facts` say both with their versions."""

    device: Any
    dtype: Any
    facts: tuple[str, ...]


def place(spec: SessionSpec, own: tuple[str, ...] = ()) -> Place:
    """Return where `spec` runs; never another device than the plan's.

    Raises Refusal where that device does not compute, WorkerError for an option that cannot be
    meant; `own` are the options that the session kind adds.
    """
    _check_names(spec, own)
    name = spec.options.get("precision", "fp32")
    if not isinstance(name, str) or name not in FORMATS:
        raise WorkerError(f"session_options.precision: {name!r} is none of {', '.join(FORMATS)}")
    torch.set_num_threads(max(spec.threads, 1))
    device = _cuda(name) if spec.device == "cuda" else torch.device("cpu")
    fault = smoke(device, FORMATS[name])
    if fault is not None:
        raise Refusal(fault)
    return Place(device=device, dtype=FORMATS[name], facts=_facts(device, name))


def smoke(device: Any, dtype: Any) -> str | None:
    """Multiply two small matrices of whole numbers on a device; say what is wrong, or return None.

    The products are below 256, which all formats hold exactly: any other result is a fault.
    """
    left = torch.arange(SIDE * SIDE).reshape(SIDE, SIDE) % 3 - 1
    right = torch.arange(SIDE * SIDE).reshape(SIDE, SIDE).T % 5 - 2
    try:
        product = left.to(device, dtype) @ right.to(device, dtype)
        got = product.cpu().to(torch.int64)
    except RuntimeError as error:  # torch says all of a driver's faults so
        return f"{device} does not compute: {_line(error)}; {_built_for()}"
    if not torch.equal(got, left @ right):
        return f"{device} computes a wrong product of two small matrices: do not believe it"
    return None


def option(spec: SessionSpec, name: str, default: int) -> int:
    """Return a session option that is a positive count; raise WorkerError for anything else."""
    value = spec.options.get(name, default)
    if type(value) is not int or value < 1:
        raise WorkerError(
            f"session_options.{name}: expected a count of at least 1, got {value!r}; "
            "change it in the model's card"
        )
    return value


def _cuda(precision: str) -> Any:
    if torch.version.cuda is None:
        raise Refusal(
            f"torch {torch.__version__} is built without CUDA\n"
            "try: pip install torch from PyTorch's index for your CUDA version (pytorch.org)"
        )
    if not torch.cuda.is_available():
        raise Refusal(
            f"torch {torch.__version__} sees no GPU; nvidia-smi tells whether the driver works, "
            "and CUDA_VISIBLE_DEVICES may hide it"
        )
    if precision == "bf16" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise Refusal(
            f"{torch.cuda.get_device_name()} has no bf16; use the variant fp16 or fp32 instead"
        )
    return torch.device("cuda", torch.cuda.current_device())


def _facts(device: Any, precision: str) -> tuple[str, ...]:
    if device.type != "cuda":
        threads = torch.get_num_threads()
        return (f"torch {torch.__version__}: {device.type}, {precision}, {threads} threads",)
    major, minor = torch.cuda.get_device_capability(device)
    capability = f"compute capability {major}.{minor}, CUDA {torch.version.cuda}"
    return (
        f"torch {torch.__version__}: {device}, {precision}",
        f"{torch.cuda.get_device_name(device)}, {capability}",
    )


def _built_for() -> str:
    built = ", ".join(torch.cuda.get_arch_list()) or "no GPU"
    return f"torch {torch.__version__} is built for {built}"


def _check_names(spec: SessionSpec, own: tuple[str, ...]) -> None:
    known = sorted({*COMMON, *own})
    unknown = sorted(set(spec.options) - set(known))
    if unknown:
        raise WorkerError(
            f"session_options: unknown {', '.join(unknown)} for session {spec.session!r}; "
            f"known: {', '.join(known)}"
        )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
