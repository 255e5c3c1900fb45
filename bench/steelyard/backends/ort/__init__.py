"""The onnxruntime backend: dispatch on the session kind; heavy imports wait until then."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from steelyard.api import Session, SessionSpec

# session kind -> (module, function, what must be installed)
KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "linear": ("steelyard.backends.ort.linear", "open_linear", ("onnxruntime",)),
    "pair": ("steelyard.backends.ort.pair", "open_pair", ("onnxruntime",)),
    "windows": ("steelyard.backends.ort.windows", "open_windows", ("onnxruntime",)),
    "magika": ("steelyard.backends.ort.magika", "open_magika", ("onnxruntime",)),
    "encoder": (
        "steelyard.backends.ort.encoder",
        "open_encoder",
        ("onnxruntime", "tokenizers"),
    ),
    "decoder": (
        "steelyard.backends.ort.decoder",
        "open_decoder",
        ("onnxruntime", "tokenizers"),
    ),
    "writer": (
        "steelyard.backends.ort.writer",
        "open_writer",
        ("onnxruntime", "tokenizers"),
    ),
    "series": ("steelyard.backends.ort.series", "open_series", ("onnxruntime",)),
    "silero": ("steelyard.backends.ort.silero", "open_silero", ("onnxruntime",)),
    "sound": ("steelyard.backends.ort.sound", "open_sound", ("onnxruntime",)),
    "array": ("steelyard.backends.ort.array", "open_array", ("onnxruntime",)),
    "hog": ("steelyard.backends.ort.hog", "open_hog", ("onnxruntime",)),
    "signal": ("steelyard.backends.ort.signal", "open_signal", ("onnxruntime",)),
    "text-line": ("steelyard.backends.ort.text_line", "open_text_line", ("onnxruntime",)),
    "tagger": ("steelyard.backends.ort.tagger", "open_tagger", ("onnxruntime", "tokenizers")),
    "classifier": (
        "steelyard.backends.ort.classifier",
        "open_classifier",
        ("onnxruntime", "tokenizers"),
    ),
}


class OnnxRuntime:
    """Opens the artefacts of the session kinds with onnxruntime."""

    devices = ("cpu", "cuda")

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say which session kind, package or provider this machine lacks, or return None."""
        if spec.session not in KINDS:
            known = ", ".join(KINDS)
            return f"backend 'onnxruntime' has no session {spec.session!r}; it has: {known}"
        missing = [name for name in KINDS[spec.session][2] if find_spec(name) is None]
        if missing:
            return f"{', '.join(missing)} not installed\ntry: pip install 'steelyard[edge]'"
        return None

    def import_runtime(self, spec: SessionSpec) -> None:
        """Load onnxruntime and what else the session kind needs."""
        import_module(KINDS[spec.session][0])

    def open(self, spec: SessionSpec) -> Session:
        """Open the session kind that the card names."""
        module, function, _ = KINDS[spec.session]
        opener: Callable[[SessionSpec], Session] = getattr(import_module(module), function)
        return opener(spec)
