"""Files of a model or data-set hub, at a pinned commit."""

from __future__ import annotations

import importlib
import socket
import sys
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from steelyard.card import HubSource
from steelyard.errors import SourceError
from steelyard.prepare.sources.transport import disk_is_full

_PROBE_S = 10.0


class HubFile(Struct, frozen=True, kw_only=True):
    """A file of a repository; the hub says the sha256 of those in LFS."""

    path: str
    size_bytes: int | None = None
    sha256: str | None = None


class Snapshot(Struct, frozen=True, kw_only=True):
    """What a model repository holds at a commit, and its licence where it says one."""

    commit: str
    files: tuple[HubFile, ...]
    licence: str | None = None


def snapshot(repo: str, revision: str) -> Snapshot:
    """Ask the hub what a model repository holds at a revision: a commit, a branch or a tag."""
    client = _client()
    with _one_line():
        found = client.HfApi().model_info(repo, revision=revision, files_metadata=True)
    if not found.sha:
        raise SourceError(f"the hub does not say which commit {revision} of {repo} is")
    return Snapshot(
        commit=found.sha,
        files=tuple(
            HubFile(
                path=one.rfilename, size_bytes=one.size, sha256=one.lfs.sha256 if one.lfs else None
            )
            for one in found.siblings or ()
        ),
        licence=_licence(found.tags or ()),
    )


def _licence(tags: Sequence[str]) -> str | None:
    said = [tag.partition(":")[2] for tag in tags if tag.startswith("license:")]
    return ", ".join(said) or None


def download(source: HubSource, folder: Path) -> Path:
    """Download one file of a hub repository into the folder."""
    client = _client()
    with _one_line(), _bars_on_a_terminal_only():
        return Path(
            client.hf_hub_download(
                source.repo,
                source.path,
                repo_type=source.repo_type,
                revision=source.revision,
                local_dir=folder,
            )
        )


def _client() -> Any:
    """Return huggingface_hub; raise SourceError where it is not installed or reaches no hub."""
    try:
        import huggingface_hub
        from huggingface_hub import constants
    except ImportError:
        raise SourceError(
            "huggingface_hub is not installed: pip install steelyard[fetch]"
        ) from None
    reason = _unreachable(constants.ENDPOINT)
    if reason is not None:
        raise SourceError(reason)
    return huggingface_hub


@contextmanager
def _one_line() -> Generator[None]:
    """Turn what the client raises into one line; a full disk is the cache's to tell."""
    try:
        yield
    except _errors() as error:
        if disk_is_full(error):
            raise
        text = str(error).strip() or type(error).__name__
        raise SourceError(text.splitlines()[0]) from error


@lru_cache(maxsize=4)
def _unreachable(endpoint: str) -> str | None:
    """Say once a process that the hub cannot be reached; its client would retry for every file."""
    address = urlsplit(endpoint)
    host, scheme = address.hostname or "", address.scheme or "https"
    if scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        return None  # only the proxy can tell
    try:
        port = address.port or (80 if scheme == "http" else 443)
        socket.create_connection((host, port), timeout=_PROBE_S).close()
    except OSError as error:
        return f"{host} cannot be reached: {error.strerror or error}"
    return None


def _errors() -> tuple[type[Exception], ...]:
    from huggingface_hub.errors import HfHubHTTPError

    # Before version 1 the hub's client is requests, whose errors are OSErrors; since then httpx.
    httpx = sys.modules.get("httpx")
    return (HfHubHTTPError, OSError, ValueError, *((httpx.HTTPError,) if httpx else ()))


@contextmanager
def _bars_on_a_terminal_only() -> Generator[None]:
    utils: Any = importlib.import_module("huggingface_hub.utils")
    if sys.stderr.isatty() or utils.are_progress_bars_disabled():
        yield
        return
    utils.disable_progress_bars()
    try:
        yield
    finally:
        utils.enable_progress_bars()
