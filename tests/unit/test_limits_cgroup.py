"""A cgroup of our own, on trees written as the kernel shows them: found, made, read, removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from steelyard import cgroups, limits
from steelyard.cgroups import Hands, Unavailable, Usage
from steelyard.errors import Refusal
from steelyard.host.machine import Machine
from steelyard.limits import Ground
from steelyard.record import MemoryLimit

MB = 10**6
APP = "user.slice/user-1000.slice/user@1000.service/app.slice"
FILES = ("memory.max", "memory.swap.max", "memory.oom.group", "cgroup.kill", "cgroup.procs")


def write(root: Path, files: dict[str, str]) -> Machine:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Machine(root=root, ask=lambda _: None)


def desktop(root: Path, **more: str) -> Machine:
    """A user's session under systemd, with memory delegated down to app.slice."""
    sys = "sys/fs/cgroup"
    return write(
        root,
        {
            "proc/self/cgroup": f"0::/{APP}/run-7.scope\n",
            f"{sys}/cgroup.controllers": "cpuset cpu io memory pids\n",
            f"{sys}/cgroup.subtree_control": "memory pids\n",
            f"{sys}/cgroup.procs": "",
            f"{sys}/{APP}/cgroup.subtree_control": "memory pids\n",
            f"{sys}/{APP}/cgroup.procs": "",
            f"{sys}/{APP}/run-7.scope/cgroup.subtree_control": "\n",
            f"{sys}/{APP}/run-7.scope/cgroup.procs": "4711\n",
            **more,
        },
    )


def hands(
    owned: str = "", files: tuple[str, ...] = FILES, remove: Callable[[Path], None] = shutil.rmtree
) -> Hands:
    """Return hands that stand in for the kernel; `owned` is in the paths that we may write."""

    def make(folder: Path) -> None:
        folder.mkdir()
        for name in files:
            (folder / name).write_text("max\n" if name.endswith("max") else "0\n")

    return Hands(
        make=make,
        remove=remove,
        sleep=lambda _: None,
        writable=lambda path: owned in str(path),
        pid=lambda: 4711,
    )


def test_the_nearest_cgroup_that_is_delegated_to_us_is_taken(tmp_path: Path) -> None:
    found = cgroups.home(desktop(tmp_path), hands(owned="app.slice"))

    assert found == tmp_path / f"sys/fs/cgroup/{APP}"


def test_root_outside_a_session_takes_the_top(tmp_path: Path) -> None:
    machine = desktop(tmp_path, **{"proc/self/cgroup": "0::/\n"})

    assert cgroups.home(machine, hands()) == tmp_path / "sys/fs/cgroup"


def test_nothing_delegated_is_said_with_a_remedy(tmp_path: Path) -> None:
    found = cgroups.home(desktop(tmp_path), hands(owned="nowhere"))

    assert isinstance(found, Unavailable)
    assert "try: systemd-run --user --scope" in found.reason


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "cgroup v2 is not mounted"),
        ({"sys/fs/cgroup/cgroup.controllers": "cpuset cpu io pids\n"}, "cgroup_enable=memory"),
        ({"sys/fs/cgroup/unified/cgroup.controllers": "hugetlb\n"}, "no memory controller"),
        (
            {
                "sys/fs/cgroup/unified/cgroup.controllers": "hugetlb\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            "memory is in cgroup v1 here",
        ),
        (
            {
                "sys/fs/cgroup/cgroup.controllers": "memory\n",
                "sys/fs/cgroup/cgroup.subtree_control": "memory\n",
                "proc/self/cgroup": "0::/../../x\n",
            },
            "no cgroup is delegated",
        ),
        (
            {"sys/fs/cgroup/cgroup.controllers": "memory\n", "proc/self/cgroup": "4:memory:/x\n"},
            "no cgroup is delegated",
        ),
    ],
)
def test_a_machine_without_a_memory_cgroup_says_why(
    tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    found = cgroups.home(write(tmp_path, files), hands())

    assert isinstance(found, Unavailable)
    assert reason in found.reason


def test_a_group_is_limited_without_swap_and_dies_as_a_whole(tmp_path: Path) -> None:
    group = cgroups.make(tmp_path, 512 * MB, Machine(root=tmp_path), hands())

    assert group.name.startswith("steelyard-4711-")
    assert (group / "memory.max").read_text() == "512000000"
    assert (group / "memory.swap.max").read_text() == "0"
    assert (group / "memory.oom.group").read_text() == "1"


def test_a_group_that_cannot_be_limited_is_removed_again(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"no memory\.max"):
        cgroups.make(tmp_path, 512 * MB, Machine(root=tmp_path), hands(files=("cgroup.procs",)))

    assert list(tmp_path.iterdir()) == []


def test_swap_that_cannot_be_limited_is_a_refusal(tmp_path: Path) -> None:
    swaps = "Filename Type Size Used Priority\n/dev/zram0 partition 100 0 100\n"
    machine = write(tmp_path, {"proc/swaps": swaps})

    with pytest.raises(Refusal, match="turn swap off"):
        cgroups.make(tmp_path, 512 * MB, machine, hands(files=("memory.max",)))


def test_without_swap_its_limit_is_not_missed(tmp_path: Path) -> None:
    machine = write(tmp_path, {"proc/swaps": "Filename Type Size Used Priority\n"})

    group = cgroups.make(tmp_path, 512 * MB, machine, hands(files=("memory.max",)))

    assert (group / "memory.max").read_text() == "512000000"


def test_a_folder_that_may_not_be_made_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no cgroup could be made"):
        cgroups.make(tmp_path / "gone", 512 * MB, Machine(root=tmp_path), hands())


def test_what_killed_runs_left_behind_goes_and_what_lives_stays(tmp_path: Path) -> None:
    write(tmp_path, {"proc/20/stat": "20 (steelyard) S 1\n"})
    parent = tmp_path / "top"
    for name in ("steelyard-10-1", "steelyard-20-1", "steelyard-x", "other-10-1"):
        (parent / name).mkdir(parents=True)

    group = cgroups.make(parent, 512 * MB, Machine(root=tmp_path), hands())

    left = {path.name for path in parent.iterdir()}
    assert left == {"steelyard-20-1", "steelyard-x", "other-10-1", group.name}


def test_a_group_gives_its_peak_and_its_kills(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"memory.peak": "511000000\n", "memory.events": "max 90\noom 2\noom_kill 1\n"},
    )

    assert cgroups.usage(tmp_path) == Usage(peak=511_000_000, kills=1)


def test_an_old_kernel_gives_no_peak(tmp_path: Path) -> None:
    assert cgroups.usage(tmp_path) == Usage(peak=None, kills=0)


def test_removing_kills_what_is_left_and_waits_for_it(tmp_path: Path) -> None:
    group = tmp_path / "steelyard-1-1"
    write(tmp_path, {"steelyard-1-1/cgroup.kill": ""})
    seen: list[str] = []

    def remove(folder: Path) -> None:
        seen.append((folder / "cgroup.kill").read_text())
        if len(seen) < 3:
            raise OSError(16, "Device or resource busy")
        shutil.rmtree(folder)

    assert cgroups.remove(group, hands(remove=remove))
    assert seen == ["1", "1", "1"]


def test_a_group_that_stays_busy_is_given_up(tmp_path: Path) -> None:
    def remove(folder: Path) -> None:
        raise OSError(16, "Device or resource busy")

    assert not cgroups.remove(tmp_path, hands(remove=remove))


def test_a_limit_in_a_cgroup_is_held_and_taken_away(tmp_path: Path) -> None:
    ground = Ground(machine=desktop(tmp_path), hands=hands(owned="app.slice"))
    limit = limits.choose(512 * MB, ground)
    assert limit == MemoryLimit(bytes=512 * MB, kind="cgroup")

    with limits.held(limit, ground) as hold:
        assert hold.group is not None
        members = str(hold.group / "cgroup.procs")
        assert hold.command(("worker",))[4:] == ("cgroup", members, "worker")
        (hold.group / "memory.peak").write_text("511600000\n")
        assert limits.lack(hold, "Killed") is None
        (hold.group / "memory.events").write_text("oom_kill 1\n")
        assert limits.lack(hold, "Killed") == (
            "did not fit in 512MB (cgroup memory.max, without swap): killed by the kernel, "
            "peak 512 MB"
        )

    assert not hold.group.exists()


def test_a_limit_in_a_cgroup_is_taken_away_after_a_fault(tmp_path: Path) -> None:
    ground = Ground(machine=desktop(tmp_path), hands=hands(owned="app.slice"))

    def fail() -> None:
        with limits.held(MemoryLimit(bytes=512 * MB, kind="cgroup"), ground):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list((tmp_path / f"sys/fs/cgroup/{APP}").glob("steelyard-*")) == []


def test_a_cgroup_that_is_no_longer_delegated_is_a_refusal(tmp_path: Path) -> None:
    ground = Ground(machine=desktop(tmp_path), hands=hands(owned="nowhere"))
    hold = limits.held(MemoryLimit(bytes=512 * MB, kind="cgroup"), ground)

    with pytest.raises(Refusal, match="no limit of 512MB: no cgroup is delegated"):
        hold.__enter__()
