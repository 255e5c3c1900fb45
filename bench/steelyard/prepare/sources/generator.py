"""Files that a function of an installed package makes."""

from __future__ import annotations

import importlib
from pathlib import Path

from steelyard.card import GeneratorSource
from steelyard.errors import SourceError
from steelyard.prepare.sources.transport import disk_is_full


def generate(source: GeneratorSource, out: Path) -> None:
    """Call the card's function with the path to write and the card's options."""
    module, _, name = source.function.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SourceError(f"{error}; install the package that holds {module!r}") from error
    try:
        function(out, **source.options)
    except Exception as error:  # a plugin's function may fail in any way; that is its reason
        if disk_is_full(error):
            raise
        raise SourceError(f"{type(error).__name__}: {error}") from error
    if not out.is_file():
        raise SourceError("wrote no file")
