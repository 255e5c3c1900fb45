"""Read a line glyph by glyph, each as the letter of the nearest template: OCR before networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from steelyard.api import Answer, SessionSpec
from steelyard.errors import WorkerError
from steelyard.recipes.glyph_templates import LETTERS, TEMPLATES
from steelyard.recipes.glyphs import SIZE, Glyphs, Vectors, cut


class Templates:
    """Opens the templates that the recipe `glyph-templates` learned."""

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say that an option was given that nothing reads, or return None."""
        if spec.options:
            return f"backend 'templates' has no session options, got {sorted(spec.options)}"
        return None

    def open(self, spec: SessionSpec) -> TemplateSession:
        """Load the templates; raise WorkerError for damaged ones."""
        folder = Path(spec.artifact)
        try:
            letters = msgspec.json.decode((folder / LETTERS).read_bytes(), type=tuple[str, ...])
            table = np.load(folder / TEMPLATES, allow_pickle=False)
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            raise WorkerError(f"{folder}: {error}; prepare the artefact again") from error
        if table.shape != (len(letters), SIZE):
            raise WorkerError(f"{folder}: templates and letters do not fit; prepare it again")
        return TemplateSession(letters, table)


class TemplateSession:
    """Opened templates, the nearest by Euclidean distance."""

    def __init__(self, letters: tuple[str, ...], table: Vectors) -> None:
        self._letters, self._table = letters, table
        self._squares = (table**2).sum(axis=1)

    def encode(self, picture: Any) -> Glyphs:
        """Return the glyphs of a |u1 picture of height x width."""
        return cut(picture)

    def infer(self, inputs: Glyphs) -> tuple[list[int], tuple[int, ...]]:
        """Return the nearest template of each glyph, and where blanks are."""
        near = self._squares - 2 * inputs.vectors @ self._table.T
        return near.argmin(axis=1).tolist(), inputs.blanks

    def decode(self, outputs: tuple[list[int], tuple[int, ...]]) -> Answer:
        found, blanks = outputs
        apart = [
            (" " if place in blanks else "") + self._letters[nearest]
            for place, nearest in enumerate(found)
        ]
        return Answer(label="".join(apart))

    def close(self) -> None:
        """Hold nothing, free nothing."""
