"""The clients of registries and hubs: asked as they mean it, and quoted where they fail."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from steelyard.card import (
    HubSource,
    Part,
)
from steelyard.errors import SourceError
from steelyard.prepare.sources import clients, hub
from steelyard.prepare.sources.pip_settings import PipSettings, parse_environment, parse_list

HUB = HubSource(repo="someone/something", revision="0" * 40, path="data.txt")


def test_pips_configuration_is_read_as_pip_does() -> None:
    text = (
        "global.extra-index-url='\\nhttps://one.example/simple\\nfile:///two'\n"
        "global.find-links='/wheels'\n"
        "global.trusted-host='one.example'\n"
        "global.timeout='10'\n"
        "install.find-links='/ignored'\n"
        ":env:.find-links='/from /environment'\n"
        "download.cert='/ca.pem'\n"
        "global.cert='/other.pem'\n"
    )

    assert parse_list(text) == PipSettings(
        extra_index_urls=("https://one.example/simple", "file:///two"),
        find_links=("/from", "/environment"),
        trusted_hosts=("one.example",),
        cert="/ca.pem",
        timeout_s=10.0,
    )


def test_without_pip_its_variables_still_count() -> None:
    settings = parse_environment(
        {
            "PIP_INDEX_URL": "https://index.example",
            "PIP_NO_INDEX": "0",
            "PIP_PROXY": "",
            "HOME": "x",
        }
    )

    assert settings == PipSettings(index_url="https://index.example")


class Client:
    """A package client that is not really started."""

    def __init__(self, *, returns: int, writes: str = "", says: str = "") -> None:
        self.returns, self.writes, self.says = returns, writes, says
        self.command: Sequence[str] = ()

    def __call__(
        self, command: Sequence[str], *, cwd: Path, **_: object
    ) -> subprocess.CompletedProcess[str]:
        self.command = command
        if self.writes:
            (cwd / self.writes).write_bytes(b"1234")
        return subprocess.CompletedProcess(command, self.returns, "", self.says)


def test_npm_packs_without_running_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client, received = Client(returns=0, writes="scope-name-1.0.0.tgz"), list[int]()
    monkeypatch.setattr(subprocess, "run", client)
    part = Part(package="@scope/name", version="1.0.0", sha256="0" * 64)

    path = clients.npm(part, tmp_path, received.append)

    assert path == tmp_path / "scope-name-1.0.0.tgz"
    assert client.command == ["npm", "pack", "@scope/name@1.0.0", "--ignore-scripts", "--silent"]
    assert received == [4]


def test_a_client_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", Client(returns=100, says="W: odd\nE: Version not found"))
    part = Part(package="name", version="1:1.0-2", sha256="0" * 64)

    with pytest.raises(SourceError, match=r"apt-get download .*E: Version not found"):
        clients.debian(part, tmp_path, lambda _: None)


def test_a_client_that_is_not_installed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", absent)
    part = Part(package="name", version="1.0", sha256="0" * 64)

    with pytest.raises(SourceError, match="npm is not installed"):
        clients.npm(part, tmp_path, lambda _: None)


@pytest.mark.parametrize("name", ["--option", "../folder", "git+https://host/x", "a b"])
def test_a_package_name_that_a_client_could_misread_is_refused(name: str, tmp_path: Path) -> None:
    part = Part(package=name, version="1.0", sha256="0" * 64)

    for client in (clients.npm, clients.debian):
        with pytest.raises(SourceError, match="is not a package and a version"):
            client(part, tmp_path, lambda _: None)


class Hub(ModuleType):
    """The hub's client with one file, or none."""

    def __init__(self, content: bytes | None) -> None:
        super().__init__("huggingface_hub")
        self.content = content
        self.constants = SimpleNamespace(ENDPOINT="http://hub.invalid")
        self.utils = ModuleType("utils")
        self.utils.are_progress_bars_disabled = lambda: True  # type: ignore[attr-defined]
        self.errors = ModuleType("errors")
        self.errors.HfHubHTTPError = RuntimeError  # type: ignore[attr-defined]

    def hf_hub_download(self, repo: str, path: str, *, local_dir: Path, **_: str) -> str:
        if self.content is None:
            raise RuntimeError("404\nRequest ID: 7")
        (local_dir / path).write_bytes(self.content)
        return str(local_dir / path)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "huggingface_hub", self)
        monkeypatch.setitem(sys.modules, "huggingface_hub.utils", self.utils)
        monkeypatch.setitem(sys.modules, "huggingface_hub.errors", self.errors)
        hub._unreachable.cache_clear()
        monkeypatch.setenv("http_proxy", "http://proxy.invalid")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)


def test_a_file_of_a_hub_lands_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Hub(b"content").install(monkeypatch)

    assert hub.download(HUB, tmp_path).read_bytes() == b"content"


def test_what_the_hub_answers_becomes_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Hub(None).install(monkeypatch)

    with pytest.raises(SourceError, match=r"^404$"):
        hub.download(HUB, tmp_path)


def test_a_hub_out_of_reach_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def refuse(address: tuple[str, int], **_: float) -> None:
        asked.append(address)
        raise OSError(113, "No route to host")

    Hub(b"content").install(monkeypatch)
    monkeypatch.delenv("http_proxy")
    monkeypatch.delenv("HTTP_PROXY", raising=False)
    monkeypatch.setattr(socket, "create_connection", refuse)

    hub._unreachable.cache_clear()
    for _ in range(2):
        with pytest.raises(SourceError, match=r"hub\.invalid cannot be reached: No route"):
            hub.download(HUB, tmp_path)

    hub._unreachable.cache_clear()
    assert asked == [("hub.invalid", 80)]
