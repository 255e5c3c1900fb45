"""What meters, and codecarbon beside them, say of a call."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from steelyard.record.base import Recorded
from steelyard.record.measured import Method, Scope


class CodecarbonSettings(Recorded, frozen=True, kw_only=True, omit_defaults=False):
    """How codecarbon is run: nothing of it is left to its configuration files.

    `country` is ISO 3166-1 alpha-3 and `region` one that codecarbon has for it; without a country
    there is no emissions figure. `cpu_power_w` replaces the CPU power it would look up by model.
    `interval_s` is between two readings: 15 is its own default, and 0.1 was seen to disturb.
    """

    country: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    region: Annotated[str, Meta(min_length=1)] | None = None
    cpu_power_w: Annotated[float, Meta(gt=0)] | None = None
    interval_s: Annotated[float, Meta(ge=15)] = 15.0
    tracking_mode: Literal["process"] = "process"


class CodecarbonReading(Recorded, frozen=True, kw_only=True):
    """What codecarbon says of one window: set beside our meters, never mixed with them.

    The energy is a model's, unless `cpu_mode` names a counter (`intel_rapl`), which counts the
    whole package in process mode too; GPUs are always counted whole. `absent` has pairs of a field
    and why it is None. `intensity_kg_per_kwh` is codecarbon's for `grid` in `grid_year`, where it
    says the year; `remarks` are its own warnings.
    """

    settings: CodecarbonSettings
    version: str | None = None
    duration_s: float | None = None
    energy_j: float | None = None
    cpu_j: float | None = None
    ram_j: float | None = None
    gpu_j: float | None = None
    emissions_kg: float | None = None
    grid: str | None = None
    grid_year: int | None = None
    intensity_kg_per_kwh: float | None = None
    cpu_mode: str | None = None
    cpu_model: str | None = None
    cpu_power_w: float | None = None
    gpu_model: str | None = None
    absent: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()

    def reason(self, name: str) -> str | None:
        """Return why the field `name` is absent, or None where it is not."""
        return dict(self.absent).get(name)


class EnergyReading(Recorded, frozen=True, kw_only=True):
    """What one meter says of a call, in joules; `absent` says why there is no figure.

    `gross_j` is the mean over `windows` of work, with `gross_u_j` its expanded uncertainty
    U = 2u; net of idle power the same, or `no_net` says why not. `watts` is the mean power at
    work. `covers` are the parts of the machine that were counted; `tier` 1 is an external meter, 2
    a sensor on board, 3 a model: figures of different tiers are not ranked against each other.
    """

    meter: str
    tier: Literal[1, 2, 3] | None = None
    absent: str | None = None
    method: Method | None = None
    scope: Scope | None = None
    covers: tuple[str, ...] = ()
    gross_j: float | None = None
    gross_u_j: float | None = None
    net_j: float | None = None
    net_u_j: float | None = None
    no_net: str | None = None
    watts: float | None = None
    idle_watts: float | None = None
    idle_u_watts: float | None = None
    seconds_a_call: float | None = None
    calls: int | None = None
    windows: int | None = None
    updates: int | None = None
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
