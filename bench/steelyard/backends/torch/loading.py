"""Load a model of transformers' own code from safetensors in a folder, and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import transformers

from steelyard import shards
from steelyard.backends.torch.device import Place
from steelyard.errors import Refusal, WorkerError

CONFIG = "config.json"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


def settings(folder: Path) -> dict[str, Any]:
    """Return config.json; raise Refusal where it asks for code that is not transformers' own."""
    try:
        found = msgspec.json.decode((folder / CONFIG).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError) as error:
        raise WorkerError(f"{folder / CONFIG}: {error}; prepare the artefact again") from error
    if "auto_map" in found:
        raise Refusal(f"{folder / CONFIG}: asks for code of its own (auto_map), which is never run")
    return found


def load(kind: Any, folder: Path, place: Place) -> Any:
    """Return the model of `folder`, ready to be asked, on its device.

    `kind` is one of transformers' Auto classes. Raises Refusal for pickled weights, for an index
    that names files elsewhere and for an architecture that transformers has not, WorkerError for
    files that do not fit together.
    """
    settings(folder)
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLED)
    if pickled:
        raise Refusal(f"{folder / pickled[0]}: pickled weights can run code; use safetensors")
    _check_shards(folder)
    transformers.utils.logging.disable_progress_bar()
    try:
        model, report = kind.from_pretrained(
            str(folder),
            dtype=place.dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            **_attention(folder),
        )
    except (OSError, ValueError, KeyError) as error:
        raise WorkerError(f"{folder}: {' '.join(str(error).split())[:300]}") from error
    _check_complete(report, folder)
    return model.to(place.device).eval()


def _check_shards(folder: Path) -> None:
    """Refuse an index that leads out of the folder: transformers would follow it."""
    inside = folder.resolve()
    present = {path.name for path in folder.iterdir() if path.resolve().parent == inside}
    for index in sorted(folder.glob(f"*{shards.SUFFIX}")):
        shards.check(index.read_bytes(), present, str(index))


def _attention(folder: Path) -> Mapping[str, str]:
    """Ask for torch's own attention, which takes any mask, where the architecture has it."""
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    config = transformers.AutoConfig.from_pretrained(
        str(folder), local_files_only=True, trust_remote_code=False
    )
    known = MODEL_MAPPING.get(type(config), None)
    # Gemma 2 caps its attention's scores, which the fused kernel does not know.
    capped = getattr(config, "attn_logit_softcapping", None) is not None
    fused = getattr(known, "_supports_sdpa", False) and not capped
    return {"attn_implementation": "sdpa" if fused else "eager"}


def _check_complete(report: Mapping[str, Any], folder: Path) -> None:
    """Refuse weights that are not all there: transformers would fill the rest with noise."""
    for what in ("missing_keys", "mismatched_keys"):
        names = sorted(map(str, report.get(what) or ()))
        if names:
            raise WorkerError(
                f"{folder}: {len(names)} weights of the architecture are not in its files "
                f"({what}: {names[0]}, ...); these files do not belong together"
            )
