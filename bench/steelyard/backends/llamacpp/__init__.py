"""The llama.cpp backend: GGUF files as they were published, on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from steelyard.api import Session, SessionSpec

# session kind -> (module, function)
KINDS = {
    "decoder": ("steelyard.backends.llamacpp.decoder", "open_decoder"),
    "writer": ("steelyard.backends.llamacpp.writer", "open_writer"),
}
# import package -> what pip calls it
NEEDED = {"llama_cpp": "llama-cpp-python", "tokenizers": "tokenizers"}


class LlamaCpp:
    """Opens what the recipe `gguf-llamacpp` made, with llama.cpp by llama-cpp-python."""

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say which session kind or package this machine lacks, or return None."""
        if spec.session not in KINDS:
            known = ", ".join(KINDS)
            return f"backend 'llamacpp' has no session {spec.session!r}; it has: {known}"
        missing = [name for package, name in NEEDED.items() if find_spec(package) is None]
        if missing:
            return f"{', '.join(missing)} not installed\ntry: pip install 'steelyard[llamacpp]'"
        return None

    def import_runtime(self, spec: SessionSpec) -> None:
        """Load llama.cpp and what else the session kind needs."""
        import_module(KINDS[spec.session][0])

    def open(self, spec: SessionSpec) -> Session:
        """Open the session kind that the card names."""
        module, function = KINDS[spec.session]
        opener: Callable[[SessionSpec], Session] = getattr(import_module(module), function)
        return opener(spec)
