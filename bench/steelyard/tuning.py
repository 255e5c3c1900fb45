"""Set the clocks of this machine for measuring, only when asked, and set them back.

The originals are on disk before anything is changed. Such settings end with the boot, so the
journal of another boot needs no restoring.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, structs

from steelyard import tuning_journal
from steelyard.errors import Refusal
from steelyard.host.machine import Machine
from steelyard.tuning_journal import SCHEMA, Change, Disk, TuningJournal

BOOT_ID = "proc/sys/kernel/random/boot_id"
POLICIES = "sys/devices/system/cpu/cpufreq/policy*/scaling_governor"
NO_TURBO = "sys/devices/system/cpu/intel_pstate/no_turbo"
BOOST = "sys/devices/system/cpu/cpufreq/boost"
GPU_NODES = "sys/class/devfreq/*/device/of_node/name"
# The names that Jetson's GPUs have had, Nano to Thor (devices.md).
GPUS = frozenset(["gpu", "ga10b", "gv11b", "gp10b", "gpu-gpc-0"])


class Wishes(Struct, frozen=True, kw_only=True):
    """What is asked for besides the governor `performance`."""

    no_turbo: bool = False
    gpu_clock: bool = False


class Place(Struct, frozen=True, kw_only=True):
    """The machine to tune, who asks, and the command line that does the same as root."""

    machine: Machine
    disk: Disk
    user: int
    as_root: str


class Setting(Struct, frozen=True, kw_only=True):
    """A tuned setting as it is now; `present` is None where it cannot be read."""

    path: str
    original: str
    wanted: str | None
    present: str | None


class Tuning(Struct, frozen=True, kw_only=True):
    """How the machine stands: what is tuned, and what had to be put right first."""

    on: bool
    settings: tuple[Setting, ...] = ()
    notes: tuple[str, ...] = ()


def on(place: Place, wishes: Wishes, *, for_run: bool = False) -> Tuning:
    """Tune; what was tuned before is set back first, so that originals stay originals.

    With `for_run` it holds as long as the run that asks (`tuning_journal.running`).

    Raises Refusal without root, where nothing can be tuned, and where a setting could not be
    written: all settings are then as they were.
    """
    require_root(place)
    boot = _boot(place)
    wanted_changes(place.machine, wishes)  # Refuse before anything is set back.
    with tuning_journal.locked(place.disk):
        notes = _settle(place, boot)
        changes = wanted_changes(place.machine, wishes)
        if not any(change.wanted is not None for change in changes):
            return Tuning(on=False, notes=(*notes, "all settings are as wanted already"))
        journal = TuningJournal(
            schema=SCHEMA, boot=boot, changes=changes, complete=False, for_run=for_run
        )
        tuning_journal.keep(place.disk, journal)
        _apply(place, journal)
    return structs.replace(status(place), notes=notes)


def off(place: Place) -> Tuning:
    """Set back what was tuned; raise Refusal without root, or naming what could not be set."""
    require_root(place)
    boot = _boot(place)
    if tuning_journal.read(place.disk.root) is None:
        return Tuning(on=False, notes=("nothing is tuned",))
    with tuning_journal.locked(place.disk):
        return Tuning(on=False, notes=_settle(place, boot))


def status(place: Place) -> Tuning:
    """Tell what is tuned. As root, first set back what a killed `tune` or run has left."""
    journal = tuning_journal.read(place.disk.root)
    if journal is None:
        return Tuning(on=False)
    boot = _boot(place)
    if journal.boot == boot and journal.complete and not _left(place, journal):
        return Tuning(on=True, settings=_settings(place.machine, journal.changes))
    if place.user == 0:
        with tuning_journal.locked(place.disk):
            return Tuning(on=False, notes=_settle(place, boot))
    if journal.boot != boot:
        return Tuning(on=False, notes=("a reboot has set back what was tuned",))
    who = "a run" if _left(place, journal) else "a 'tune'"
    note = f"{who} was killed half way; set its changes back with: {place.as_root}"
    return Tuning(on=True, settings=_settings(place.machine, journal.changes), notes=(note,))


def wanted_changes(machine: Machine, wishes: Wishes) -> tuple[Change, ...]:
    """Return the settings to change, governors first; raise Refusal for what is not there.

    A governor's preference between speed and energy stands after it: the kernel refuses it
    while the governor is `performance`, and so it is set back last.
    """
    governors = tuple(_relative(machine, path) for path in machine.glob(POLICIES))
    if not governors:
        raise Refusal(
            "this machine shows no CPU clock to tune (no cpufreq; a virtual machine hides it); "
            "tune its host, or measure as it is"
        )
    changes = [change for path in governors if (change := _governor(machine, path))]
    preferences = [_preference(machine, change) for change in changes]
    changes += [change for change in preferences if change is not None]
    if wishes.no_turbo:
        changes += _no_turbo(machine)
    if wishes.gpu_clock:
        changes += _gpu_clock(machine)
    return tuple(changes)


def _settle(place: Place, boot: str) -> tuple[str, ...]:
    """Set back and forget what an earlier `tune` did; say what there was."""
    journal = tuning_journal.read(place.disk.root)
    if journal is None:
        return ()
    if journal.boot != boot:
        tuning_journal.drop(place.disk)
        return ("a reboot has set back what was tuned; its journal is dropped",)
    failures = _restore(place, journal.changes)
    if failures:
        raise Refusal(
            f"could not set back {'; '.join(failures)}; the originals are kept in "
            f"{place.disk.root / tuning_journal.JOURNAL}: try again, or reboot, which sets "
            "them all back"
        )
    tuning_journal.drop(place.disk)
    count = len(journal.changes)
    if _left(place, journal):
        return (f"a run that was killed had left {count} settings tuned; they are as they were",)
    if journal.complete:
        return (f"{count} settings are as they were",)
    return (f"an earlier 'tune' was killed half way; its {count} settings are as they were",)


def _left(place: Place, journal: TuningJournal) -> bool:
    """Tell whether a run tuned for itself and ended without setting back."""
    return journal.for_run and not tuning_journal.run_is_on(place.disk.root)


def _apply(place: Place, journal: TuningJournal) -> None:
    try:
        for change in journal.changes:
            if change.wanted is not None:
                _set(place.disk, change.path, change.wanted)
        tuning_journal.keep(place.disk, structs.replace(journal, complete=True))
    except BaseException:
        _settle(place, journal.boot)
        raise


def _set(disk: Disk, path: str, value: str) -> None:
    try:
        disk.set(path, value)
    except OSError as error:
        raise Refusal(
            f"/{path}: cannot be set to '{value}': {error.strerror or error}; all settings are as "
            "they were. In a container, tune from outside it"
        ) from error


def _restore(place: Place, changes: Sequence[Change]) -> tuple[str, ...]:
    """Write every original that is not in place; return what failed, and why."""
    failures: list[str] = []
    for change in changes:
        if _value(place.machine, change.path) == change.original:
            continue
        try:
            place.disk.set(change.path, change.original)
        except OSError as error:
            failures.append(f"/{change.path} to {change.original} ({error.strerror or error})")
    return tuple(failures)


def _governor(machine: Machine, path: str) -> Change | None:
    known = _value(machine, str(Path(path).parent / "scaling_available_governors"))
    if known is not None and "performance" not in known.split():
        raise Refusal(f"/{path}: no governor 'performance' here, only: {known}")
    return _change(machine, path, "performance")


def _preference(machine: Machine, governor: Change) -> Change | None:
    path = str(Path(governor.path).parent / "energy_performance_preference")
    value = _value(machine, path)
    return None if value is None else Change(path=path, original=value, wanted=None)


def _no_turbo(machine: Machine) -> list[Change]:
    for path, wanted in ((NO_TURBO, "1"), (BOOST, "0")):
        if _value(machine, path) is not None:
            change = _change(machine, path, wanted)
            return [] if change is None else [change]
    raise Refusal(
        f"--no-turbo: neither /{NO_TURBO} nor /{BOOST} is here; leave --no-turbo out, or switch "
        "turbo off in the firmware"
    )


def _gpu_clock(machine: Machine) -> list[Change]:
    """Hold the GPU at its highest clock: its least clock becomes its greatest."""
    changes: list[Change | None] = []
    for node in machine.glob(GPU_NODES):
        if (machine.read(node) or "").strip("\0\n ") in GPUS:
            folder = Path(_relative(machine, node)).parents[2]
            highest = _value(machine, str(folder / "max_freq"))
            if highest is not None:
                changes.append(_change(machine, str(folder / "min_freq"), highest))
    if not changes:
        raise Refusal("--gpu-clock: no Jetson GPU among /sys/class/devfreq; leave --gpu-clock out")
    return [change for change in changes if change is not None]


def _change(machine: Machine, path: str, wanted: str) -> Change | None:
    """Return the change that `path` needs; None where it is as wanted."""
    original = _value(machine, path)
    if original is None:
        raise Refusal(f"/{path}: cannot be read, so it could not be set back")
    return None if original == wanted else Change(path=path, original=original, wanted=wanted)


def _settings(machine: Machine, changes: Sequence[Change]) -> tuple[Setting, ...]:
    return tuple(
        Setting(
            path=change.path,
            original=change.original,
            wanted=change.wanted,
            present=_value(machine, change.path),
        )
        for change in changes
    )


def require_root(place: Place) -> None:
    """Raise Refusal, with the command to use instead, where it is not root who asks."""
    if place.user != 0:
        raise Refusal(f"only root may tune this machine\ntry: {place.as_root}")


def _boot(place: Place) -> str:
    boot = _value(place.machine, BOOT_ID)
    if boot is None:
        raise Refusal(f"/{BOOT_ID}: not readable, so nobody could tell a reboot from a kill")
    return boot


def _value(machine: Machine, path: str) -> str | None:
    text = machine.read(path)
    return None if text is None else text.strip("\0\n ")


def _relative(machine: Machine, path: Path) -> str:
    return path.relative_to(machine.root).as_posix()
