"""codecarbon's result -> our reading; a silent zero becomes absent, with its reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from steelyard.emissions.grid import Grid, NoGrid
from steelyard.record import CodecarbonReading, CodecarbonSettings

J_PER_KWH = 3.6e6
# Modes in which the CPU's energy is a power times time, so that the assumed power counts.
MODELLED = frozenset(["cpu_load", "constant"])
NO_CPU = (
    "codecarbon counted no CPU energy: the process used no CPU time that the kernel's clock shows, "
    "or its counter could not be read; take a longer window, or grant reading the counter"
)
NO_RAM = "codecarbon could not model the memory's power"
NO_GPU = "codecarbon found no GPU"
SILENT_GPU = "codecarbon found a GPU and counted no energy of it; look at its driver"
NO_TOTAL = "codecarbon counted no energy"

Absences = list[tuple[str, str]]


class Figures(Protocol):
    """What we read of codecarbon's `EmissionsData`: kWh, kg and seconds."""

    duration: float
    emissions: float
    energy_consumed: float
    cpu_energy: float
    ram_energy: float
    gpu_energy: float
    cpu_model: str
    gpu_count: float
    gpu_model: str


class Assumed(Struct, frozen=True, kw_only=True):
    """How codecarbon takes the CPU's power, and the watts it takes for full load."""

    mode: str | None = None
    power_w: float | None = None


def assumed(parts: Sequence[object]) -> Assumed:
    """Return what codecarbon assumes of the CPU, from its list of hardware.

    It publishes neither, so both are read from private attributes; absent where those have gone.
    """
    for part in parts:
        mode = getattr(part, "_mode", None)
        if isinstance(mode, str):
            power = getattr(part, "_tdp", None)
            counts = mode in MODELLED and isinstance(power, (int, float))
            return Assumed(mode=mode, power_w=float(power) if counts and power else None)
    return Assumed()


def nothing(
    settings: CodecarbonSettings, reason: str, version: str | None = None
) -> CodecarbonReading:
    """Return the reading of a codecarbon that gave no figure."""
    absent = (("energy_j", reason), ("emissions_kg", reason))
    return CodecarbonReading(settings=settings, version=version, absent=absent)


class Run(Struct, frozen=True, kw_only=True):
    """What is known of a codecarbon besides its figures."""

    settings: CodecarbonSettings
    version: str
    cpu: Assumed
    grid: Grid | NoGrid
    remarks: tuple[str, ...] = ()


def reading(figures: Figures, run: Run) -> CodecarbonReading:
    """Return codecarbon's figures in joules and kg; without a part it should have, no total."""
    cpu_j, ram_j, gpu_j = map(_joules, (figures.cpu_energy, figures.ram_energy, figures.gpu_energy))
    absent = _missing_parts(cpu_j, ram_j, gpu_j, has_gpu=figures.gpu_count > 0)
    energy_j = _total(figures, absent)
    grid = run.grid if isinstance(run.grid, Grid) else None
    return CodecarbonReading(
        settings=run.settings,
        version=run.version,
        duration_s=figures.duration,
        energy_j=energy_j,
        cpu_j=cpu_j,
        ram_j=ram_j,
        gpu_j=gpu_j,
        emissions_kg=_emissions(figures, energy_j, run.grid, absent),
        grid=grid.name if grid else None,
        grid_year=grid.year if grid else None,
        intensity_kg_per_kwh=grid.kg_per_kwh if grid else None,
        cpu_mode=run.cpu.mode,
        cpu_model=figures.cpu_model or None,
        cpu_power_w=run.cpu.power_w,
        gpu_model=figures.gpu_model or None,
        absent=tuple(absent),
        remarks=run.remarks,
    )


def _joules(kwh: float) -> float | None:
    return kwh * J_PER_KWH if math.isfinite(kwh) and kwh > 0 else None


def _missing_parts(
    cpu_j: float | None, ram_j: float | None, gpu_j: float | None, *, has_gpu: bool
) -> Absences:
    told = (
        ("cpu_j", cpu_j, NO_CPU),
        ("ram_j", ram_j, NO_RAM),
        ("gpu_j", gpu_j, SILENT_GPU if has_gpu else NO_GPU),
    )
    return [(name, why) for name, value, why in told if value is None]


def _total(figures: Figures, absent: Absences) -> float | None:
    """Return codecarbon's total, unless a part is missing; append why to `absent`."""
    lacking = [why for _, why in absent if why != NO_GPU]
    total = None if lacking else _joules(figures.energy_consumed)
    if total is None:
        absent.append(("energy_j", lacking[0] if lacking else NO_TOTAL))
    return total


def _emissions(
    figures: Figures, energy_j: float | None, grid: Grid | NoGrid, absent: Absences
) -> float | None:
    if isinstance(grid, NoGrid):
        absent.append(("emissions_kg", grid.reason))
        return None
    if energy_j is None:
        absent.append(("emissions_kg", "no energy to multiply with the grid's intensity"))
        return None
    return figures.emissions
