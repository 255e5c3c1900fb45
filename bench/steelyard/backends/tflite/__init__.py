"""The TFLite backend: small networks for microphones, run by Google's LiteRT."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from steelyard.api import Session, SessionSpec

MODULE = "steelyard.backends.tflite.wakeword"
KNOWN = ("label", "threshold")
PACKAGE = "ai_edge_litert"


class TfLite:
    """Opens a folder of three networks: spectrogram, embedding, and the phrase's own."""

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say which session kind, option or package is wrong, or return None."""
        if spec.session != "wakeword":
            return f"backend 'tflite' has no session {spec.session!r}; it has: wakeword"
        unknown = sorted(set(spec.options) - set(KNOWN))
        if unknown:
            return f"session_options: unknown {', '.join(unknown)}; known: {', '.join(KNOWN)}"
        if find_spec(PACKAGE) is None:
            return f"{PACKAGE} not installed\ntry: pip install 'steelyard[tflite]'"
        return None

    def import_runtime(self, spec: SessionSpec) -> None:  # noqa: ARG002
        """Load the library."""
        import_module(MODULE)

    def open(self, spec: SessionSpec) -> Session:
        """Load the three networks."""
        session: Session = import_module(MODULE).open_wakeword(spec)
        return session
