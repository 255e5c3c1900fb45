"""How a GGUF file is opened: a session's options, checked, and llama.cpp's own words on a fault."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Collection
from typing import Any, TypeVar

import llama_cpp
from msgspec import Struct

from steelyard.api import SessionSpec
from steelyard.card import Option
from steelyard.errors import WorkerError

COMMON = ("cache", "context", "flash_attention")
TYPES = {"fp16": llama_cpp.GGML_TYPE_F16, "fp32": llama_cpp.GGML_TYPE_F32}
# llama_flash_attn_type; llama.cpp's own choice is -1, and not the same for every model.
FLASH = {False: 0, True: 1}
ERROR, CONTINUED = 4, 5

T = TypeVar("T")

_last: deque[str] = deque(maxlen=8)


class Settings(Struct, frozen=True, kw_only=True):
    """`context` is how many tokens are held at once, `cache` in which format."""

    threads: int
    context: int
    cache: str
    flash_attention: bool


def settings(spec: SessionSpec, own: Collection[str] = ()) -> Settings:
    """Return how `spec` is opened; raise WorkerError for what cannot be meant.

    `own` are the options that the session kind adds.
    """
    known = sorted({*COMMON, *own})
    unknown = sorted(set(spec.options) - set(known))
    if unknown:
        raise WorkerError(
            f"session_options: unknown {', '.join(unknown)} for session {spec.session!r}; "
            f"known: {', '.join(known)}"
        )
    if spec.threads < 1:
        raise WorkerError(f"threads: expected at least 1, got {spec.threads}; change the device")
    cache = option(spec, "cache", "fp16")
    if cache not in TYPES:
        raise WorkerError(f"session_options.cache: {cache!r} is none of {', '.join(TYPES)}")
    return Settings(
        threads=spec.threads,
        context=count(spec, "context", 4096),
        cache=cache,
        flash_attention=option(spec, "flash_attention", default=True),
    )


def option(spec: SessionSpec, name: str, default: T) -> T:
    """Return the session option `name`, of the type of `default`."""
    value: Option | T = spec.options.get(name, default)
    if type(value) is not type(default):
        raise WorkerError(
            f"session_options.{name}: expected {type(default).__name__}, "
            f"got {type(value).__name__} {value!r}; change it in the model's card"
        )
    return value


def count(spec: SessionSpec, name: str, default: int) -> int:
    """Return a session option that is a count of at least 1."""
    value = option(spec, name, default)
    if value < 1:
        raise WorkerError(
            f"session_options.{name}: expected a count of at least 1, got {value}; "
            "change it in the model's card"
        )
    return value


def listen() -> None:
    """Keep llama.cpp's errors for `heard`, and let it tell nothing else."""
    llama_cpp.llama_log_set(_callback, ctypes.c_void_p(None))


def heard() -> str:
    """Return what llama.cpp last complained of, in one line."""
    return " ".join(" ".join(_last).split())[:300] or "llama.cpp does not say why"


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # llama.cpp is not checked
def _callback(level: int, text: bytes, _: Any) -> None:
    if level in {ERROR, CONTINUED}:
        _last.append(text.decode(errors="replace"))
