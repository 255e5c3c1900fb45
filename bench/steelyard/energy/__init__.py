"""Energy: traces -> joules with their uncertainty, net of idle, per call, carbon and cost."""

from __future__ import annotations

from steelyard.energy.arithmetic import (
    ENOUGH_UPDATES,
    Absent,
    Energy,
    Idle,
    idle_power,
    net,
    over_blocks,
    per,
    per_correct,
    refuse_short,
    seconds_needed,
    together,
)
from steelyard.energy.integration import energy_between
from steelyard.energy.price import Cost, carbon_kg, cost

__all__ = [
    "ENOUGH_UPDATES",
    "Absent",
    "Cost",
    "Energy",
    "Idle",
    "carbon_kg",
    "cost",
    "energy_between",
    "idle_power",
    "net",
    "over_blocks",
    "per",
    "per_correct",
    "refuse_short",
    "seconds_needed",
    "together",
]
