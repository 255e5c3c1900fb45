"""Tuning leaves nothing tuned, wherever it is stopped."""

from __future__ import annotations

import contextlib
import fcntl
from pathlib import Path

import pytest
from tests.unit.tuned_board import (
    GOVERNORS,
    NO_TURBO,
    ORIGINALS,
    WISHES,
    Killed,
    Mortal,
    board,
    call,
    place,
    reboot,
    steps_of,
    untouched,
    values,
)

from steelyard import tuning, tuning_journal
from steelyard.errors import Refusal, StoreError
from steelyard.tuning import Tuning
from steelyard.tuning_journal import JOURNAL, LOCK, Change, Disk, TuningJournal


@pytest.mark.parametrize(
    ("again", "torn"), [("off", False), ("off", True), ("status", False), ("on", False)]
)
def test_a_kill_before_any_step_leaves_nothing_tuned_after_the_next_tune(
    tmp_path: Path, again: str, torn: bool
) -> None:
    count = steps_of(tmp_path, "on")
    assert count > 10
    for last in range(count):
        root = board(tmp_path)
        with pytest.raises(Killed):
            tuning.on(place(root, Mortal(root, last, torn=torn)), WISHES)

        result = call(again, place(root))
        if again == "on" or last == count - 1:
            # The last step comes after the journal says that all changes were made.
            assert result.on == (again != "off")
            tuning.off(place(root))

        assert untouched(root), f"killed before step {last}"


def test_a_kill_never_finds_a_changed_setting_whose_original_is_not_on_disk(
    tmp_path: Path,
) -> None:
    for last in range(steps_of(tmp_path, "on", "off")):
        root = board(tmp_path)
        disk = Mortal(root, last)
        with contextlib.suppress(Killed):
            tuning.on(place(root, disk), WISHES)
            tuning.off(place(root, disk))

        assert disk.steps == last
        journal = tuning_journal.read(root)
        originals = {c.path: c.original for c in journal.changes} if journal else {}
        now = values(root)
        changed = {path for path in ORIGINALS if now[path] != ORIGINALS[path]}
        assert changed <= set(originals), f"killed before step {last}"
        assert all(originals[path] == ORIGINALS[path] for path in changed)


@pytest.mark.parametrize("first", ["off", "on"])
def test_a_kill_while_setting_back_is_made_good_by_the_next_off(tmp_path: Path, first: str) -> None:
    begun = steps_of(tmp_path, "on")
    for last in range(begun, steps_of(tmp_path, "on", first)):
        root = board(tmp_path)
        disk = Mortal(root, last)
        tuning.on(place(root, disk), WISHES)
        with pytest.raises(Killed):
            call(first, place(root, disk))

        tuning.off(place(root))

        assert untouched(root), f"killed before step {last}"


def test_an_original_that_cannot_be_set_back_stays_in_the_journal(tmp_path: Path) -> None:
    root = board(tmp_path)
    tuning.on(place(root), WISHES)
    disk = Mortal(root)
    disk.refused = {NO_TURBO}

    with pytest.raises(Refusal, match=f"could not set back /{NO_TURBO} to 0 .* or reboot"):
        tuning.off(place(root, disk))

    assert {path: v for path, v in values(root).items() if v != ORIGINALS[path]} == {NO_TURBO: "1"}

    tuning.off(place(root))

    assert untouched(root)


@pytest.mark.parametrize("command", ["off", "status", "on"])
def test_after_a_reboot_the_journal_is_dropped_and_nothing_is_written(
    tmp_path: Path, command: str
) -> None:
    root = board(tmp_path)
    tuning.on(place(root), WISHES)
    reboot(root)
    (root / GOVERNORS[0]).write_text("ondemand\n")

    result = call(command, place(root))

    assert result.notes[0] == "a reboot has set back what was tuned; its journal is dropped"
    if command == "on":
        assert result.settings[0].original == "ondemand"
    else:
        assert values(root)[GOVERNORS[0]] == "ondemand"
        assert not (root / JOURNAL).exists()


def test_status_without_root_tells_and_changes_nothing(tmp_path: Path) -> None:
    root = board(tmp_path)
    assert tuning.status(place(root, user=1000)) == Tuning(on=False)

    last = steps_of(root, "on") - 3
    board(root)
    with pytest.raises(Killed):
        tuning.on(place(root, Mortal(root, last)), WISHES)
    before = values(root)

    killed = tuning.status(place(root, user=1000))

    assert killed.on
    assert "killed half way; set its changes back with: sudo python" in killed.notes[0]
    assert values(root) == before

    reboot(root)

    rebooted = tuning.status(place(root, user=1000))
    assert rebooted == Tuning(on=False, notes=("a reboot has set back what was tuned",))
    assert (root / JOURNAL).exists()


def test_two_tunes_at_once_are_refused(tmp_path: Path) -> None:
    root = board(tmp_path)
    (root / LOCK).parent.mkdir(parents=True)
    with (root / LOCK).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        with pytest.raises(Refusal, match="another 'steelyard tune' is at work"):
            tuning.on(place(root), WISHES)

    assert untouched(root)


def test_a_damaged_journal_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    root = board(tmp_path)
    (root / JOURNAL).parent.mkdir(parents=True)
    (root / JOURNAL).write_text('{"schema": 1, ')

    with pytest.raises(StoreError, match=r"not a tuning journal .* reboot, which restores"):
        tuning.off(place(root))


def test_a_journal_from_a_newer_steelyard_is_not_guessed_at(tmp_path: Path) -> None:
    root = board(tmp_path)
    change = Change(path=GOVERNORS[0], original="schedutil", wanted="performance")
    (root / JOURNAL).parent.mkdir(parents=True)
    tuning_journal.keep(
        Disk(root), TuningJournal(schema=2, boot="boot-one", changes=(change,), complete=True)
    )

    with pytest.raises(StoreError, match="schema 2, this steelyard reads 1"):
        tuning.status(place(root))


def test_a_folder_that_cannot_be_made_stops_tuning_before_it_starts(tmp_path: Path) -> None:
    root = board(tmp_path)
    (root / "var").write_text("a file where a folder should be")

    with pytest.raises(StoreError, match="tuning keeps the original values there"):
        tuning.on(place(root), WISHES)

    assert untouched(root)


def test_tuning_on_a_real_disk_can_be_set_back(tmp_path: Path) -> None:
    root = board(tmp_path)

    tuning.on(place(root, Disk(root)), WISHES)
    assert values(root)[NO_TURBO] == "1"
    journal = tuning_journal.read(root)
    assert journal is not None
    assert journal.complete
    tuning.off(place(root, Disk(root)))

    changed = {path for path, value in values(root).items() if value != ORIGINALS[path]}
    assert changed == set()
