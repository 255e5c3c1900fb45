"""Copy a card's files into the artefact as they are."""

from __future__ import annotations

import shutil
from pathlib import Path

from steelyard.api import BuildReport, BuildRequest
from steelyard.errors import PrepareError
from steelyard.recipes import options

KNOWN = ("names", "parameters")


class Copy:
    """Writes the files that option `names` lists (file of the card -> name); default: all."""

    version = 1
    trains = False
    tools: tuple[str, ...] = ()

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which option or file is wrong, or return None."""
        absent = sorted(set(_names(request)) - set(request.files))
        if absent:
            have = ", ".join(sorted(request.files)) or "none"
            return f"options.names: the card has no file {', '.join(absent)}; it has: {have}"
        return options.unknown(request.options, KNOWN)

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Copy the files."""
        for name, target in _names(request).items():
            if Path(target).name != target:
                raise PrepareError(f"options.names: {target!r} is no plain file name")
            shutil.copyfile(request.files[name], out / target)
        return BuildReport(parameters=options.read(request.options, "parameters", 0))


def _names(request: BuildRequest) -> dict[str, str]:
    return options.read(request.options, "names", {name: name for name in request.files})
