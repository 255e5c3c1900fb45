"""Whisper by CTranslate2: what was said, or whether anything was; heavy imports wait."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from steelyard.api import Session, SessionSpec

MODULE = "steelyard.backends.ctranslate2.whisper"
SESSION = "listen"
KNOWN = (
    "beam_size", "compute_type", "hint", "label", "most_errors", "phrase", "speech", "threshold",
)  # fmt: skip
NEEDED = ("ctranslate2", "tokenizers")


class CTranslate2:
    """Opens a folder of `model.bin`, `config.json`, `vocabulary.json` and `tokenizer.json`."""

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say which session kind, option or package is wrong, or return None."""
        if spec.session != SESSION:
            return f"backend 'ctranslate2' has no session {spec.session!r}; it has: {SESSION}"
        unknown = sorted(set(spec.options) - set(KNOWN))
        if unknown:
            return f"session_options: unknown {', '.join(unknown)}; known: {', '.join(KNOWN)}"
        missing = [name for name in NEEDED if find_spec(name) is None]
        if missing:
            return f"{', '.join(missing)} not installed\ntry: pip install 'steelyard[whisper]'"
        return None

    def import_runtime(self, spec: SessionSpec) -> None:  # noqa: ARG002
        """Load the library."""
        import_module(MODULE)

    def open(self, spec: SessionSpec) -> Session:
        """Load the model for what the task's labels ask of it."""
        session: Session = import_module(MODULE).open_listener(spec)
        return session
