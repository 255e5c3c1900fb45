"""An index of weights comes from a stranger; it never leads out of its folder."""

from __future__ import annotations

import json
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steelyard import shards
from steelyard.errors import Refusal

TWO = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
HOSTILE = (
    "../model.safetensors",
    "../../../../etc/passwd",
    "/etc/passwd.safetensors",
    "sub/model.safetensors",
    "./model.safetensors",
    "..\\model.safetensors",
    "C:\\model.safetensors",
    "C:model.safetensors",
    "\\\\server\\share\\model.safetensors",
    "https://example.org/model.safetensors",
    "model.bin",
    "model.safetensors/../model.bin",
    "model.safetensors\n",
    "model\0.safetensors",
    "..safetensors",
    ".safetensors",
    "~root.safetensors",
    "",
    ".",
    "..",
    f"{'m' * 300}.safetensors",
)


def index(*names: str) -> bytes:
    places = {f"weight.{number}": name for number, name in enumerate(names)}
    return json.dumps({"metadata": {"total_size": 8}, "weight_map": places}).encode()


def test_the_files_of_an_index_are_named_once_and_in_order() -> None:
    assert shards.named(index(TWO[1], TWO[0], TWO[1]), "index") == TWO


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_is_no_plain_file_of_safetensors_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match="a shard is a plain name beside its index"):
        shards.named(index(TWO[0], name), "model.safetensors.index.json")


def test_the_refusal_says_which_file_and_which_name() -> None:
    with pytest.raises(Refusal, match=r"^here/x\.json: weight_map names '\.\./m\.safetensors'; "):
        shards.named(index("../m.safetensors"), "here/x.json")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"weight_map": null}',
        b'{"weight_map": ["a.safetensors"]}',
        b'{"weight_map": {"a": 1}}',
        b'{"weight_map": {"a": ["a.safetensors"]}}',
        b'{"weight_map": {"a": "\xff.safetensors"}}',
        b'{"weight_map": {}}',
    ],
)
def test_what_is_no_index_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal, match="index: "):
        shards.named(data, "index")


def test_a_table_that_is_there_twice_is_read_as_the_loading_library_reads_it() -> None:
    first, second = '{"a": "a.safetensors"}', '{"a": "../b.safetensors"}'
    twice = f'{{"weight_map": {first}, "weight\\u005fmap": {second}}}'
    assert json.loads(twice)["weight_map"]["a"] == "../b.safetensors"

    with pytest.raises(Refusal, match="plain name"):
        shards.named(twice.encode(), "index")


def test_a_shard_that_is_not_there_is_refused() -> None:
    shards.check(index(*TWO), {*TWO, "config.json"}, "index")
    with pytest.raises(Refusal, match=rf"names {TWO[1]}, which is not among its files"):
        shards.check(index(*TWO), {TWO[0]}, "index")


PARTS = st.sampled_from(["..", ".", "/", "\\", "a", "model", ".safetensors", ":", "\0", "~", "C:"])


@given(
    st.one_of(
        st.text(max_size=40),
        st.text(max_size=20).map(lambda stem: f"{stem}.safetensors"),
        st.lists(PARTS, max_size=8).map("".join),
        st.from_regex(r"\A[a-z0-9-]{1,20}\.safetensors\Z"),
    )
)
@example("a..safetensors")
def test_whatever_is_let_through_stays_in_its_folder_on_every_system(name: str) -> None:
    try:
        (found,) = shards.named(index(name), "index")
    except Refusal:
        return
    assert found == name
    assert name.endswith(".safetensors")
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        assert path.parts == (name,)
        assert not path.anchor


@given(st.binary(max_size=200))
def test_any_bytes_are_an_index_or_a_refusal(data: bytes) -> None:
    try:
        names = shards.named(data, "index")
    except Refusal:
        return
    assert names


@given(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,40}\.safetensors\Z"))
def test_plain_names_are_let_through(name: str) -> None:
    assert shards.named(index(name), "index") == (name,)
