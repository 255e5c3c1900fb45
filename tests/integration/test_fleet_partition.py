"""Three devices in network namespaces of their own: a pulled cable, TLS between real addresses."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import toy
from tests.integration.fleets import Fleet, wait_for

from steelyard.fleet import certificates

pytest.importorskip("distributed")
pytest.importorskip("cryptography")

LABELS = ("a", "b", "c")
FIRST = "toy-00/majority@constant/cpu-1t"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def namespace(label: str) -> str:
    return f"steelyard-{os.getpid()}-{label}"


def cable(label: str) -> str:
    """The end of a device's cable on this side; names of interfaces have 15 letters at most."""
    return f"sy{os.getpid() % 1_000_000}{label}"


def network(label: str) -> str:
    """A net for two, of those that are for testing between networks (RFC 2544)."""
    return f"198.18.{os.getpid() % 250}.{4 * LABELS.index(label)}"


def address(label: str, end: int) -> str:
    first, _, last = network(label).rpartition(".")
    return f"{first}.{int(last) + end}"


def plug(label: str) -> None:
    """Lay a cable from here to a new namespace."""
    name, here, there = namespace(label), cable(label), f"{cable(label)}x"
    ip("netns", "add", name)
    ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
    ip("addr", "add", f"{address(label, 1)}/30", "dev", here)
    ip("link", "set", here, "up")
    ip("-n", name, "addr", "add", f"{address(label, 2)}/30", "dev", there)
    ip("-n", name, "link", "set", there, "up")
    ip("-n", name, "link", "set", "lo", "up")
    ip("-n", name, "route", "add", "default", "via", address(label, 1))


def unplug(label: str) -> None:
    subprocess.run(["ip", "netns", "del", namespace(label)], check=False, capture_output=True)
    subprocess.run(["ip", "link", "del", cable(label)], check=False, capture_output=True)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("network namespaces need root and iproute2")
    made = None
    try:
        for label in LABELS:
            try:
                plug(label)
            except subprocess.CalledProcessError as error:
                pytest.skip(f"no network namespaces here: {error.stderr.decode().strip()}")
        toy.project(tmp_path, tasks=2)
        certificates.make(tmp_path / "certificates", LABELS)
        made = Fleet(tmp_path, host=address("a", 1))
        yield made
    finally:
        if made is not None:
            made.end()
        for label in LABELS:
            unplug(label)


def test_a_device_behind_a_pulled_cable_goes_on_and_its_cell_comes_home_later(
    fleet: Fleet,
) -> None:
    fleet.scheduler(lost_after=10.0)
    devices = {
        label: fleet.worker(label, inside=("ip", "netns", "exec", namespace(label)))
        for label in LABELS
    }
    fleet.hold("b")
    run = fleet.run("--wait", "900")
    devices["b"].heard(f"measuring {FIRST}")

    ip("link", "set", cable("b"), "down")
    fleet.release("b")
    run.heard(f"b: device lost during {FIRST}")
    wait_for(lambda: len(fleet.records("a")) == len(fleet.records("c")) == 2, "the others'")
    assert fleet.records("b") == ()
    ip("link", "set", cable("b"), "up")
    run.heard("b: back")

    assert run.ended() == 0, run.said
    assert [len(fleet.records(label)) for label in LABELS] == [2, 2, 2]
    # Cut off, it measured on; asked again, it handed over what it had.
    first = fleet.records("b")[0]
    assert first.cell.task == "toy-00"
    assert len(list((fleet.folder / "cache-b").glob("artifacts/*"))) >= 1
    assert "1 more are to be fetched" in run.said
