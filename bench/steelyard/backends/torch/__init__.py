"""The transformers backend: published models on torch, on a CUDA GPU or, slowly, on the CPU."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from steelyard.api import Session, SessionSpec

# session kind -> (module, function)
KINDS = {
    "decoder": ("steelyard.backends.torch.decoder", "open_decoder"),
    "classifier": ("steelyard.backends.torch.classifier", "open_classifier"),
}
NEEDED = ("torch", "transformers", "safetensors", "tokenizers")


class Transformers:
    """Opens what the recipes `published` and `gguf-torch` made, with torch and transformers."""

    devices = ("cpu", "cuda")

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say which session kind or package this machine lacks, or return None.

        Whether a GPU computes is found out as it is opened: it takes torch, which takes seconds.
        """
        if spec.session not in KINDS:
            known = ", ".join(KINDS)
            return f"backend 'transformers' has no session {spec.session!r}; it has: {known}"
        missing = [name for name in NEEDED if find_spec(name) is None]
        if missing:
            return f"{', '.join(missing)} not installed\ntry: pip install 'steelyard[gpu]'"
        return None

    def import_runtime(self, spec: SessionSpec) -> None:
        """Load torch, transformers and what else the session kind needs."""
        # Everything was fetched and verified before: a library that asks a hub now would be wrong.
        os.environ["HF_HUB_OFFLINE"] = "1"
        import_module(KINDS[spec.session][0])

    def open(self, spec: SessionSpec) -> Session:
        """Open the session kind that the card names."""
        self.import_runtime(spec)
        module, function = KINDS[spec.session]
        opener: Callable[[SessionSpec], Session] = getattr(import_module(module), function)
        return opener(spec)
