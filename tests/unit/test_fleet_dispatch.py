"""Which device does what next, without any device: lost ones, late ones, wrong ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from tests.unit import builders
from tests.unit.fleeting import (
    BUNDLE,
    CELLS,
    DIGEST,
    PINS,
    RUN,
    Device,
    Link,
    delivery,
    dispatch,
    home,
)

from steelyard import store
from steelyard.errors import FleetError, StoreError
from steelyard.fleet.keeping import Home
from steelyard.fleet.messages import Declined, Dismissal, Interrupted, Part, Unready
from steelyard.fleet.talking import Rules, Unfinished
from steelyard.store import Journal


def kept(folder: Path, label: str) -> list[str]:
    (run,) = (folder / "runs").iterdir()
    return [one.cell.id for one in Journal.read(run / label).records]


def test_every_device_gets_every_cell_one_after_the_other(tmp_path: Path) -> None:
    link = Link(a=Device(), b=Device())

    unfinished, heard = dispatch(tmp_path, link)

    assert unfinished == ()
    for label, device in link.devices.items():
        assert device.ordered == list(CELLS)
        assert isinstance(device.asked[-1], Dismissal)
        assert kept(tmp_path, label) == [
            f"spam/tiny@int8/{label}.cpu-1t", f"spam/tiny@fp32/{label}.cpu-1t"
        ]  # fmt: skip
    assert len(heard.home) == 4


def test_a_device_that_lacks_the_bundle_gets_it_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steelyard.fleet.dispatch.PART_BYTES", 10)
    device = Device(lacks=True)

    unfinished, _ = dispatch(tmp_path, Link(a=device))

    parts = [one for one in device.asked if isinstance(one, Part)]
    assert unfinished == ()
    assert b"".join(one.data for one in parts) == BUNDLE
    assert [one.begin for one in parts] == [0, 10, 20, 30]


def test_a_lost_devices_cell_is_reported_and_waits_for_the_same_device(tmp_path: Path) -> None:
    link = Link(a=Device("lost"), b=Device())
    link.comes[10.0] = "a"

    unfinished, heard = dispatch(tmp_path, link)

    assert unfinished == ()
    assert link.devices["a"].ordered == [CELLS[0], *CELLS]
    assert link.devices["b"].ordered == list(CELLS)
    assert f"a: device lost during {CELLS[0]}; the cell waits up to 30 s" in heard.text
    assert "a: back" in heard.lines


def test_a_device_that_does_not_come_back_leaves_its_cells_unfinished_with_the_reason(
    tmp_path: Path,
) -> None:
    link = Link(a=Device("lost"), b=Device())

    unfinished, _ = dispatch(tmp_path, link)

    reason = "device lost: not back within 30 s"
    assert unfinished == tuple(Unfinished(label="a", cell=one, reason=reason) for one in CELLS)
    assert kept(tmp_path, "a") == []
    assert len(kept(tmp_path, "b")) == 2


def test_a_cell_that_ends_its_device_every_time_is_not_tried_for_ever(tmp_path: Path) -> None:
    link = Link(a=Device("lost", "lost", "lost"))
    link.comes = {5.0: "a", 10.0: "a", 15.0: "a"}

    unfinished, heard = dispatch(tmp_path, link)

    assert unfinished == (Unfinished(label="a", cell=CELLS[0], reason="device lost, 3 times"),)
    assert link.devices["a"].ordered == [CELLS[0]] * 3 + [CELLS[1]]
    assert f"a: {CELLS[0]}: not tried again" in heard.lines
    # What it has of the run is not home yet, and is left on it.
    assert not any(isinstance(one, Dismissal) for one in link.devices["a"].asked)


def test_a_device_that_vanishes_between_two_answers_is_noticed_by_the_roll_call(
    tmp_path: Path,
) -> None:
    link = Link(a=Device("silent"))
    link.present = _gone_from(link, 3.0)  # type: ignore[method-assign]
    link.comes[8.0] = "a"

    unfinished, heard = dispatch(tmp_path, link)

    assert unfinished == ()
    assert "device lost during" in heard.text


def _gone_from(link: Link, when: float) -> Callable[[], frozenset[str]]:
    known = link.present
    gone: list[bool] = []

    def present() -> frozenset[str]:
        if link.now >= when and not gone:
            gone.append(True)
            link.here.discard("a")
        return known()

    return present


def test_a_measuring_process_that_was_killed_is_reported_and_the_cell_done_again(
    tmp_path: Path,
) -> None:
    device = Device(Interrupted(reason="ended with SIGKILL"))

    unfinished, heard = dispatch(tmp_path, Link(a=device))

    assert unfinished == ()
    assert f"a: {CELLS[0]}: ended with SIGKILL" in heard.lines
    assert device.ordered == [CELLS[0], *CELLS]


def test_a_device_that_was_started_anew_is_offered_the_run_again(tmp_path: Path) -> None:
    device = Device(Unready())

    unfinished, _ = dispatch(tmp_path, Link(a=device))

    assert unfinished == ()
    assert kept(tmp_path, "a")[0].startswith("spam/tiny@int8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sha256": "0" * 64}, "its sha256 differs"),
        ({"record": b"{}", "sha256": hashlib.sha256(b"{}").hexdigest()},
         "no record of this version"),
        ({"run": "another"}, "in run another"),
        ({"predictions": b"x"}, "did not come together"),
    ],
)  # fmt: skip
def test_a_delivery_that_is_not_what_it_says_is_refused_and_asked_for_again(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    device = Device(delivery(CELLS[0], **change))

    unfinished, heard = dispatch(tmp_path, Link(a=device))

    assert unfinished == ()
    assert said in heard.text
    assert len(kept(tmp_path, "a")) == 2


def test_a_record_of_other_cards_is_never_kept(tmp_path: Path) -> None:
    pins = structs.replace(PINS, models={"tiny": "f" * 64})
    made = Home.start(tmp_path / "runs", "toy", DIGEST, pins)
    made.listing = structs.replace(made.listing, run=RUN)

    unfinished, heard = dispatch(tmp_path, Link(a=Device()), kept=made)

    assert [one.cell for one in unfinished] == list(CELLS)
    assert "of other cards than the bundle's" in heard.text
    assert kept(tmp_path, "a") == []


def test_a_device_that_declines_is_given_up_and_the_others_go_on(tmp_path: Path) -> None:
    class Other(Device):
        def answer(self, request: object) -> Declined:
            return Declined(reason="has artefacts for x86_64, this processor is aarch64")

    link = Link(a=Other(), b=Device())

    unfinished, _ = dispatch(tmp_path, link)

    assert [(one.label, one.cell) for one in unfinished] == [("a", None)]
    assert "aarch64" in unfinished[0].reason
    assert len(kept(tmp_path, "b")) == 2


def test_only_named_devices_take_part_and_are_waited_for(tmp_path: Path) -> None:
    link = Link(a=Device(), b=Device())
    link.here = {"a"}
    link.comes[12.0] = "b"

    unfinished, _ = dispatch(tmp_path, link, Rules(devices=("b",), wait_s=30))

    assert unfinished == ()
    assert link.devices["a"].asked == []
    assert len(link.devices["b"].ordered) == 2


def test_a_named_device_that_never_joins_and_a_fleet_without_any_are_told(tmp_path: Path) -> None:
    link = Link()

    unfinished, _ = dispatch(tmp_path, link, Rules(devices=("c",), wait_s=5))
    again = Home.resume(tmp_path / "runs", "toy", DIGEST, PINS)
    with pytest.raises(FleetError, match="no device joined within 5 s"):
        dispatch(tmp_path, Link(), Rules(wait_s=5), again)

    assert unfinished == (Unfinished(label="c", cell=None, reason="it never joined within 5 s"),)


def test_a_device_that_joins_while_others_work_takes_part(tmp_path: Path) -> None:
    link = Link(a=Device("lost"), b=Device())
    link.here = {"a"}
    link.comes = {4.0: "b", 9.0: "a"}

    unfinished, _ = dispatch(tmp_path, link)

    assert unfinished == ()
    assert len(link.devices["b"].ordered) == 2


def test_a_scheduler_that_comes_back_finds_its_devices(tmp_path: Path) -> None:
    link = Link(a=Device("cut"))
    reconnect = link.reconnect

    def mended(timeout_s: float) -> bool:
        link.cut = link.now < 10
        return reconnect(timeout_s)

    link.reconnect = mended  # type: ignore[method-assign]

    unfinished, heard = dispatch(tmp_path, link)

    assert unfinished == ()
    assert "scheduler back" in heard.lines
    assert link.devices["a"].ordered == [CELLS[0], *CELLS]


def test_a_scheduler_that_stays_away_ends_the_run_and_what_is_home_is_resumed(
    tmp_path: Path,
) -> None:
    device = Device(delivery(CELLS[0]), "cut")
    with pytest.raises(FleetError, match="--resume goes on"):
        dispatch(tmp_path, Link(a=device))
    assert len(kept(tmp_path, "a")) == 1
    again = Home.resume(tmp_path / "runs", "toy", DIGEST, PINS)
    again.listing = structs.replace(again.listing, run=RUN)
    fresh = Device()

    unfinished, heard = dispatch(tmp_path, Link(a=fresh), kept=again)

    assert unfinished == ()
    assert fresh.ordered == [CELLS[1]]
    assert "1 of 2 cells are home" in heard.text


def test_what_a_device_has_finished_meanwhile_is_fetched_first(tmp_path: Path) -> None:
    device = Device()
    device.kept = {CELLS[1]}

    _, heard = dispatch(tmp_path, Link(a=device))

    assert device.ordered == [CELLS[1], CELLS[0]]
    assert "0 of 2 cells are home, 1 more are to be fetched" in heard.text


def test_another_board_under_a_known_label_and_another_bundle_are_refused(tmp_path: Path) -> None:
    dispatch(tmp_path, Link(a=Device("lost")), Rules(wait_s=5))
    again = Home.resume(tmp_path / "runs", "toy", DIGEST, PINS)
    again.listing = structs.replace(again.listing, run=RUN)
    other = Device()
    other.header = builders.header(host=structs.replace(builders.host(), cpu="Another 1"))

    unfinished, _ = dispatch(tmp_path, Link(a=other), kept=again)

    assert "was Testium 9000, now it is Another 1" in unfinished[0].reason
    with pytest.raises(StoreError, match="another bundle"):
        Home.resume(tmp_path / "runs", "toy", "0" * 64, PINS)


def test_the_run_files_name_each_devices_own_machine(tmp_path: Path) -> None:
    there = home(tmp_path)
    fast, slow = Device(), Device()
    slow.header = builders.header(host=structs.replace(builders.host(), cpu="Slow 1"))
    dispatch(tmp_path, Link(a=fast, b=slow), kept=there)

    folders = there.close()

    runs = [run for folder in folders for run in store.read_runs(folder)]
    assert [(run.device, run.host.cpu) for run in runs] == [
        ("a.cpu-1t", "Testium 9000"), ("b.cpu-1t", "Slow 1")
    ]  # fmt: skip
    assert {run.run for run in runs} == {RUN}
