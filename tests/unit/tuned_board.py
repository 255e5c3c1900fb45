"""A board to tune, on a disk on which the kernel acts and which may end at any step."""

from __future__ import annotations

from pathlib import Path

from steelyard import tuning
from steelyard.host.machine import Machine
from steelyard.tuning import Place, Tuning, Wishes
from steelyard.tuning_journal import JOURNAL, Disk

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
