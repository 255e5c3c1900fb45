"""The installed energy meters, each made for one machine."""

from __future__ import annotations

from importlib import import_module

from steelyard import plugins
from steelyard.api import Meter
from steelyard.host.machine import Machine


def installed(machine: Machine) -> tuple[Meter, ...]:
    """Return every installed meter, whether it can read `machine` or not."""
    located = (plugins.locate("meters", name) for name in plugins.names("meters"))
    parts = (place.partition(":") for place in located)
    return tuple(getattr(import_module(module), name)(machine) for module, _, name in parts)
