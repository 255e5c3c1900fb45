"""Memory is read from /proc as it stands in written trees, and from NVML as it answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from steelyard.footprint import Absent, MemoryReading
from steelyard.worker import gpu, process

STATUS = """\
Name:\tpython (deleted) kB
VmPeak:\t  293000 kB
VmHWM:\t  155000 kB
VmRSS:\t  150000 kB
RssAnon:\t  120000 kB
RssFile:\t   29000 kB
RssShmem:\t    1000 kB
Threads:\t3
"""
ROLLUP = "5574-7fff ---p 00000000 00:00 0  [rollup]\nRss: 900 kB\nPss:  {} kB\nPss_Anon: 7 kB\n"


def person(root: Path, pid: int, parent: int, pss: int | None = None, name: str = "x") -> Path:
    folder = root / f"proc/{pid}"
    folder.mkdir(parents=True)
    (folder / "stat").write_text(f"{pid} ({name}) S {parent} 1 1 0\n")
    if pss is not None:
        (folder / "smaps_rollup").write_text(ROLLUP.format(pss))
    return folder


def nothing_on_a_gpu(_: Sequence[int]) -> Absent:
    return Absent(quantity="memory_gpu", reason="no GPU in this test")


def test_a_reading_has_the_kernels_figures_in_bytes(tmp_path: Path) -> None:
    (person(tmp_path, 7, 1, pss=140_000) / "status").write_text(STATUS)

    got = process.reading(7, tmp_path, of_gpu=lambda _: 5)

    assert got == MemoryReading(
        resident=150_000 * 1024,
        anonymous=120_000 * 1024,
        file=29_000 * 1024,
        shared=1_000 * 1024,
        address_space_peak=293_000 * 1024,
        proportional=140_000 * 1024,
        processes=1,
        gpu=5,
    )
    assert process.peak_bytes(tmp_path, 7) == 155_000 * 1024


def test_what_the_kernel_does_not_say_is_absent_and_not_zero(tmp_path: Path) -> None:
    got = process.reading(7, tmp_path, of_gpu=nothing_on_a_gpu)

    assert got.resident is got.anonymous is got.file is got.shared is got.proportional is None
    assert [gap.quantity for gap in got.absent] == ["memory_proportional", "memory_gpu"]
    assert list(got.quantities()) == []
    assert process.peak_bytes(tmp_path, 7) is None


def test_each_known_figure_is_a_measurement_by_its_name() -> None:
    reading = MemoryReading(resident=3, file=0, proportional=2, processes=4)

    assert list(reading.quantities()) == [
        ("memory_resident", 3),
        ("memory_file", 0),
        ("memory_proportional", 2),
    ]


def test_children_and_their_children_belong_to_the_tree(tmp_path: Path) -> None:
    person(tmp_path, 7, 1, pss=100)
    person(tmp_path, 20, 7, pss=10, name="a) S 1 (b")
    person(tmp_path, 21, 20, pss=1)
    person(tmp_path, 30, 1, pss=5000)

    assert process.tree(7, tmp_path) == (7, 20, 21)
    assert process.reading(7, tmp_path, nothing_on_a_gpu).proportional == 111 * 1024
    assert process.reading(7, tmp_path, nothing_on_a_gpu).processes == 3


def test_a_child_that_has_ended_holds_nothing(tmp_path: Path) -> None:
    person(tmp_path, 7, 1, pss=100)

    assert process.proportional_bytes((7, 8), tmp_path) == 100 * 1024


def test_a_child_that_may_not_be_read_leaves_the_sum_absent(tmp_path: Path) -> None:
    person(tmp_path, 7, 1, pss=100)
    (person(tmp_path, 8, 7) / "smaps_rollup").mkdir()  # reading it is an OSError

    assert process.proportional_bytes((7, 8), tmp_path) is None


def test_an_old_kernel_without_the_roll_up_is_summed_by_mapping(tmp_path: Path) -> None:
    folder = person(tmp_path, 7, 1)
    (folder / "smaps").write_text("00-01 r--p\nPss:  8 kB\nSwapPss: 9 kB\n01-02 r-xp\nPss:  4 kB\n")

    assert process.proportional_bytes((7,), tmp_path) == 12 * 1024


def test_resetting_the_peak_writes_what_the_kernel_asks_for(tmp_path: Path) -> None:
    folder = person(tmp_path, 7, 1)

    assert process.reset_peak(tmp_path, 7)
    assert (folder / "clear_refs").read_text() == "5"
    assert not process.reset_peak(tmp_path, 8)


class NVMLError(Exception):
    """What pynvml raises."""


class FakeNvml:
    """Answers as pynvml does: a list of (pid, bytes) a device."""

    NVMLError = NVMLError

    def __init__(self, *devices: list[tuple[int, int | None]] | None, starts: bool = True) -> None:
        self.devices = devices
        self.starts = starts
        self.open = 0

    def nvmlInit(self) -> None:  # noqa: N802 - NVML's names
        if not self.starts:
            raise NVMLError("NVML Shared Library Not Found")
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetComputeRunningProcesses(self, index: int) -> list[SimpleNamespace]:  # noqa: N802
        processes = self.devices[index]
        if processes is None:
            raise NVMLError("Not Supported")
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in processes]


def test_memory_on_all_gpus_is_added_up_for_these_processes_only() -> None:
    nvml = FakeNvml([(7, 100), (9, 5000)], [(7, 20), (8, 3)])

    assert gpu.used_bytes((7, 8), nvml) == 123
    assert nvml.open == 0


@pytest.mark.parametrize(
    ("nvml", "reason"),
    [
        (FakeNvml(starts=False), "NVML does not start: NVML Shared Library Not Found"),
        (FakeNvml(None), "NVML does not list processes: Not Supported"),
        (FakeNvml([(9, 5000)]), "NVML lists no memory for this process"),
        (FakeNvml([(7, None)]), "NVML lists no memory for this process"),
        (FakeNvml([(7, 100)], [(7, None)]), "NVML lists no memory for this process"),
    ],
)
def test_a_gpu_that_does_not_tell_is_absent_with_its_reason(nvml: FakeNvml, reason: str) -> None:
    assert gpu.used_bytes((7,), nvml) == Absent(quantity="memory_gpu", reason=reason)
    assert nvml.open == 0


def test_without_the_library_the_reason_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(gpu, "import_module", missing)
    got = gpu.used_bytes((7,))

    assert isinstance(got, Absent)
    assert "pip install 'steelyard[energy]'" in got.reason
