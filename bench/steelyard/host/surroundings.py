"""What stands between a program and the board: a container, a virtual machine, an emulator."""

from __future__ import annotations

from steelyard.host import processor
from steelyard.host.machine import Machine

ARM = ("aarch64", "arm")

# Traces in the names of control groups and in what /etc/hosts is mounted from, the outermost first:
# a Kubernetes pod is a container of docker, containerd or CRI-O too.
TRACES = (
    ("kubernetes", ("kubepods", "/kubelet/pods/")),
    ("docker", ("/docker/", "/docker-")),
    ("podman", ("libpod", "/containers/storage/", "overlay-containers")),
    ("containerd", ("/containerd/", "io.containerd.")),
    ("lxc", ("/lxc/", "/lxc.payload", "lxcfs")),
)
# What runtimes bind into a container. On a machine that only hosts some these are plain files.
BOUND = ("/", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/proc/cpuinfo", "/proc/meminfo")

# Makers whose DMI tables are only seen in virtual machines.
VIRTUAL_MAKERS = ("QEMU", "innotek GmbH", "VMware", "Xen", "Parallels", "Amazon EC2", "Google")


def container(machine: Machine) -> str | None:
    """Return the kind of container we are in; None where there is no trace of one."""
    where = "\n".join([machine.read("proc/1/cgroup") or "", *_mounts(machine)])
    for name, traces in TRACES:
        if any(trace in where for trace in traces):
            return name
    if machine.path("run/.containerenv").exists():
        return "podman"
    if machine.path(".dockerenv").exists() and not _disk_root(machine):
        return "docker"
    return (machine.read("run/systemd/container") or "").strip() or None


def virtual(machine: Machine) -> str | None:
    """Return the maker of the virtual machine we are in; None on a real one."""
    vendor = (machine.read("sys/class/dmi/id/sys_vendor") or "").strip()
    if processor.parse(machine.read("proc/cpuinfo") or "").hypervisor:
        return vendor or "unnamed hypervisor"
    if vendor in VIRTUAL_MAKERS and not _bare_metal(machine):
        # Arm has no flag for it.
        return vendor
    model = machine.read("proc/device-tree/model") or ""
    return "QEMU" if model.startswith("linux,dummy-virt") else None


def emulated(machine: Machine) -> str | None:
    """Say how we know that another processor plays this one, as qemu-user does; None otherwise.

    Three witnesses, for a tree prepared for qemu may hold an Arm /proc/cpuinfo or a whole /proc.
    """
    said = machine.userland.machine or ""
    if not said.startswith(ARM):
        return None
    kernel = (machine.read("proc/sys/kernel/arch") or "").strip()
    if kernel and not kernel.startswith(ARM):
        return f"programs see {said}, the kernel runs on {kernel}"
    alias = machine.read("sys/devices/system/cpu/modalias") or ""
    if alias.startswith("cpu:type:x86"):
        return f"programs see {said}, the kernel lists an x86 processor"
    found = processor.parse(machine.read("proc/cpuinfo") or "")
    if found.x86 or (found.model and not found.arm):
        return f"programs see {said}, /proc/cpuinfo lists {found.model or 'an x86 processor'}"
    return None


def narrow(machine: Machine) -> str | None:
    """Say why a 32-bit system cannot measure, and what to do; None on a 64-bit one."""
    if machine.userland.bits != 32:
        return None
    kernel = machine.userland.machine or "unknown"
    return (
        f"this is a 32-bit system (kernel: {kernel}), and onnxruntime has no 32-bit wheel: "
        "install the 64-bit version of the system"
    )


def _mounts(machine: Machine) -> list[str]:
    """Return what lies under the files of BOUND; the columns are in proc_pid_mountinfo(5)."""
    found: list[str] = []
    for line in (machine.read("proc/self/mountinfo") or "").splitlines():
        words = line.split()
        if len(words) > 4 and words[4] in BOUND:
            found.append(f"{words[3]} {' '.join(words[5:])}")
    return found


def _disk_root(machine: Machine) -> bool:
    """Say whether `/` is a whole disk: then .dockerenv is left over from the image it came from."""
    lines = [line.split() for line in (machine.read("proc/self/mountinfo") or "").splitlines()]
    roots = [words for words in lines if len(words) > 4 and words[4] == "/"]
    return any(words[3] == "/" and words[-2].startswith("/dev/") for words in roots)


def _bare_metal(machine: Machine) -> bool:
    product = machine.read("sys/class/dmi/id/product_name") or ""
    return product.strip().endswith((".metal", "-metal"))
