"""The user's pip configuration: where pip would look, and how it would connect."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

_LOCK = threading.Lock()
# Later sections win, as in pip.
_SECTIONS = ("global", "download", ":env:")


class PipSettings(Struct, frozen=True, kw_only=True):
    """What of pip's configuration matters for fetching. No `index_url`: the default index."""

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    no_index: bool = False
    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = None
    timeout_s: float = 60.0


def pip_settings() -> PipSettings:
    """Return the configuration of this environment's pip, read once a process."""
    with _LOCK:
        return _read()


@lru_cache(maxsize=1)
def _read() -> PipSettings:
    for command in ([sys.executable, "-m", "pip"], ["pip"]):
        try:
            done = subprocess.run(
                [*command, "config", "list"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            continue
        if done.returncode == 0:
            return parse_list(done.stdout)
    return parse_environment(os.environ)


def parse_list(text: str) -> PipSettings:
    """Read what `pip config list` prints: `section.key='value'`, the value as Python writes it."""
    sections: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.partition(".")
        if section in sections:
            sections[section][key] = str(ast.literal_eval(value))
    return _settings({k: v for section in _SECTIONS for k, v in sections[section].items()})


def parse_environment(environment: Mapping[str, str]) -> PipSettings:
    """Read the `PIP_` variables, for an environment without pip."""
    return _settings(
        {
            name[4:].lower().replace("_", "-"): value
            for name, value in environment.items()
            if name.startswith("PIP_") and value
        }
    )


def _settings(values: Mapping[str, str]) -> PipSettings:
    return PipSettings(
        index_url=values.get("index-url"),
        extra_index_urls=tuple(values.get("extra-index-url", "").split()),
        find_links=tuple(_expanded(each) for each in values.get("find-links", "").split()),
        trusted_hosts=tuple(values.get("trusted-host", "").split()),
        no_index=values.get("no-index", "").lower() in {"1", "true", "yes", "on", "y", "t"},
        cert=values.get("cert"),
        client_cert=values.get("client-cert"),
        proxy=values.get("proxy"),
        timeout_s=_seconds(values.get("timeout", values.get("default-timeout"))),
    )


def _expanded(link: str) -> str:
    return str(Path(link).expanduser()) if link.startswith("~") else link


def _seconds(text: str | None) -> float:
    try:
        return float(text or 60)
    except ValueError:
        return 60.0
