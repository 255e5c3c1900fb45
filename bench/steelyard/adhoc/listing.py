"""Which files of a published model are used: weights that hold no code, and what describes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from steelyard.errors import Refusal

Form = Literal["safetensors", "onnx", "gguf"]

CONFIG, TOKENIZER = "config.json", "tokenizer.json"
OPTIONAL = ("tokenizer_config.json", "chat_template.jinja")
WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")
_SHARD = re.compile(r"model-(\d{5})-of-(\d{5})\.safetensors")
_ONNX = ("model.onnx", "onnx/model.onnx")


class Listed(Struct, frozen=True, kw_only=True):
    """A file of a repository or folder; `sha256` where the hub says it (of large files)."""

    path: str
    size_bytes: int | None = None
    sha256: str | None = None


class Choice(Struct, frozen=True, kw_only=True):
    """The files that are used: `weights`, and `described` by the others."""

    form: Form
    weights: tuple[Listed, ...]
    described: tuple[Listed, ...]


def choose(listed: Sequence[Listed], wanted: str | None, where: str) -> Choice:
    """Return the files to use; raise Refusal where none of its weights can be.

    `wanted` is the file a person named. Safetensors come before GGUF and ONNX.
    """
    by_path = {one.path: one for one in listed}
    form, weights = _named(by_path, wanted, where) if wanted else _found(by_path, where)
    described = _described(by_path, form, where)
    if form == "safetensors" and INDEX in by_path and len(weights) > 1:
        described = (*described, by_path[INDEX])
    return Choice(form=form, weights=weights, described=described)


def _named(by_path: dict[str, Listed], wanted: str, where: str) -> tuple[Form, tuple[Listed, ...]]:
    if wanted not in by_path:
        raise Refusal(f"{where}: has no file {wanted}")
    if wanted.endswith(".gguf"):
        return "gguf", (by_path[wanted],)
    if wanted.endswith(".onnx"):
        return "onnx", _with_data(by_path, wanted)
    if wanted != WHOLE:
        raise Refusal(f"{where}: safetensors are read from {WHOLE} or its numbered parts")
    return "safetensors", (by_path[wanted],)


def _found(by_path: dict[str, Listed], where: str) -> tuple[Form, tuple[Listed, ...]]:
    if WHOLE in by_path:
        return "safetensors", (by_path[WHOLE],)
    shards = sorted(path for path in by_path if _SHARD.fullmatch(path))
    if shards:
        return "safetensors", _complete(by_path, shards, where)
    ggufs = sorted(path for path in by_path if path.endswith(".gguf"))
    if ggufs:
        if len(ggufs) > 1:
            raise Refusal(
                f"{where}: has several GGUF files; name one with #FILE: {', '.join(ggufs[:8])}"
            )
        return "gguf", (by_path[ggufs[0]],)
    graph = next((path for path in _ONNX if path in by_path), None)
    if graph is not None:
        return "onnx", _with_data(by_path, graph)
    raise Refusal(f"{where}: {_nothing(by_path)}")


def _complete(by_path: dict[str, Listed], shards: Sequence[str], where: str) -> tuple[Listed, ...]:
    """Return numbered parts, all of them, with the index that says what is in which."""
    parts = {path.rpartition("-of-")[2] for path in shards}
    if len(parts) != 1 or len(shards) != int(shards[0].rpartition("-of-")[2][:5]):
        raise Refusal(f"{where}: not all numbered parts of its safetensors are there")
    if INDEX not in by_path:
        raise Refusal(f"{where}: has no {INDEX}")
    return tuple(by_path[path] for path in shards)


def _with_data(by_path: dict[str, Listed], graph: str) -> tuple[Listed, ...]:
    beside = (f"{graph}_data", f"{graph}.data")
    return (by_path[graph], *(by_path[path] for path in beside if path in by_path))


def _described(by_path: dict[str, Listed], form: Form, where: str) -> tuple[Listed, ...]:
    if form == "gguf":
        return ()
    absent = [name for name in (CONFIG, TOKENIZER) if name not in by_path]
    if absent:
        raise Refusal(f"{where}: has no {' and no '.join(absent)}, without which it is not read")
    return tuple(by_path[name] for name in (CONFIG, TOKENIZER, *OPTIONAL) if name in by_path)


def _nothing(by_path: dict[str, Listed]) -> str:
    pickled = sorted(path for path in by_path if path.endswith(PICKLED))
    if "adapter_config.json" in by_path:
        return "holds an adapter, not a model; merge it into its base model and save that"
    if pickled:
        return (
            f"has only weights that can run code when they are read ({pickled[0]}); "
            "use a repository with safetensors, GGUF or ONNX"
        )
    return "has no weights as safetensors, GGUF or ONNX"
