"""NVML: what an NVIDIA driver says its GPUs use; nvidia-ml-py is imported when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, cast

from msgspec import Struct

from steelyard.api import Channel, Trace
from steelyard.errors import MeterError
from steelyard.host.machine import Machine
from steelyard.meters.counting import Counted, unwrap
from steelyard.meters.recording import Pace, Readings, Recording, started

# The driver refreshes about ten times a second. Asking more often costs the host and adds nothing.
INTERVAL_S = 0.1
# NVIDIA states +-5 % (nvmlDeviceGetPowerUsage); a bound a is a/sqrt(3) as a standard uncertainty
# (GUM 4.3.7). Yang, Adamek, Armour, SC24, find boards inside it when the window is long enough.
GAIN = 0.05 / 3**0.5

NO_DRIVER = "no NVIDIA driver is loaded on this machine (no /proc/driver/nvidia, no /dev/nvidia0)"
NOT_INSTALLED = "nvidia-ml-py is not installed; try: pip install 'steelyard[energy]'"
NOT_SUPPORTED = (
    "NVML answers, but no GPU tells its energy or power (NotSupported). A Jetson's GPU is read "
    "with its board: meter 'ina3221'"
)

NOTES = (
    "GPU cards with their memory; the host is not counted: add its own meter",
    "all GPUs of the machine, also those that idle",
    "A100 and H100 sample a quarter of the time: loop for seconds (Yang et al., SC24)",
)
AVERAGED = "power polled: on Ampere (not GA100) and later a reading is the mean of the last second"


class Library(Protocol):
    """What is used of pynvml."""

    NVMLError: type[Exception]

    def nvmlInit(self) -> None: ...  # noqa: N802 - NVML's own names

    def nvmlShutdown(self) -> None: ...  # noqa: N802

    def nvmlDeviceGetCount(self) -> int: ...  # noqa: N802

    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> Any: ...  # noqa: N802

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Any, /) -> int: ...  # noqa: N802

    def nvmlDeviceGetPowerUsage(self, handle: Any, /) -> int: ...  # noqa: N802


Load = Callable[[], Library]


class Gpu(Struct, frozen=True, kw_only=True):
    """A GPU and what it tells: "J" its energy counter (mJ), "W" its power (mW)."""

    name: str
    unit: Literal["J", "W"]
    ask: Callable[[], int]


class Nvml:
    """Counts the energy of all GPUs; where a GPU has no counter its power is polled."""

    name = "nvml"

    def __init__(
        self, machine: Machine, pace: Pace | None = None, load: Load | None = None
    ) -> None:
        self._machine = machine
        self._pace = pace or Pace()
        self._load = load or load_pynvml
        self._library: Library | None = None
        self._gpus: tuple[Gpu, ...] = ()
        self._fault: str | None = None
        self._recording: Recording | None = None

    def refuse(self) -> str | None:
        """Say that there is no driver, no nvidia-ml-py, or nothing that a GPU tells."""
        if not present(self._machine):
            return NO_DRIVER
        try:
            library = self._load()
        except ImportError:
            return NOT_INSTALLED
        try:
            library.nvmlInit()
        except library.NVMLError as error:
            return f"NVML does not start: {error}; is the driver of the same version running?"
        try:
            return None if gpus_of(library) else NOT_SUPPORTED
        finally:
            library.nvmlShutdown()

    def start(self) -> None:
        """Open NVML and begin to record."""
        self._open()
        self._recording = Recording(self._read, len(self._gpus), INTERVAL_S, self._pace)
        self._recording.start()

    def stop(self) -> Trace:
        """Return the GPUs' counters, and their power where they have none."""
        readings = started(self._recording, self.name).stop()
        if self._library is not None:
            self._library.nvmlShutdown()
            self._library = None
        counted = [_counted(gpu, readings, i) for i, gpu in enumerate(self._gpus)]
        pairs = list(zip(self._gpus, counted, strict=True))
        polled = any(gpu.unit == "W" for gpu in self._gpus)
        resets = (f"{gpu.name}: {count.fault}" for gpu, count in pairs if count.fault)
        return Trace(
            meter=self.name,
            method="sampled" if polled else "counter",
            scope="package",
            covers=("gpu",),
            channels=tuple(_channel(gpu, count) for gpu, count in pairs),
            gain_uncertainty=GAIN,
            notes=(*NOTES, AVERAGED) if polled else NOTES,
            faults=(*readings.faults, *resets),
        )

    def _open(self) -> None:
        self._fault = None
        try:
            library = self._load()
            library.nvmlInit()
        except Exception as error:  # noqa: BLE001 - pynvml's errors are known once it is loaded
            self._fault = f"NVML does not start: {error}"
            return
        self._library = library
        self._gpus = gpus_of(library)
        if not self._gpus:
            self._fault = NOT_SUPPORTED

    def _read(self) -> tuple[float, ...]:
        if self._fault is not None:
            raise MeterError(self._fault)
        return tuple(float(gpu.ask()) for gpu in self._gpus)


def present(machine: Machine) -> bool:
    """Tell whether an NVIDIA driver is loaded, without importing anything."""
    places = ("proc/driver/nvidia/gpus/*", "dev/nvidia[0-9]*", "dev/dxg")
    return any(machine.glob(place) for place in places)


def gpus_of(library: Library) -> tuple[Gpu, ...]:
    """Return the GPUs that tell their energy or their power; NotSupported is no reading."""
    try:
        handles = [
            library.nvmlDeviceGetHandleByIndex(index)
            for index in range(library.nvmlDeviceGetCount())
        ]
    except library.NVMLError:
        return ()
    gpus = (_gpu(library, handle, f"gpu-{index}") for index, handle in enumerate(handles))
    return tuple(gpu for gpu in gpus if gpu is not None)


def load_pynvml() -> Library:
    """Import nvidia-ml-py's module; raises ImportError."""
    from importlib import import_module

    return cast("Library", import_module("pynvml"))


def _gpu(library: Library, handle: Any, name: str) -> Gpu | None:
    def energy() -> int:
        return library.nvmlDeviceGetTotalEnergyConsumption(handle)

    def power() -> int:
        return library.nvmlDeviceGetPowerUsage(handle)

    for unit, ask in (("J", energy), ("W", power)):
        try:
            ask()
        except library.NVMLError:
            continue
        return Gpu(name=name, unit="J" if unit == "J" else "W", ask=ask)
    return None


def _counted(gpu: Gpu, readings: Readings, column: int) -> Counted:
    values = readings.columns[column]
    if gpu.unit == "J":
        return unwrap(readings.times_ns, values, 1e-3, None)
    return Counted(times_ns=readings.times_ns, joules=tuple(1e-3 * value for value in values))


def _channel(gpu: Gpu, count: Counted) -> Channel:
    return Channel(
        name=gpu.name, unit=gpu.unit, times_ns=count.times_ns, values=count.joules, resolution=1e-3
    )
