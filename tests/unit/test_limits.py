"""Budgets: how they are written, how this machine can enforce them, how a lack of memory reads."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from steelyard import limits
from steelyard.cgroups import Hands
from steelyard.errors import Refusal, SteelyardError
from steelyard.footprint import MemoryReading
from steelyard.host.machine import Machine
from steelyard.limits import Ground, Hold
from steelyard.record import MemoryLimit
from steelyard.starved import starvation
from steelyard.units_in import format_size, parse_size

MB = 10**6
MAPPED = MemoryLimit(
    bytes=512 * MB, kind="address-space", instead_of_cgroup="cgroup v2 is not mounted"
)


def ground(tmp_path: Path, ceiling: int | None = None) -> Ground:
    """Return a machine without cgroups."""
    machine = Machine(root=tmp_path, ask=lambda _: None)
    return Ground(machine=machine, hands=Hands(), ceiling=lambda: ceiling)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512MB", 512_000_000),
        ("512 mb", 512_000_000),
        ("512MiB", 536_870_912),
        ("1GiB", 1_073_741_824),
        (" 1.5GB ", 1_500_000_000),
        ("0.5KiB", 512),
        ("20000000B", 20_000_000),
    ],
)
def test_a_size_is_read_with_its_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    ["", "512", "512M", "MB", "-1MB", "1e3MB", "1,5GB", "0MB", "0.3B", "512MBit", "9" * 16 + "B"],
)
def test_what_is_no_size_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(SteelyardError, match="write 512MB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(512 * MB, "512MB"), (1 << 29, "512MiB"), (10**9, "1GB"), (1_500 * MB, "1500MB"), (7, "7B")],
)
def test_a_size_is_written_so_that_it_reads_back(size: int, text: str) -> None:
    assert format_size(size) == text
    assert parse_size(text) == size


def test_without_cgroups_the_address_space_is_limited_and_says_why(tmp_path: Path) -> None:
    assert limits.choose(512 * MB, ground(tmp_path)) == MAPPED


def test_a_budget_above_our_own_ulimit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"no limit of 512MB: .* held to 100MB .*raise ulimit -v"):
        limits.choose(512 * MB, ground(tmp_path, ceiling=100 * MB))


def test_a_budget_that_is_our_own_ulimit_is_not(tmp_path: Path) -> None:
    assert limits.choose(512 * MB, ground(tmp_path, ceiling=512 * MB)) == MAPPED


def test_a_budget_in_which_nothing_starts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no worker starts in less than 16MB"):
        limits.choose(16 * MB - 1, ground(tmp_path))


def test_a_limited_program_is_started_by_the_launcher(tmp_path: Path) -> None:
    with limits.held(MAPPED, ground(tmp_path)) as hold:
        command = hold.command(("python", "-m", "worker"))

    assert command[0] == sys.executable
    assert Path(command[3]).name == "limited.py"
    assert command[4:] == ("address-space", "512000000", "python", "-m", "worker")
    assert hold.usage() is None


def test_without_a_limit_the_program_is_started_as_it_is(tmp_path: Path) -> None:
    with limits.held(None, ground(tmp_path)) as hold:
        assert hold.command(("worker",)) == ("worker",)


# As children said it, under limits from 12 MB to 400 MB.
SAID = {
    "MemoryError": 'File "<frozen importlib>", line 1131, in get_data\nMemoryError',
    "Errno 12": "OSError: [Errno 12] Cannot allocate memory: '/x'",
    "std::bad_alloc": "[ONNXRuntimeError] : 1 : FAIL : Load model from m failed:std::bad_alloc",
    "144000000": "bfc_arena.cc Failed to allocate memory for requested buffer of size 144000000",
    "17301520": "memory allocation of 17301520 bytes failed",
    "giving up": "OpenBLAS error: Memory allocation still failed after 10 retries, giving up.",
    "error code: 12": "pthread_create failed, error code: 12 error msg: Cannot allocate memory",
}
SAID_UNDER_A_LIMIT = {
    "libpython3": "libpython3.11.so.1.0: failed to map segment from shared object",
    "thread 1 of 2": "OpenBLAS blas_thread_init: pthread_create failed for thread 1 of 2\n^C",
    "_find_and_load": (
        "SystemError: <function _find_and_load at 0x7f> returned NULL without setting an exception"
    ),
    "libgcc_s": "libgcc_s.so.1 must be installed for unwinding to work",
}


@pytest.mark.parametrize(("word", "said"), list(SAID.items()))
def test_a_lack_of_memory_is_known_by_what_was_said(word: str, said: str) -> None:
    line = starvation(f"some chatter\n{said}\nmore")

    assert line is not None
    assert word in line
    assert "\n" not in line


@pytest.mark.parametrize(("word", "said"), list(SAID_UNDER_A_LIMIT.items()))
def test_what_has_other_causes_counts_only_under_a_limit(word: str, said: str) -> None:
    assert starvation(said) is None
    assert word in (starvation(said, address_space_limited=True) or "")


@pytest.mark.parametrize("said", ["", "KeyboardInterrupt", "ValueError: 3", "NoMemoryErrors"])
def test_other_last_words_are_no_lack_of_memory(said: str) -> None:
    assert starvation(said, address_space_limited=True) is None


def test_of_a_long_line_only_what_tells_is_kept() -> None:
    said = starvation(f"{900 * 'x'} Failed to allocate memory for 9 bytes {900 * 'y'}") or ""

    assert said.startswith("Failed to allocate memory for 9 bytes yyy")
    assert len(said) == 200


def test_colours_are_left_out() -> None:
    assert starvation("\x1b[1;31mstd::bad_alloc\x1b[m") == "std::bad_alloc"


def test_a_lack_names_the_limit_and_what_was_said() -> None:
    hold = Hold(limit=MAPPED)

    assert limits.lack(hold, "x\nMemoryError\n") == (
        "did not fit in 512MB of address space (RLIMIT_AS): MemoryError"
    )
    assert limits.lack(hold, "KeyError: 3") is None


def test_without_a_limit_a_lack_is_what_was_said() -> None:
    assert limits.lack(Hold(), "std::bad_alloc") == "std::bad_alloc"
    assert limits.lack(Hold(), "failed to map segment from shared object") is None


def test_a_limit_on_address_space_carries_its_caution_with_figures() -> None:
    reading = MemoryReading(address_space_peak=292 * MB)

    assert limits.caution(MAPPED, 155 * MB, reading) == (
        "held to 512MB of address space (RLIMIT_AS), not to resident memory: what is mapped "
        "counts, used or not, here 292 MB mapped for 155 MB resident; no cgroup: cgroup v2 is "
        "not mounted"
    )
    without = limits.caution(MAPPED, None, None)
    assert without is not None
    assert "used or not; no cgroup" in without
    assert limits.caution(MemoryLimit(bytes=512 * MB, kind="cgroup"), 1, reading) is None


def test_a_limited_device_has_a_name_of_its_own() -> None:
    assert limits.constrained("cpu-1t", MAPPED) == "cpu-1t-512MB"
    assert limits.unconstrained("cpu-1t-512MB", MAPPED) == "cpu-1t"
    assert limits.unconstrained("cpu-1t", None) == "cpu-1t"
