from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.errors import SourceError
from steelyard.prepare import archive

Pack = Callable[[Path, dict[str, bytes]], Path]


def tar(path: Path, content: dict[str, bytes], mode: Literal["w", "w:gz", "w:bz2", "w:xz"]) -> Path:
    with tarfile.open(path, mode) as packed:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    return path


def plain_tar(path: Path, content: dict[str, bytes]) -> Path:
    return tar(path, content, "w")


def gz(path: Path, content: dict[str, bytes]) -> Path:
    return tar(path, content, "w:gz")


def bz2(path: Path, content: dict[str, bytes]) -> Path:
    return tar(path, content, "w:bz2")


def xz(path: Path, content: dict[str, bytes]) -> Path:
    return tar(path, content, "w:xz")


def wheel(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in content.items():
            packed.writestr(name, data)
    return path


def deb(path: Path, content: dict[str, bytes], data_name: str = "data.tar.xz") -> Path:
    data = xz(path.with_suffix(".data"), content).read_bytes()
    parts = b"!<arch>\n"
    for name, body in (("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd"), (data_name, data)):
        parts += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(body):<10}`\n".encode()
        parts += body + b"\n" * (len(body) % 2)
    path.write_bytes(parts)
    return path


def tar_with(path: Path, info: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as packed:
        packed.addfile(info)
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("pack", [plain_tar, gz, bz2, xz, wheel, deb])
def test_every_kind_of_archive_is_known_by_its_content(pack: Pack, tmp_path: Path) -> None:
    packed = pack(tmp_path / "named-badly.txt", {"./a/b.txt": b"one", "a/c.bin": b"two"})

    written = archive.extract(packed, ["a/*.txt"], tmp_path / "out")

    assert written == [tmp_path / "out/a/b.txt"]
    assert written[0].read_bytes() == b"one"
    assert sorted(p.name for p in (tmp_path / "out").rglob("*")) == ["a", "b.txt"]


@pytest.mark.parametrize("pack", [plain_tar, gz, bz2, xz, wheel, deb])
def test_one_member_is_taken_out(pack: Pack, tmp_path: Path) -> None:
    packed = pack(tmp_path / "packed", {"a/b.txt": b"one", "a/c.bin": b"two"})

    archive.member(packed, "a/c.bin", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"two"


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("a/b.txt", "a/*.txt", True),
        ("a/b/c.txt", "a/*.txt", False),
        ("a/b/c.txt", "a/**/*.txt", True),
        ("a/c.txt", "a/**/*.txt", True),
        ("a/b/c.txt", "**", True),
        ("a/B.txt", "a/b.txt", False),
        ("a/b1.txt", "a/b[0-9].txt", True),
    ],
)
def test_a_star_stays_in_one_folder_and_two_stars_do_not(
    name: str, pattern: str, *, expected: bool
) -> None:
    assert archive.matches(name, pattern) is expected


@pytest.mark.parametrize("pack", [plain_tar, gz, wheel, deb])
@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up", "a/../../up", "a\\b", "a\nb", "a\x1b[31m", "a/\x7f"]
)
def test_a_name_that_could_do_harm_is_refused_and_nothing_is_left(
    pack: Pack, name: str, tmp_path: Path
) -> None:
    packed = pack(tmp_path / "packed", {"good": b"good", name: b"bad"})

    with pytest.raises(SourceError, match="member"):
        archive.extract(packed, ["**"], tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_zip_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    packed = wheel(tmp_path / "packed", {"good_bad": b"x"})
    packed.write_bytes(packed.read_bytes().replace(b"good_bad", b"good\0bad"))

    with pytest.raises(SourceError, match="characters"):
        archive.extract(packed, ["good*"], tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_is_refused_in_a_tar(kind: bytes, tmp_path: Path) -> None:
    packed = tar_with(tmp_path / "packed", link("data.txt", "/etc/passwd", kind))

    with pytest.raises(SourceError, match=r"data.txt is a link"):
        archive.extract(packed, ["*"], tmp_path / "out")
    with pytest.raises(SourceError, match=r"data.txt is a link"):
        archive.member(packed, "data.txt", tmp_path / "one")

    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "one").exists()


def test_a_link_is_refused_in_a_zip(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("data.txt")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "packed", "w") as packed:
        packed.writestr(info, "/etc/passwd")

    with pytest.raises(SourceError, match=r"data.txt is a link"):
        archive.extract(tmp_path / "packed", ["*"], tmp_path / "out")


def test_a_linked_folder_does_not_lead_a_file_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with tarfile.open(tmp_path / "packed", "w") as packed:
        packed.addfile(link("data", str(outside)))
        info = tarfile.TarInfo("data/file")
        info.size = 3
        packed.addfile(info, io.BytesIO(b"abc"))

    archive.extract(tmp_path / "packed", ["data/*"], tmp_path / "out")

    assert not any(outside.iterdir())
    assert (tmp_path / "out/data/file").read_bytes() == b"abc"


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_device_is_refused_even_where_no_pattern_asks_for_it(kind: bytes, tmp_path: Path) -> None:
    packed = tar_with(tmp_path / "packed", link("dev", "", kind))

    with pytest.raises(SourceError, match="dev is a device"):
        archive.extract(packed, ["other"], tmp_path / "out")


@pytest.mark.parametrize("pack", [plain_tar, gz, bz2, xz, wheel, deb])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.99])
def test_a_truncated_archive_is_refused(pack: Pack, share: float, tmp_path: Path) -> None:
    packed = pack(tmp_path / "packed", {f"{i}": bytes([i]) * 3000 for i in range(20)})
    whole = packed.read_bytes().rstrip(b"\0")
    packed.write_bytes(whole[: int(len(whole) * share)])

    with pytest.raises(SourceError):
        archive.extract(packed, ["*"], tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_tar_cut_between_two_members_is_refused(tmp_path: Path) -> None:
    packed = plain_tar(tmp_path / "packed", {"a": b"x", "b": b"y"})
    packed.write_bytes(packed.read_bytes()[:1024])

    with pytest.raises(SourceError, match="truncated"):
        archive.extract(packed, ["a"], tmp_path / "out")


@pytest.mark.parametrize("pack", [gz, bz2, xz, wheel])
def test_damaged_bytes_are_refused(pack: Pack, tmp_path: Path) -> None:
    packed = pack(tmp_path / "packed", {"a": bytes(range(256)) * 40})
    content = bytearray(packed.read_bytes())
    for at in range(len(content) // 2, len(content) // 2 + 8):
        content[at] ^= 0xFF
    packed.write_bytes(content)

    with pytest.raises(SourceError):
        archive.extract(packed, ["a"], tmp_path / "out")


def test_what_unpacks_to_far_more_than_it_should_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_ALWAYS_ALLOWED_BYTES", 1000)
    for number, pack in enumerate((gz, wheel)):
        packed = pack(tmp_path / f"{number}", {"zeros": bytes(2_000_000)})
        with pytest.raises(SourceError, match="unpacks to more"):
            archive.extract(packed, ["*"], tmp_path / "out")
        with pytest.raises(SourceError, match="unpacks to more"):
            archive.member(packed, "zeros", tmp_path / "one")

    assert not (tmp_path / "out").exists()


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    packed = plain_tar(tmp_path / "packed", {"a": b"one", "./a": b"two"})

    with pytest.raises(SourceError, match="holds a twice"):
        archive.extract(packed, ["a"], tmp_path / "out")


def test_a_name_that_is_a_file_and_a_folder_is_refused(tmp_path: Path) -> None:
    packed = plain_tar(tmp_path / "packed", {"a": b"one", "a/b": b"two"})

    with pytest.raises(SourceError, match="cannot be made"):
        archive.extract(packed, ["**"], tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_pattern_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    packed = wheel(tmp_path / "packed", {"a": b"one"})

    with pytest.raises(SourceError, match=r"no member matches 'b/\*'"):
        archive.extract(packed, ["a", "b/*"], tmp_path / "out")


def test_an_absent_member_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    packed = wheel(tmp_path / "packed", {"a": b"one"})

    with pytest.raises(SourceError, match="has no member 'b'"):
        archive.member(packed, "b", tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "packed.zip").write_text("hello")

    with pytest.raises(SourceError, match="no archive of a known kind"):
        archive.extract(tmp_path / "packed.zip", ["*"], tmp_path / "out")


def test_a_package_packed_with_zstd_is_refused_by_name(tmp_path: Path) -> None:
    packed = deb(tmp_path / "packed", {"a": b"one"}, "data.tar.zst")
    content = packed.read_bytes()
    packed.write_bytes(content.replace(b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd\x00\x00"))

    with pytest.raises(SourceError, match="zstd"):
        archive.extract(packed, ["*"], tmp_path / "out")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    packed = wheel(tmp_path / "packed", {"a": b"one"})
    content = bytearray(packed.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    packed.write_bytes(content)

    with pytest.raises(SourceError, match="encrypted"):
        archive.extract(packed, ["*"], tmp_path / "out")


@settings(max_examples=20, deadline=None)
@given(names=st.lists(st.text("ab./\\~ \0\n-é", min_size=1, max_size=12), max_size=4, unique=True))
def test_no_name_whatever_writes_outside_the_folder(names: list[str]) -> None:
    with TemporaryDirectory() as temporary:
        base = Path(temporary)
        packed = plain_tar(base / "packed", dict.fromkeys(names, b"x"))
        (base / "in").mkdir()
        try:
            written = archive.extract(packed, ["**"], base / "in/out")
        except SourceError:
            written = []

        assert {path for path in base.rglob("*") if path.is_file()} == {packed, *written}
        assert all(path.is_relative_to(base / "in/out") for path in written)
