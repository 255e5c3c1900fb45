"""A suite packed here runs elsewhere with an empty cache, and nothing unverified is used."""

from __future__ import annotations

import importlib.util
import platform
import zipfile
from pathlib import Path

import msgspec
import pytest
from tests import toy

from steelyard import bundle, store
from steelyard.bundle.types import LISTING, Bundle
from steelyard.errors import PrepareError
from steelyard.prepare.cache import Cache
from steelyard.record import Record

TRAINED = all(importlib.util.find_spec(name) for name in ("sklearn", "onnx", "onnxruntime"))
MODELS = '"majority", "tfidf-linear"' if TRAINED else '"majority"'


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = toy.project(tmp_path_factory.mktemp("here"), models=MODELS)
    done = toy.call(folder, "bundle", "--cards", "cards", "--offline", "-o", "toy.zip")
    assert done.returncode == 0, done.stderr
    assert "toy-00/majority@constant/cpu-1t" in done.stdout
    return folder / "toy.zip"


def only_run(folder: Path) -> tuple[Record, ...]:
    (run,) = store.read_runs(store.latest_run(folder / "results/local"))
    return run.records


def test_the_same_answers_come_from_a_device_that_built_nothing(
    packed: Path, tmp_path: Path
) -> None:
    there = toy.call(tmp_path, "run", "--bundle", str(packed))
    here = toy.call(packed.parent, "run", "--cards", "cards")

    assert (there.returncode, here.returncode) == (0, 0), there.stderr
    assert "building" not in there.stderr
    ours, theirs = only_run(packed.parent), only_run(tmp_path)
    assert [one.predictions_sha256 for one in theirs] == [one.predictions_sha256 for one in ours]
    assert [one.artifact and one.artifact.sha256 for one in theirs] == [
        one.artifact and one.artifact.sha256 for one in ours
    ]


def test_two_bundles_of_the_same_things_are_the_same_bytes(packed: Path, tmp_path: Path) -> None:
    again = toy.call(
        packed.parent, "bundle", "--cards", "cards", "--offline", "-o", str(tmp_path / "b.zip")
    )

    assert again.returncode == 0, again.stderr
    assert (tmp_path / "b.zip").read_bytes() == packed.read_bytes()


def test_a_bundle_brings_its_own_suite(packed: Path, tmp_path: Path) -> None:
    done = toy.call(tmp_path, "run", "quick", "--bundle", str(packed))

    assert done.returncode == 2
    assert "leave the others out" in done.stderr


def test_what_is_asked_in_words_is_left_out_with_the_reason(tmp_path: Path) -> None:
    toy.project(tmp_path, models='"majority", "smollm2-135m"')

    done = toy.call(tmp_path, "bundle", "--cards", "cards", "--offline")

    assert done.returncode == 3
    assert "chooses its prompt on the device" in " ".join(done.stderr.split())
    assert (tmp_path / "bundle.zip").is_file()


class Altered:
    """A copy of a bundle that can be changed."""

    def __init__(self, packed: Path, folder: Path) -> None:
        self.path = folder / "altered.zip"
        self.folder = folder
        with zipfile.ZipFile(packed) as source:
            self.members = {name: source.read(name) for name in source.namelist()}
        self.bundle = msgspec.json.decode(self.members[LISTING], type=Bundle)

    def write(self, **changes: object) -> Altered:
        self.members[LISTING] = msgspec.json.encode(msgspec.structs.replace(self.bundle, **changes))
        with zipfile.ZipFile(self.path, "w") as target:
            for name, data in self.members.items():
                target.writestr(name, data)
        return self

    def refusal(self) -> str:
        cache = Cache(self.folder / "cache")
        with pytest.raises(PrepareError) as raised:
            bundle.unpack(self.path, cache)
        kept = [path for path in cache.root.rglob("*") if path.is_file() and path.name != ".lock"]
        assert kept == []
        return str(raised.value)

    def some(self, part: str) -> str:
        return next(name for name in self.members if part in name)


@pytest.fixture
def altered(packed: Path, tmp_path: Path) -> Altered:
    return Altered(packed, tmp_path)


def test_an_unaltered_copy_is_taken(altered: Altered) -> None:
    unpacked = bundle.unpack(altered.write().path, Cache(altered.folder / "cache"))

    assert unpacked.bundle.cells == altered.bundle.cells
    assert len(bundle.cells(unpacked, 1)) == len(altered.bundle.cells)


def test_a_changed_byte_is_found(altered: Altered) -> None:
    name = altered.some("artifacts")
    altered.members[name] = altered.members[name][:-1] + b"!"

    assert f"{name} is not what the listing says" in altered.write().refusal()


def test_a_file_too_few_or_too_many_is_found(altered: Altered) -> None:
    extra = altered.write().members | {"cache/artifacts/aa/more": b"x"}
    altered.members = dict(extra)
    assert "more is not in the listing" in altered.write().refusal()
    del altered.members["cache/artifacts/aa/more"]
    del altered.members[altered.some("dataset.json")]
    assert "dataset.json is missing" in altered.write().refusal()


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "cache/../../outside"])
def test_a_name_that_leads_outside_is_refused(altered: Altered, name: str) -> None:
    altered.members[name] = b"x"

    altered.write().refusal()

    assert not (altered.folder / "outside").exists()
    assert not (altered.folder.parent / "outside").exists()


@pytest.mark.parametrize("name", ["cache/files/aa/x", "cards/tasks/toy/README.md", "x"])
def test_a_listed_file_without_a_place_is_refused(altered: Altered, name: str) -> None:
    altered.members[name] = b""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    listed = msgspec.structs.replace(altered.bundle.files[0], name=name, sha256=empty, size_bytes=0)

    said = altered.write(files=(*altered.bundle.files, listed)).refusal()

    assert "has no place in a cache" in said


def test_a_file_listed_twice_is_refused(altered: Altered) -> None:
    files = altered.bundle.files

    assert "names a file twice" in altered.write(files=(*files, files[0])).refusal()


def test_another_version_schema_or_processor_is_refused_by_name(altered: Altered) -> None:
    assert "made by steelyard 9.9" in altered.write(tool_version="9.9").refusal()
    assert "schema 2, this steelyard reads 1" in altered.write(schema=2).refusal()
    said = altered.write(machine="pdp11").refusal()
    assert f"artefacts for pdp11, this processor is {platform.machine()}" in said


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 40])
def test_what_is_no_bundle_says_what_one_is(altered: Altered, data: bytes) -> None:
    altered.path.write_bytes(data)

    assert "a bundle is what `steelyard bundle` writes" in altered.refusal()


def test_a_truncated_bundle_is_refused(altered: Altered, packed: Path) -> None:
    whole = packed.read_bytes()
    altered.path.write_bytes(whole[: len(whole) // 2])

    assert altered.refusal()


def test_a_bundle_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = toy.call(tmp_path, "run", "--bundle", "none.zip")

    assert done.returncode == 3
    assert "none.zip: no such file" in done.stderr
    assert "Traceback" not in done.stderr
