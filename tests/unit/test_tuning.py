"""Tuning leaves nothing tuned, wherever it is stopped."""

from __future__ import annotations

import contextlib
import fcntl
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from steelyard import tuning, tuning_journal
from steelyard.cli import tune
from steelyard.errors import Refusal, StoreError
from steelyard.host.machine import Machine
from steelyard.tuning import Place, Setting, Tuning, Wishes
from steelyard.tuning_journal import JOURNAL, LOCK, Change, Disk, TuningJournal

CPUFREQ = "sys/devices/system/cpu/cpufreq"
GOVERNORS = tuple(f"{CPUFREQ}/policy{number}/scaling_governor" for number in (0, 4))
PREFERENCES = tuple(f"{CPUFREQ}/policy{number}/energy_performance_preference" for number in (0, 4))
NO_TURBO = "sys/devices/system/cpu/intel_pstate/no_turbo"
GPU = "sys/class/devfreq/17000000.gpu"
WISHES = Wishes(no_turbo=True, gpu_clock=True)
ORIGINALS = {
    tuning.BOOT_ID: "boot-one",
    GOVERNORS[0]: "schedutil",
    GOVERNORS[1]: "powersave",
    f"{CPUFREQ}/policy0/scaling_available_governors": "performance schedutil powersave",
    PREFERENCES[0]: "balance_performance",
    PREFERENCES[1]: "128",
    NO_TURBO: "0",
    f"{GPU}/device/of_node/name": "ga10b\0",
    f"{GPU}/min_freq": "306000000",
    f"{GPU}/max_freq": "918000000",
    "sys/class/devfreq/dmc/device/of_node/name": "memory-controller",
    "sys/class/devfreq/dmc/min_freq": "1",
    "sys/class/devfreq/dmc/max_freq": "2",
}
TUNED = {
    GOVERNORS[0]: "performance",
    GOVERNORS[1]: "performance",
    NO_TURBO: "1",
    f"{GPU}/min_freq": "918000000",
}


class Killed(BaseException):
    """What stands for SIGKILL: no handler may go on writing after it."""


class Mortal(Disk):
    """A disk on which the kernel acts, until step `last`; a torn write is half of that step.

    Like intel_pstate and amd-pstate, its kernel alters the preference with the governor. It waits
    for no real disk: a test process that ends takes nothing written with it.
    """

    def __init__(self, root: Path, last: int | None = None, *, torn: bool = False) -> None:
        super().__init__(root)
        self.steps = 0
        self.last = last
        self.torn = torn
        self.refused: set[str] = set()

    def step(self) -> None:
        if self.last is not None and self.steps >= self.last:
            raise Killed
        self.steps += 1

    def set(self, path: str, value: str) -> None:
        self.step()
        if path in self.refused:
            raise PermissionError(1, "Operation not permitted", path)
        put(self.root / path, value)
        if path in GOVERNORS:
            preference = self.root / PREFERENCES[GOVERNORS.index(path)]
            put(preference, "performance" if value == "performance" else "default")

    def make(self, folder: str) -> None:
        self.step()
        super().make(folder)

    def write(self, path: str, data: bytes) -> None:
        if self.torn and self.steps == self.last:
            (self.root / path).write_bytes(data[: len(data) // 2])
        self.step()
        (self.root / path).write_bytes(data)

    def replace(self, old: str, new: str) -> None:
        self.step()
        super().replace(old, new)

    def remove(self, path: str) -> None:
        self.step()
        super().remove(path)

    def sync(self, folder: str) -> None:
        self.step()


def board(root: Path, **changes: str) -> Path:
    """Write the tree of a board that has a CPU of two policies, a turbo and a GPU.

    A tree that is there already becomes as new, without a journal.
    """
    (root / JOURNAL).unlink(missing_ok=True)
    for path, text in {**ORIGINALS, **changes}.items():
        put(root / path, f"{text}\n")
    return root


def put(path: Path, text: str) -> None:
    """Write a file anew: disks are slow to truncate one, as kernel settings are not."""
    if path.exists():
        path.unlink()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def place(root: Path, disk: Disk | None = None, user: int = 0) -> Place:
    return Place(
        machine=Machine(root=root, ask=lambda _: None),
        disk=disk or Mortal(root),
        user=user,
        as_root="sudo python -m steelyard tune on --no-turbo",
    )


def reboot(root: Path) -> None:
    for path, text in {**ORIGINALS, tuning.BOOT_ID: "boot-two"}.items():
        (root / path).write_text(f"{text}\n")


def values(root: Path) -> dict[str, str]:
    return {path: (root / path).read_text().strip() for path in ORIGINALS}


def untouched(root: Path) -> bool:
    return values(root) == ORIGINALS


def steps_of(root: Path, *commands: str) -> int:
    """Return how many steps `commands` take when nothing stops them; they stay done."""
    disk = Mortal(board(root))
    for command in commands:
        call(command, place(root, disk))
    return disk.steps


def call(command: str, at: Place) -> Tuning:
    if command == "on":
        return tuning.on(at, WISHES)
    return tuning.off(at) if command == "off" else tuning.status(at)


def test_on_sets_what_is_asked_and_off_sets_it_back(tmp_path: Path) -> None:
    root = board(tmp_path)

    result = tuning.on(place(root), WISHES)

    preferences = dict.fromkeys(PREFERENCES, "performance")
    assert values(root) == {**ORIGINALS, **TUNED, **preferences}
    assert result.on
    assert result.settings[0] == Setting(
        path=GOVERNORS[0], original="schedutil", wanted="performance", present="performance"
    )
    assert tuning.off(place(root)) == Tuning(on=False, notes=("6 settings are as they were",))
    assert untouched(root)
    assert not (root / JOURNAL).exists()


def test_without_options_only_the_governors_are_tuned(tmp_path: Path) -> None:
    root = board(tmp_path)

    tuning.on(place(root), Wishes())

    now = values(root)
    changed = {path for path in ORIGINALS if now[path] != ORIGINALS[path]}
    assert changed == {*GOVERNORS, *PREFERENCES}


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


def test_tuning_twice_keeps_the_first_originals(tmp_path: Path) -> None:
    root = board(tmp_path)
    tuning.on(place(root), WISHES)
    tuning.on(place(root), Wishes())

    assert values(root)[NO_TURBO] == "0"

    tuning.off(place(root))

    assert untouched(root)


@pytest.mark.parametrize("refused", list(TUNED))
def test_a_setting_that_the_kernel_refuses_has_the_others_set_back(
    tmp_path: Path, refused: str
) -> None:
    root = board(tmp_path)
    disk = Mortal(root)
    disk.refused = {refused}

    with pytest.raises(Refusal, match=f"/{refused}: cannot be set .* not permitted; all settings"):
        tuning.on(place(root, disk), WISHES)

    assert untouched(root)
    assert not (root / JOURNAL).exists()


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


def test_without_root_nothing_is_tuned_and_the_command_is_named(tmp_path: Path) -> None:
    root = board(tmp_path)

    for command in ("on", "off"):
        with pytest.raises(Refusal) as caught:
            call(command, place(root, user=1000))
        assert str(caught.value) == (
            "only root may tune this machine\ntry: sudo python -m steelyard tune on --no-turbo"
        )

    assert untouched(root)
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


def test_status_of_a_tuned_machine_shows_each_setting_as_it_is_now(tmp_path: Path) -> None:
    root = board(tmp_path)
    tuning.on(place(root), WISHES)
    (root / GOVERNORS[1]).write_text("ondemand\n")

    result = tuning.status(place(root))

    assert result.on
    assert {s.path: s.present for s in result.settings}[GOVERNORS[1]] == "ondemand"
    assert (root / JOURNAL).exists()


def test_a_machine_without_cpufreq_is_refused(tmp_path: Path) -> None:
    (tmp_path / tuning.BOOT_ID).parent.mkdir(parents=True)
    (tmp_path / tuning.BOOT_ID).write_text("boot-one\n")

    with pytest.raises(Refusal, match="no cpufreq; a virtual machine hides it"):
        tuning.on(place(tmp_path), Wishes())


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (NO_TURBO, "--no-turbo: neither"),
        (f"{GPU}/device/of_node/name", "--gpu-clock: no Jetson GPU"),
        (GOVERNORS[1], None),
    ],
)
def test_a_wish_that_this_machine_cannot_meet_is_refused_before_anything_changes(
    tmp_path: Path, missing: str, said: str | None
) -> None:
    root = board(tmp_path)
    tuning.on(place(root), Wishes())
    before = values(root)
    if said is None:
        (root / f"{CPUFREQ}/policy4/scaling_available_governors").write_text("powersave\n")
        said = "no governor 'performance' here, only: powersave"
    else:
        (root / missing).unlink()
        before = {path: value for path, value in before.items() if path != missing}

    with pytest.raises(Refusal, match=said):
        tuning.on(place(root), WISHES)

    assert {path: (root / path).read_text().strip() for path in before} == before


def test_boost_is_the_turbo_of_machines_without_intel_pstate(tmp_path: Path) -> None:
    boost = f"{CPUFREQ}/boost"
    root = board(tmp_path, **{boost: "1"})
    (root / NO_TURBO).unlink()

    tuning.on(place(root), Wishes(no_turbo=True))
    assert (root / boost).read_text() == "0"
    tuning.off(place(root))

    assert (root / boost).read_text() == "1"


def test_a_machine_that_is_as_wanted_gets_no_journal(tmp_path: Path) -> None:
    root = board(tmp_path, **TUNED)

    result = tuning.on(place(root), WISHES)

    assert result == Tuning(on=False, notes=("all settings are as wanted already",))
    assert not (root / JOURNAL).exists()


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


def test_off_where_nothing_is_tuned_writes_nothing(tmp_path: Path) -> None:
    root = board(tmp_path)

    assert tuning.off(place(root)) == Tuning(on=False, notes=("nothing is tuned",))
    assert not (root / "var").exists()


def test_the_command_prints_each_setting_and_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = board(tmp_path)
    monkeypatch.setattr(tune, "_place", lambda *_: place(root))

    tuned = CliRunner().invoke(tune.command, ["on", "--no-turbo"])
    back = CliRunner().invoke(tune.command, ["off"])

    lines = [line.split() for line in tuned.output.splitlines()]
    assert lines[:2] == [
        ["tuning", "is", "on"],
        [f"/{GOVERNORS[0]}", "performance", "was", "schedutil"],
    ]
    assert lines[-1] == [f"/{NO_TURBO}", "1", "was", "0"]
    assert len(lines) == 6
    assert back.output == "5 settings are as they were\ntuning is off\n"


def test_the_command_names_itself_with_its_options_for_root() -> None:
    said = tune._place("on", "--gpu-clock").as_root

    assert said == shlex.join(
        ["sudo", sys.executable, "-m", "steelyard", "tune", "on", "--gpu-clock"]
    )


def test_a_shorter_setting_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    (tmp_path / "governor").write_text("performance\n")

    Disk(tmp_path).set("governor", "schedutil")

    assert (tmp_path / "governor").read_text() == "schedutil"


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


def test_a_setting_that_is_not_there_is_never_created(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Disk(tmp_path).set("nothing", "1")

    assert list(tmp_path.iterdir()) == []
