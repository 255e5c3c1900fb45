from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.devices import BOARDS, FOLDER, board, made

from steelyard import host
from steelyard.host import clocks, identity, processor, software
from steelyard.record import Host

KIB = 1024
PI_DOTPROD = ("asimd", "asimddp", "asimdhp")
AVX512 = ("avx2", "avx512_vnni", "avx512f", "f16c", "fma")

# What each board must say, by hand from its documentation; what is not named must be absent.
EXPECTED: dict[str, dict[str, Any]] = {
    "pi3": {
        "machine": "aarch64",
        "cpu": "Raspberry Pi 3 Model B Rev 1.2",
        "board": "Raspberry Pi 3 Model B Rev 1.2",
        "core": "Cortex-A53",
        "cores": 4,
        "memory_bytes": 943972 * KIB,
        "flags": ("asimd",),
        "governor": "ondemand",
        "page_size": 4096,
        "system": "Linux 6.6.51+rpt-rpi-v8",
        "distribution": "Debian GNU/Linux 12 (bookworm)",
    },
    "pi4": {
        "machine": "aarch64",
        "cpu": "Raspberry Pi 4 Model B Rev 1.4",
        "board": "Raspberry Pi 4 Model B Rev 1.4",
        "core": "Cortex-A72",
        "cores": 4,
        "memory_bytes": 3885396 * KIB,
        "flags": ("asimd",),
        "governor": "ondemand",
        "page_size": 4096,
        "system": "Linux 6.6.51+rpt-rpi-v8",
        "distribution": "Debian GNU/Linux 12 (bookworm)",
    },
    "pi5": {
        "machine": "aarch64",
        "cpu": "Raspberry Pi 5 Model B Rev 1.0",
        "board": "Raspberry Pi 5 Model B Rev 1.0",
        "core": "Cortex-A76",
        "cores": 4,
        "memory_bytes": 8255856 * KIB,
        "flags": PI_DOTPROD,
        "governor": "ondemand",
        "page_size": 16384,
        "system": "Linux 6.12.25+rpt-rpi-2712",
        "distribution": "Debian GNU/Linux 13 (trixie)",
    },
    "jetson-nano": {
        "machine": "aarch64",
        "cpu": "NVIDIA Jetson Nano Developer Kit",
        "board": "NVIDIA Jetson Nano Developer Kit",
        "core": "Cortex-A57",
        "cores": 4,
        "memory_bytes": 4059504 * KIB,
        "flags": ("asimd",),
        "governor": "schedutil",
        "page_size": 4096,
        "system": "Linux 4.9.337-tegra",
        "distribution": "Ubuntu 18.04.6 LTS",
        "power_mode": "MAXN",
        "l4t": "R32.7.4",
    },
    "jetson-xavier": {
        "machine": "aarch64",
        "cpu": "Jetson-AGX",
        "board": "Jetson-AGX",
        "core": "Carmel",
        "cores": 4,
        "memory_bytes": 31920612 * KIB,
        "flags": ("asimd", "asimdhp"),
        "governor": "schedutil",
        "page_size": 4096,
        "system": "Linux 5.10.120-tegra",
        "distribution": "Ubuntu 20.04.6 LTS",
        "power_mode": "MODE_15W",
        "l4t": "R35.4.1",
    },
    "jetson-orin-nx": {
        "machine": "aarch64",
        "cpu": "NVIDIA Jetson Orin NX Engineering Reference Developer Kit",
        "board": "NVIDIA Jetson Orin NX Engineering Reference Developer Kit",
        "core": "Cortex-A78AE",
        "cores": 8,
        "memory_bytes": 15972948 * KIB,
        "flags": PI_DOTPROD,
        "governor": "schedutil",
        "page_size": 4096,
        "system": "Linux 5.15.148-tegra",
        "distribution": "Ubuntu 22.04.5 LTS",
        "power_mode": "MAXN",
        "l4t": "R36.4.3",
    },
    "jetson-agx-orin": {
        "machine": "aarch64",
        "cpu": "Jetson AGX Orin Developer Kit",
        "board": "Jetson AGX Orin Developer Kit",
        "core": "Cortex-A78AE",
        "cores": 8,
        "memory_bytes": 64349184 * KIB,
        "flags": PI_DOTPROD,
        "governor": "schedutil",
        "page_size": 4096,
        "system": "Linux 5.10.120-tegra",
        "distribution": "Ubuntu 20.04.6 LTS",
        "power_mode": "MODE_30W",
        "l4t": "R35.4.1",
    },
    "jetson-thor": {
        "machine": "aarch64",
        "cpu": "NVIDIA Jetson AGX Thor Developer Kit",
        "board": "NVIDIA Jetson AGX Thor Developer Kit",
        "core": "Neoverse V3AE",
        "cores": 14,
        "memory_bytes": 128790528 * KIB,
        "flags": ("asimd", "asimddp", "asimdhp", "bf16", "i8mm", "sve", "sve2", "svei8mm"),
        "governor": "schedutil",
        "page_size": 4096,
        "system": "Linux 6.8.12-tegra",
        "distribution": "Ubuntu 24.04.3 LTS",
        "power_mode": "120W",
        "l4t": "R38.2.0",
    },
    "laptop-rapl": {
        "machine": "x86_64",
        "cpu": "11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz",
        "cores": 8,
        "memory_bytes": 16165432 * KIB,
        "flags": AVX512,
        "governor": "powersave",
        "turbo": True,
        "microcode": "0xb8",
        "page_size": 4096,
        "system": "Linux 6.8.0-57-generic",
        "distribution": "Ubuntu 24.04.2 LTS",
    },
    "amd-desktop": {
        "machine": "x86_64",
        "cpu": "AMD Ryzen 7 7700X 8-Core Processor",
        "cores": 16,
        "memory_bytes": 32023112 * KIB,
        "flags": ("avx2", "avx512_bf16", "avx512_vnni", "avx512f", "f16c", "fma"),
        "governor": "performance",
        "turbo": False,
        "microcode": "0xa601206",
        "page_size": 4096,
        "system": "Linux 6.1.0-32-amd64",
        "distribution": "Debian GNU/Linux 12 (bookworm)",
    },
    "cloud-vm": {
        "machine": "x86_64",
        "cpu": "Intel(R) Xeon(R) Processor @ 2.50GHz",
        "cores": 2,
        "memory_bytes": 24684096 * KIB,
        "flags": AVX512,
        "virtual": "unnamed hypervisor",
        "microcode": "0x1",
        "page_size": 4096,
        "system": "Linux 6.18.44-fc-v595",
        "distribution": "Debian GNU/Linux 12 (bookworm)",
    },
}
# Facts of the Python that runs the tests, and the kernel's build, which `system` names already.
NOT_OF_THE_BOARD = ("python", "packages", "wheel_hashes", "kernel")


@pytest.mark.parametrize("name", BOARDS)
def test_each_board_is_known_by_its_own_words(name: str) -> None:
    found = msgspec.structs.asdict(identity.identity(board(name)))
    said = {key: value for key, value in found.items() if value is not None}

    assert {key: said[key] for key in said if key not in NOT_OF_THE_BOARD} == EXPECTED[name]


@pytest.mark.parametrize("name", BOARDS)
def test_each_board_says_where_it_comes_from(name: str) -> None:
    origin = (FOLDER / name / "ORIGIN.md").read_text()

    assert ("Recorded" if name == "cloud-vm" else "Transcribed") in origin


def test_the_fixture_folder_holds_the_boards_and_no_other() -> None:
    assert tuple(sorted(path.name for path in FOLDER.iterdir())) == BOARDS


def test_the_kernels_build_is_kept() -> None:
    found = identity.identity(board("pi4"))

    assert found.kernel == ("6.6.51+rpt-rpi-v8 #1 SMP PREEMPT Debian 1:6.6.51-1+rpt3 (2024-10-08)")


def test_this_machine_is_identified_as_before() -> None:
    found = host.identify()

    assert found.cores == host.cores() >= 1
    assert found.memory_bytes > 0
    assert found.packages["numpy"]
    assert msgspec.json.decode(msgspec.json.encode(found), type=Host) == found


def test_kills_for_lack_of_memory_are_counted(tmp_path: Path) -> None:
    assert host.out_of_memory_kills(FOLDER / "pi4" / "tree") == 0
    # Linux 4.9 has no such counter.
    assert host.out_of_memory_kills(FOLDER / "jetson-nano" / "tree") is None
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "vmstat").write_text("oom_kill 3\n")
    assert host.out_of_memory_kills(tmp_path) == 3


def test_a_host_of_an_older_run_can_still_be_read() -> None:
    old = (
        b'{"machine":"x86_64","cpu":"Testium 9000","cores":2,"memory_bytes":1000000,'
        b'"system":"Linux 6.1","python":"3.11","flags":["fma"],"packages":{"numpy":"2.4.6"}}'
    )

    found = msgspec.json.decode(old, type=Host)

    assert (found.board, found.turbo, found.wheel_hashes) == (None, None, {})


def test_what_a_board_does_not_say_takes_no_room_in_a_record() -> None:
    text = msgspec.json.encode(identity.identity(board("cloud-vm")))

    assert b"null" not in text
    assert b"governor" not in text


def test_governors_that_differ_are_all_named(tmp_path: Path) -> None:
    folder = "sys/devices/system/cpu/cpufreq"
    files = {
        f"{folder}/policy0/scaling_governor": "ondemand\n",
        f"{folder}/policy4/scaling_governor": "performance\n",
        f"{folder}/policy10/scaling_governor": "ondemand\n",
    }
    device = made(tmp_path, files)

    assert identity.identity(device).governor == "ondemand + performance"
    assert [policy.name for policy in clocks.policies(device)] == ["policy0", "policy4", "policy10"]


def test_nvpmodel_is_asked_on_a_jetson_only(tmp_path: Path) -> None:
    device = msgspec.structs.replace(
        made(tmp_path, {}), ask=lambda _: pytest.fail("a command was asked")
    )

    assert identity.power_mode(device) is None


def test_every_known_core_has_one_name() -> None:
    assert len(set(processor.CORES.values())) == len(processor.CORES)


RECORD = """\
../../../bin/tool,sha256=differs,1\r
b-1.dist-info/WHEEL,sha256=z,3\r
a.py,sha256=x,1\r
__pycache__/a.cpython-311.pyc,,\r
b-1.dist-info/INSTALLER,sha256=pip,4\r
b-1.dist-info/REQUESTED,sha256=e,0\r
b-1.dist-info/direct_url.json,sha256=differs,60\r
b-1.dist-info/RECORD,,\r
b-1.dist-info/METADATA,sha256=y,2\r
"""


def test_a_wheel_has_one_hash_wherever_it_is_installed() -> None:
    # Computed with sha256sum over the three lines that came with the wheel, sorted.
    expected = "8138bd577866c088a1c8fe896a7abf1016237c0912c407637d47fe27208e6cc9"
    elsewhere = RECORD.replace("\r\n", "\n").replace("differs", "other")

    assert software.record_hash(RECORD) == software.record_hash(elsewhere) == expected


def test_a_changed_file_changes_the_wheels_hash() -> None:
    assert software.record_hash(RECORD) != software.record_hash(RECORD.replace("=x,", "=w,"))


def test_a_package_that_is_not_installed_is_left_out() -> None:
    assert software.installed(["no-such-distribution-of-ours"]) == {}
    assert list(software.installed(["msgspec"])) == ["msgspec"]
