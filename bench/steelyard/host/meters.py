"""The installed energy meters, each made for one machine."""

from __future__ import annotations

from importlib import import_module

from msgspec import Struct

from steelyard import plugins
from steelyard.api import Meter
from steelyard.host.machine import Machine


class Installed(Struct, frozen=True, kw_only=True):
    """A meter, or why it cannot be had; `refusal` says why it cannot read this machine."""

    name: str
    meter: Meter | None = None
    refusal: str | None = None


def installed(machine: Machine) -> tuple[Installed, ...]:
    """Return every installed meter, asked whether it can read `machine`."""
    return tuple(_ask(name, machine) for name in plugins.names("meters"))


def _ask(name: str, machine: Machine) -> Installed:
    module, _, attribute = plugins.locate("meters", name).partition(":")
    try:
        meter: Meter = getattr(import_module(module), attribute)(machine)
        return Installed(name=name, meter=meter, refusal=meter.refuse())
    except Exception as error:  # noqa: BLE001 - a stranger's meter must not end a run
        return Installed(name=name, refusal=f"{type(error).__name__}: {error}")
