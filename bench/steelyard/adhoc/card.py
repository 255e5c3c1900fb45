"""The card that a published model would have, from its own config and its list of files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from steelyard import wording
from steelyard.adhoc.listing import Form
from steelyard.card import File, ModelCard, Options, Precision, TaskCard, Variant
from steelyard.catalog import Found
from steelyard.errors import Refusal

Kind = Literal["chat", "classifier"]

CHAT, CLASSIFIER = "ForCausalLM", "ForSequenceClassification"
# Of a file's name, since an ONNX graph does not say it in one place.
_QUANTISED = re.compile(r"int8|uint8|quantized|qint8|_q8", re.IGNORECASE)
_SHOWN = 8


class Model(Struct, frozen=True, kw_only=True):
    """All that a card is made of. `revision` is a commit, None for a folder."""

    name: str
    title: str
    licence: str
    form: Form
    files: tuple[File, ...]
    config: Mapping[str, Any]
    weights: str
    revision: str | None = None
    told_apart: str | None = None


def make(model: Model, tasks: Mapping[str, Found[TaskCard]], where: str) -> ModelCard:
    """Return the card; raise Refusal for a model that no task can be asked of."""
    kind: Kind = "chat" if model.form == "gguf" else kind_of(model.config, where)
    if kind == "chat" and model.form == "onnx":
        raise Refusal(
            f"{where}: chat models are not read from ONNX, whose decoders are of many shapes; "
            "use its safetensors or a GGUF"
        )
    served = ("*",) if kind == "chat" else _served(labels(model.config, where), tasks, where)
    return ModelCard(
        schema=1,
        id=identity(model),
        role="generalist" if kind == "chat" else "specialist",
        title=model.title,
        tasks=served,
        licence=model.licence,
        variants=_variants(kind, model),
        files=model.files,
    )


def kind_of(config: Mapping[str, Any], where: str) -> Kind:
    """Return what a model can be asked for; raise Refusal for code of its own and other kinds."""
    if "auto_map" in config:
        raise Refusal(
            f"{where}: config.json asks for code of its own (auto_map), which is never run"
        )
    architectures = [str(one) for one in config.get("architectures") or ()]
    if any(one.endswith(CHAT) for one in architectures):
        return "chat"
    if any(one.endswith(CLASSIFIER) for one in architectures):
        return "classifier"
    named = ", ".join(architectures) or "no architecture"
    raise Refusal(f"{where}: is {named}; what is run ends in {CHAT} or {CLASSIFIER}")


def labels(config: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """Return a classifier's own labels in the order of its outputs."""
    found = config.get("id2label")
    if not isinstance(found, dict) or len(found) < 2:
        raise Refusal(f"{where}: config.json names no labels (id2label)")
    return tuple(str(found[key]) for key in sorted(found, key=int))


def identity(model: Model) -> str:
    """Return an id that no other content has: the name, and what pins it."""
    pin = model.revision
    if pin is None:
        text = "".join(f"{file.name} {file.sha256}\n" for file in model.files)
        pin = hashlib.sha256(text.encode()).hexdigest()
    parts = [_plain(model.name)[:40], pin[:8]]
    if model.told_apart is not None:
        stem = model.told_apart.rpartition(".")[0]
        parts.append(hashlib.sha256(stem.encode()).hexdigest()[:6])
    return "-".join(part for part in parts if part)


def variant_for(card: ModelCard, device: str) -> str:
    """Return which variant a device runs where nobody says it."""
    ids = [variant.id for variant in card.variants]
    order = ("bf16", "onnx") if device.startswith("cuda") else ("int8", "fp32", "onnx")
    return next((name for name in order if name in ids), ids[0])


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._") or "model"


def _served(
    made: Sequence[str], tasks: Mapping[str, Found[TaskCard]], where: str
) -> tuple[str, ...]:
    """Return the tasks that have the very labels of a classifier; refuse one that fits none."""
    wanted = {
        task: [(label.id, label.words) for label in found.card.labels]
        for task, found in tasks.items()
    }
    served = tuple(task for task, pairs in wanted.items() if wording.match(made, pairs))
    if served:
        return served
    named = [f"{task} has {_list([name for name, _ in pairs])}" for task, pairs in wanted.items()]
    more = [f"and {len(named) - _SHOWN} tasks more"] if len(named) > _SHOWN else []
    others = "; ".join([*named[:_SHOWN], *more])
    raise Refusal(f"{where}: its labels are {_list(made)}, which no task has: {others}")


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _variants(kind: Kind, model: Model) -> tuple[Variant, ...]:
    if model.form == "gguf":
        return (
            Variant(
                id="int8", backend="onnxruntime", session="decoder", precision="int8",
                recipe="gguf-decoder", options={"precision": "int8"},
            ),
            Variant(
                id="bf16", backend="transformers", session="decoder", precision="bf16",
                recipe="gguf-torch", options={"precision": "bf16"},
                session_options={"precision": "bf16"},
            ),
        )  # fmt: skip
    made_by: Options = {"kind": kind}
    if model.form == "onnx":
        precision: Precision = "int8" if _QUANTISED.search(model.weights) else "fp32"
        return (
            Variant(
                id="onnx", backend="onnxruntime", session="classifier", precision=precision,
                recipe="published", options=made_by,
            ),
        )  # fmt: skip
    session = "decoder" if kind == "chat" else "classifier"
    return tuple(
        Variant(
            id=precision, backend="transformers", session=session, precision=precision,
            recipe="published", options=made_by, session_options={"precision": precision},
            parent=None if precision == "fp32" else "fp32",
        )
        for precision in _PRECISIONS
    )  # fmt: skip


_PRECISIONS: tuple[Literal["fp32", "bf16", "fp16"], ...] = ("fp32", "bf16", "fp16")
