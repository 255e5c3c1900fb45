"""What /proc/cpuinfo says of the processor: cores by name, instruction sets, microcode. Pure."""

from __future__ import annotations

from msgspec import Struct

# The instruction sets that int8, int4 and half-precision kernels choose by (devices.md, onnxruntime
# on boards). On Arm asimddp is dotprod, asimdhp half-precision arithmetic.
FLAGS = frozenset(
    [
        "avx2",
        "fma",
        "f16c",
        "avx512f",
        "avx512_vnni",
        "avx512_bf16",
        "avx512_fp16",
        "avx_vnni",
        "avx_vnni_int8",
        "amx_int8",
        "amx_bf16",
        "amx_fp16",
        "asimd",
        "asimdhp",
        "asimddp",
        "i8mm",
        "bf16",
        "sve",
        "sve2",
        "svei8mm",
        "sme",
    ]
)

# `CPU implementer` and `CPU part` to the core's name: Linux, arch/arm64/include/asm/cputype.h.
CORES = {
    (0x41, 0xD03): "Cortex-A53",
    (0x41, 0xD04): "Cortex-A35",
    (0x41, 0xD05): "Cortex-A55",
    (0x41, 0xD07): "Cortex-A57",
    (0x41, 0xD08): "Cortex-A72",
    (0x41, 0xD09): "Cortex-A73",
    (0x41, 0xD0A): "Cortex-A75",
    (0x41, 0xD0B): "Cortex-A76",
    (0x41, 0xD0C): "Neoverse N1",
    (0x41, 0xD0D): "Cortex-A77",
    (0x41, 0xD40): "Neoverse V1",
    (0x41, 0xD41): "Cortex-A78",
    (0x41, 0xD42): "Cortex-A78AE",
    (0x41, 0xD44): "Cortex-X1",
    (0x41, 0xD46): "Cortex-A510",
    (0x41, 0xD47): "Cortex-A710",
    (0x41, 0xD49): "Neoverse N2",
    (0x41, 0xD4B): "Cortex-A78C",
    (0x41, 0xD4D): "Cortex-A715",
    (0x41, 0xD4F): "Neoverse V2",
    (0x41, 0xD80): "Cortex-A520",
    (0x41, 0xD81): "Cortex-A720",
    (0x41, 0xD83): "Neoverse V3AE",
    (0x41, 0xD84): "Neoverse V3",
    (0x41, 0xD85): "Cortex-X925",
    (0x41, 0xD87): "Cortex-A725",
    (0x4E, 0x003): "Denver 2",
    (0x4E, 0x004): "Carmel",
}


class Processor(Struct, frozen=True, kw_only=True):
    """The processor by its own words; None where it does not say.

    `core` names all kinds of core there are (`Cortex-A55 + Cortex-A76`), an unknown one by its
    numbers. `arm` and `x86` tell whose fields the text has.
    """

    core: str | None = None
    model: str | None = None
    flags: tuple[str, ...] = ()
    microcode: str | None = None
    hypervisor: bool = False
    arm: bool = False
    x86: bool = False


def parse(cpuinfo: str) -> Processor:
    """Return what the text of /proc/cpuinfo says; garbage says nothing."""
    fields = list(_fields(cpuinfo))
    first = dict(reversed(fields))
    words = set((first.get("flags") or first.get("Features") or "").split())
    return Processor(
        core=" + ".join(_cores(fields)) or None,
        model=first.get("model name") or None,
        flags=tuple(sorted(FLAGS & words)),
        microcode=first.get("microcode") or None,
        hypervisor="hypervisor" in words,
        arm="CPU implementer" in first,
        x86="vendor_id" in first,
    )


def kind(cpuinfo: str) -> str:
    """Return one line that two processors share where they compute alike."""
    said = parse(cpuinfo)
    return " ".join([said.model or "", said.core or "", *said.flags]).strip()


def _fields(text: str) -> list[tuple[str, str]]:
    pairs = [line.partition(":") for line in text.splitlines()]
    return [(key.strip(), value.strip()) for key, colon, value in pairs if colon]


def _cores(fields: list[tuple[str, str]]) -> list[str]:
    """Return the kinds of core in the order in which they come, each once."""
    implementer, kinds = None, dict[str, None]()
    for key, value in fields:
        if key == "CPU implementer":
            implementer = _hexadecimal(value)
        elif key == "CPU part" and implementer is not None:
            part = _hexadecimal(value)
            if part is not None:
                kinds[_core(implementer, part)] = None
    return list(kinds)


def _core(implementer: int, part: int) -> str:
    unknown = f"implementer {implementer:#04x} part {part:#05x}"
    return CORES.get((implementer, part), unknown)


def _hexadecimal(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None
