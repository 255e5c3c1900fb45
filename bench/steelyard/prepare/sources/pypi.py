"""Wheels and source archives from the user's own Python package indexes; nothing is ever built."""

from __future__ import annotations

import importlib
import logging
import re
import ssl
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from steelyard.card import Part
from steelyard.errors import SourceError
from steelyard.prepare.hashing import file_sha256
from steelyard.prepare.sources.pip_settings import PipSettings, pip_settings
from steelyard.prepare.sources.transport import Advance, disk_is_full

if TYPE_CHECKING:
    from unearth import PackageFinder

_ATTEMPTS = 3
_CHUNK_BYTES = 1 << 18
_INSTALL = "unearth is not installed: pip install steelyard[fetch]"


class _Place(NamedTuple):
    """Somewhere pip would look."""

    name: str
    is_local: bool
    finder: Callable[[], PackageFinder]


def wheel(part: Part, folder: Path, advance: Advance) -> Path:
    """Fetch the wheel with the pinned sha256, whatever platform it is for."""
    return fetch_archive(part, folder, advance, pip_settings(), wheels=True)


def sdist(part: Part, folder: Path, advance: Advance) -> Path:
    """Fetch the source archive with the pinned sha256."""
    return fetch_archive(part, folder, advance, pip_settings(), wheels=False)


def fetch_archive(
    part: Part, folder: Path, advance: Advance, settings: PipSettings, *, wheels: bool
) -> Path:
    """Try every place pip would look, local ones first; the sha256 makes their order harmless."""
    with _client(settings) as client:
        search = _Search(client, part, folder, advance, wheels=wheels)
        for place in sorted(_places(client, settings), key=lambda place: not place.is_local):
            path = search.at(place)
            if path is not None:
                return path
    kind = "wheel" if wheels else "source archive"
    text = "; ".join(dict.fromkeys(search.reasons)) or "no place offers this version"
    raise SourceError(f"no {kind} with sha256 {part.sha256[:16]}...: {text}")


def _places(client: Any, settings: PipSettings) -> Iterator[_Place]:
    from unearth import PackageFinder

    def place(
        name: str, *, local: bool, find_links: Sequence[str] = (), index_urls: Sequence[str] = ()
    ) -> _Place:
        def finder() -> PackageFinder:
            return PackageFinder(
                client, ignore_compatibility=True, find_links=find_links, index_urls=index_urls
            )

        return _Place(_redacted(name), local, finder)

    for link in settings.find_links:
        yield place(link, local="://" not in link or link.startswith("file:"), find_links=[link])
    if settings.no_index:
        return
    if settings.index_url is None:
        yield place("the default index", local=False)  # unearth knows its address
    for url in (settings.index_url, *settings.extra_index_urls):
        if url is not None:
            yield place(url, local=url.startswith("file:"), index_urls=[url])


class _Search:
    """The search for one pinned archive; `reasons` tells why places gave nothing."""

    def __init__(
        self, client: Any, part: Part, folder: Path, advance: Advance, *, wheels: bool
    ) -> None:
        self._client, self._part, self._folder = client, part, folder
        self._advance, self._wheels = advance, wheels
        self.reasons: list[str] = []

    def at(self, place: _Place) -> Path | None:
        """Return the archive if this place has it."""
        try:
            paths = (self._received(link) for link in self._links(place))
            return next((path for path in paths if path is not None), None)
        except _errors(self._client) as error:
            if disk_is_full(error):
                raise
            self.reasons.append(f"{place.name}: {_said(error)}")
            return None

    def _links(self, place: _Place) -> list[Any]:
        with _reasons_of_unearth(self.reasons):
            found = place.finder().find_matches(
                f"{self._part.package}=={self._part.version}",
                allow_yanked=True,
                allow_prereleases=True,
            )
            return [package.link for package in found if package.link.is_wheel == self._wheels]

    def _received(self, link: Any) -> Path | None:
        promised = (link.hash_option or {}).get("sha256", [])
        if promised and self._part.sha256 not in promised:
            self._refuse(link, promised[0])
            return None
        path = Path(link.file_path) if link.is_file else self._folder / "archive"
        if not link.is_file:
            self._download(link, path)
        found = file_sha256(path)
        if found != self._part.sha256:
            self._refuse(link, found)
            return None
        return path

    def _refuse(self, link: Any, sha256: str) -> None:
        self.reasons.append(f"{link.redacted} has sha256 {sha256}")

    def _download(self, link: Any, path: Path) -> None:
        for _ in range(_ATTEMPTS - 1):
            with suppress(_library(self._client).TransportError):
                return self._stream(link, path)
        return self._stream(link, path)

    def _stream(self, link: Any, path: Path) -> None:
        # Some servers pack what is packed already and call it an encoding; we want it as it is.
        get = self._client.get_stream(link.normalized, headers={"Accept-Encoding": "identity"})
        with get as response, path.open("wb") as sink:
            response.raise_for_status()
            for chunk in response.iter_bytes(_CHUNK_BYTES):
                sink.write(chunk)
                self._advance(len(chunk))


@contextmanager
def _client(settings: PipSettings) -> Generator[Any]:
    try:
        from unearth.auth import MultiDomainBasicAuth
        from unearth.fetchers import PyPIClient
    except ImportError:
        raise SourceError(_INSTALL) from None
    client = PyPIClient(
        trusted_hosts=settings.trusted_hosts,
        verify=_trust(settings),
        timeout=settings.timeout_s,
        follow_redirects=True,
        proxy=settings.proxy,
    )
    indexes = [url for url in (settings.index_url, *settings.extra_index_urls) if url]
    client.auth = MultiDomainBasicAuth(prompting=False, index_urls=indexes)
    with client:
        yield client


def _trust(settings: PipSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.cert)
        if settings.client_cert is not None:
            context.load_cert_chain(settings.client_cert)
    except OSError as error:
        raise SourceError(f"pip's cert {settings.cert}: {error}") from error
    return context


def _library(client: Any) -> Any:
    # unearth stands on httpx or its successor, by version; the client's base class tells which.
    return importlib.import_module(type(client).__mro__[1].__module__.partition(".")[0])


def _errors(client: Any) -> tuple[type[Exception], ...]:
    library = _library(client)
    return (library.HTTPError, library.InvalidURL, OSError, ValueError)


def _said(error: Exception) -> str:
    text = _redacted(str(error)).strip() or type(error).__name__
    return text.splitlines()[0]


def _redacted(text: str) -> str:
    return re.sub(r"//[^/@\s]+@", "//***@", text)


class _Listener(logging.Handler):
    def __init__(self, reasons: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._reasons, self._thread = reasons, threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if threading.get_ident() == self._thread:
            self._reasons.append(_redacted(record.getMessage()))


@contextmanager
def _reasons_of_unearth(reasons: list[str]) -> Generator[None]:
    """Collect the warnings in which unearth says why a place gave nothing."""
    logger, listener = logging.getLogger("unearth"), _Listener(reasons)
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)
