"""The spaCy backend: a published entity recogniser, its types mapped to a task's."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from steelyard.api import Answer, SessionSpec
from steelyard.errors import WorkerError
from steelyard.notation import format_spans

FILES = ("cfg", "model", "moves")
LOOKUPS = "lookups.bin"

# How en_core_web_sm 3.8 was built, by its own config.cfg. It is said here instead of read there:
# a configuration can name any registered function, and no fetched file decides what is run.
NETWORK: dict[str, Any] = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "ner",
    "extra_state_tokens": False,
    "hidden_width": 64,
    "maxout_pieces": 2,
    "use_upper": True,
    "nO": None,
    "tok2vec": {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": 96,
            "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
            "rows": [5000, 1000, 2500, 2500],
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": 96,
            "depth": 4,
            "window_size": 1,
            "maxout_pieces": 3,
        },
    },
}


class Spacy:
    """Opens the weights of an entity recogniser in a network of our own making.

    The files are msgpack and JSON: arrays of numbers, tables of strings; nothing is unpickled.
    """

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say which package this machine lacks or which option is wrong, or return None."""
        if find_spec("spacy") is None:
            return "spacy not installed\ntry: pip install 'steelyard[spacy]'"
        odd = sorted(set(spec.options) - {"types"})
        if odd:
            return f"session_options: unknown {', '.join(odd)}; known: types"
        return None

    def import_runtime(self, spec: SessionSpec) -> None:  # noqa: ARG002
        """Load spaCy."""
        import_module("spacy")

    def open(self, spec: SessionSpec) -> SpacySession:
        """Load the weights; raise WorkerError where they do not fit, or types are no labels."""
        types = spec.options.get("types")
        if not isinstance(types, dict):
            raise WorkerError("session_options.types: expected a table, spaCy's type = a label")
        odd = sorted(set(types.values()) - {label.id for label in spec.labels})
        if odd:
            raise WorkerError(f"session_options.types: {', '.join(odd)}: no labels of the task")
        return SpacySession(_pipeline(Path(spec.artifact)), types)


class SpacySession:
    """An opened recogniser. spaCy multiplies on one thread here, whatever the device's."""

    def __init__(self, pipeline: Any, types: dict[str, str]) -> None:
        self._tokenise = pipeline.make_doc
        self._recognise = pipeline.get_pipe("ner")
        self._types = types

    def encode(self, text: str) -> Any:
        """Return the text's tokens, by spaCy's rules of English."""
        return self._tokenise(text)

    def infer(self, inputs: Any) -> Any:
        return self._recognise(inputs)

    def decode(self, outputs: Any) -> Answer:
        """Return the entities whose type the task has."""
        found = [
            (one.start_char, one.end_char, self._types.get(one.label_)) for one in outputs.ents
        ]
        return Answer(label=format_spans((a, b, kind) for a, b, kind in found if kind is not None))

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return (f"spacy {version('spacy')}",)

    def close(self) -> None:
        """Drop the pipeline."""
        del self._tokenise, self._recognise


def _pipeline(folder: Path) -> Any:
    absent = [name for name in (*FILES, LOOKUPS) if not (folder / name).is_file()]
    if absent:
        raise WorkerError(f"{folder}: no {', '.join(absent)} in it; prepare the artefact again")
    library: Any = import_module("spacy")
    pipeline = library.blank("en")
    # Spellings that count as one ("cos", "because"): the network was trained on these norms.
    pipeline.vocab.from_disk(folder, exclude=["strings", "vectors"])
    recogniser = pipeline.add_pipe("ner", config={"model": NETWORK})
    try:
        recogniser.from_disk(folder, exclude=["vocab"])
    except (ValueError, KeyError) as error:
        raise WorkerError(f"{folder}: {error}; prepare the artefact again") from error
    return pipeline
