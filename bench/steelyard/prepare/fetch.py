"""Get the files that cards name: from the cache, else from the first source that works."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from steelyard.card import File, FileSource, GeneratorSource, HubSource, PackageSource, Source
from steelyard.errors import SourceError
from steelyard.prepare.cache import Cache, difference
from steelyard.prepare.sources import clients, generator, hub, pypi
from steelyard.prepare.sources.package import Archives
from steelyard.prepare.sources.transport import Transports
from steelyard.progress import Progress

TRANSPORTS = Transports(
    registries={
        "pypi-wheel": pypi.wheel,
        "pypi-sdist": pypi.sdist,
        "npm": clients.npm,
        "debian": clients.debian,
    },
    hub=hub.download,
    generator=generator.generate,
)


def fetch(  # noqa: PLR0913 - the last two have defaults that only few callers change
    files: Sequence[File],
    card_dir: Path,
    cache: Cache,
    progress: Progress,
    *,
    offline: bool = False,
    transports: Transports = TRANSPORTS,
) -> dict[str, Path]:
    """Return a verified path for each file, by name; raise `SourceError` where no source works.

    Offline (or with STEELYARD_OFFLINE=1) only the cache, local files and generators are asked.
    """
    offline = offline or os.environ.get("STEELYARD_OFFLINE", "0") not in ("", "0")
    with _Errand(card_dir, cache, progress, transports, offline=offline) as errand:
        return {file.name: errand.get(file) for file in files}


class _Errand(ExitStack):
    """One call of `fetch`; its temporary folder is made when first needed and goes at the end."""

    def __init__(
        self,
        card_dir: Path,
        cache: Cache,
        progress: Progress,
        transports: Transports,
        *,
        offline: bool,
    ) -> None:
        super().__init__()
        self._card_dir, self._cache, self._progress = card_dir, cache, progress
        self._transports, self._offline = transports, offline
        self._archives = Archives(transports, progress)

    @cached_property
    def _folder(self) -> Path:
        return self.enter_context(self._cache.workspace())

    def get(self, file: File) -> Path:
        """Return the file from the cache or from the first of its sources that works."""
        cached = self._cache.file(file, self._progress)
        if cached is not None:
            return cached
        reasons: list[str] = []
        for source in file.sources:
            path = self._attempt(source, file, reasons)
            if path is not None:
                return path
        raise SourceError(self._refusal(file, reasons))

    def _attempt(self, source: Source, file: File, reasons: list[str]) -> Path | None:
        try:
            return self._from(source, file)
        except SourceError as error:
            reasons.append(f"{describe(source)}: {error}")
            return None

    def _from(self, source: Source, file: File) -> Path:
        if isinstance(source, FileSource):
            return _in_place(file, self._card_dir / Path(source.path).expanduser())
        if self._offline and not isinstance(source, GeneratorSource):
            raise SourceError("not asked, offline")
        written = self._write(source, file)
        path = self._cache.add_file(file, written)
        self._progress.say(f"{file.name}: from {describe(source)}")
        return path

    def _write(self, source: HubSource | PackageSource | GeneratorSource, file: File) -> Path:
        out = self._folder / f"{file.sha256}-file"
        if isinstance(source, PackageSource):
            self._archives.assemble(file, source, self._folder, out)
        elif isinstance(source, GeneratorSource):
            self._transports.generator(source, out)
        else:
            place = self._folder / f"{file.sha256}-hub"
            place.mkdir(exist_ok=True)
            return self._transports.hub(source, place)
        return out

    def _refusal(self, file: File, reasons: Sequence[str]) -> str:
        advice = (
            "fetch it once without --offline"
            if self._offline
            else "check the network and `pip config list`, or add a source of kind 'file'"
        )
        tried = "\n".join(f"  {reason}" for reason in reasons)
        return f"{file.name}: no source gave it\n{tried}\ntry: {advice}"


def _in_place(file: File, path: Path) -> Path:
    """Verify a local file and use it where it is: it is the user's."""
    if path.is_dir():
        raise SourceError("is a folder; name one file, or pack it and use `extract`")
    if not path.exists():
        raise SourceError(f"{path} does not exist")
    wrong = difference(file, path)
    if wrong is not None:
        raise SourceError(wrong)
    return path


def describe(source: Source) -> str:
    """Name a source in a few words."""
    if isinstance(source, HubSource):
        return f"hub {source.repo}@{source.revision[:8]}"
    if isinstance(source, FileSource):
        return f"file {source.path}"
    if isinstance(source, GeneratorSource):
        return f"generator {source.function}"
    first, more = source.parts[0], len(source.parts) - 1
    rest = f" and {more} more" if more else ""
    return f"{source.registry} {first.package} {first.version}{rest}"
