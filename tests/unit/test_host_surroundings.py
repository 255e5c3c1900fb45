from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.devices import BOARDS, board, made

from steelyard.host import surroundings

X86_CPU = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Testium\nflags\t\t: sse avx2\n"
ARM_CPU = "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n"
DISK = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
OVERLAY = "500 400 0:50 / / rw - overlay overlay rw,upperdir=/var/lib/docker/overlay2/1/diff\n"


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"proc/1/cgroup": "0::/docker/4f0c\n"}, "docker"),
        ({"proc/1/cgroup": "0::/system.slice/docker-4f0c.scope\n"}, "docker"),
        ({"proc/self/mountinfo": OVERLAY}, "docker"),
        ({".dockerenv": "", "proc/1/cgroup": "0::/\n"}, "docker"),
        ({"run/.containerenv": 'engine="podman-4.9"\n'}, "podman"),
        (
            {
                "proc/self/mountinfo": "1 2 0:1 /containers/storage/overlay-containers/1/hosts "
                "/etc/hosts rw - tmpfs tmpfs rw\n"
            },
            "podman",
        ),
        ({"proc/1/cgroup": "12:memory:/kubepods/besteffort/pod1/4f0c\n"}, "kubernetes"),
        # In a namespace of control groups only the mounts tell; the pod is a docker container too.
        (
            {
                ".dockerenv": "",
                "proc/1/cgroup": "0::/\n",
                "proc/self/mountinfo": OVERLAY + "700 600 8:1 /var/lib/kubelet/pods/1/etc-hosts "
                "/etc/hosts rw - ext4 /dev/sda1 rw\n",
            },
            "kubernetes",
        ),
        (
            {"proc/self/mountinfo": "9 8 0:9 / /proc/cpuinfo rw - fuse.lxcfs lxcfs rw\n"},
            "lxc",
        ),
        ({"proc/1/cgroup": "0::/lxc.payload.box/init.scope\n"}, "lxc"),
        ({"run/systemd/container": "systemd-nspawn\n"}, "systemd-nspawn"),
    ],
)
def test_a_container_is_known_by_its_traces(
    tmp_path: Path, files: dict[str, str], kind: str
) -> None:
    assert surroundings.container(made(tmp_path, files)) == kind


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/1/cgroup": "0::/init.scope\n", "proc/self/mountinfo": DISK},
        # A machine that hosts containers sees their mounts, but not under its own files.
        {
            "proc/self/mountinfo": DISK
            + "40 27 0:50 / /var/lib/docker/overlay2/1/merged rw - overlay overlay rw\n"
            + "41 27 0:51 / /var/lib/kubelet/pods/1/volumes/x rw - tmpfs tmpfs rw\n"
        },
        # A virtual machine whose disk was made of a container's image.
        {".dockerenv": "", "proc/self/mountinfo": DISK},
    ],
)
def test_no_container_is_seen_where_there_is_none(tmp_path: Path, files: dict[str, str]) -> None:
    assert surroundings.container(made(tmp_path, files)) is None


@pytest.mark.parametrize("name", BOARDS)
def test_no_fixture_board_is_a_container_or_emulated(name: str) -> None:
    assert surroundings.container(board(name)) is None
    assert surroundings.emulated(board(name)) is None
    assert surroundings.narrow(board(name)) is None


@pytest.mark.parametrize(
    ("files", "maker"),
    [
        ({"proc/cpuinfo": "flags : sse hypervisor\n"}, "unnamed hypervisor"),
        (
            {"proc/cpuinfo": "flags : hypervisor\n", "sys/class/dmi/id/sys_vendor": "QEMU\n"},
            "QEMU",
        ),
        # Arm has no such flag: the maker tells.
        (
            {
                "proc/cpuinfo": ARM_CPU,
                "sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
                "sys/class/dmi/id/product_name": "t4g.small\n",
            },
            "Amazon EC2",
        ),
        (
            {
                "sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
                "sys/class/dmi/id/product_name": "a1.metal\n",
            },
            None,
        ),
        ({"proc/device-tree/model": "linux,dummy-virt\0"}, "QEMU"),
        ({"proc/cpuinfo": ARM_CPU}, None),
        ({"proc/cpuinfo": X86_CPU, "sys/class/dmi/id/sys_vendor": "LENOVO\n"}, None),
    ],
)
def test_a_virtual_machine_is_known_by_its_flag_or_its_maker(
    tmp_path: Path, files: dict[str, str], maker: str | None
) -> None:
    assert surroundings.virtual(made(tmp_path, files)) == maker


@pytest.mark.parametrize("name", BOARDS)
def test_of_the_fixture_boards_only_the_cloud_is_virtual(name: str) -> None:
    expected = "unnamed hypervisor" if name == "cloud-vm" else None

    assert surroundings.virtual(board(name)) == expected


@pytest.mark.parametrize(
    "files",
    [
        {"proc/cpuinfo": X86_CPU},
        {"proc/cpuinfo": ARM_CPU, "proc/sys/kernel/arch": "x86_64\n"},
        # The tree holds an Arm /proc: what is left of the truth is in /sys.
        {"proc/cpuinfo": ARM_CPU, "sys/devices/system/cpu/modalias": "cpu:type:x86,ven0000\n"},
    ],
)
def test_an_emulated_arm_is_found_out(tmp_path: Path, files: dict[str, str]) -> None:
    said = surroundings.emulated(made(tmp_path, files))

    assert said is not None
    assert said.startswith("programs see aarch64")


def test_a_real_arm_is_not_taken_for_an_emulated_one(tmp_path: Path) -> None:
    files = {"proc/cpuinfo": ARM_CPU, "proc/sys/kernel/arch": "aarch64\n"}

    assert surroundings.emulated(made(tmp_path, files)) is None
    assert surroundings.emulated(made(tmp_path, {"proc/cpuinfo": X86_CPU}, "x86_64")) is None


def test_a_32_bit_system_on_a_64_bit_kernel_is_refused(tmp_path: Path) -> None:
    said = surroundings.narrow(made(tmp_path, {}, machine="aarch64", bits=32))

    assert said is not None
    assert "32-bit" in said
    assert "64-bit version" in said


def test_nothing_is_refused_where_the_width_is_not_known(tmp_path: Path) -> None:
    assert surroundings.narrow(made(tmp_path, {}, bits=64)) is None
