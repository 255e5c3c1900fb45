"""Several meters at once: all are stopped in the end, and none stops another."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from steelyard.api import Meter, Trace


class Recording:
    """`with Recording(meters) as recording:` records; then its `traces` and `faults` are there.

    A meter that fails is a fault by its name and stops nobody else; all are stopped in the end.
    """

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._meters = meters
        self._around = ExitStack()
        self.traces: list[Trace] = []
        self.faults: dict[str, str] = {}

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that meters run: their work is not foreign."""
        found = (getattr(meter, "pid", None) for meter in self._meters)
        return tuple(pid for pid in found if isinstance(pid, int))

    def __enter__(self) -> Recording:  # noqa: PYI034 - `Self` is Python 3.11's
        try:
            for meter in self._meters:
                # First, so that an interrupt during `start` stops what it has begun.
                self._around.callback(self._stop, meter)
                self._start(meter)
        except BaseException:
            self._around.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._around.close()

    def _start(self, meter: Meter) -> None:
        try:
            meter.start()
        except Exception as error:  # noqa: BLE001 - a stranger's meter must not end a run
            self.faults[meter.name] = f"could not start: {error}"

    def _stop(self, meter: Meter) -> None:
        try:
            trace = meter.stop()
            if meter.name not in self.faults:
                self.traces.append(trace)
        except Exception as error:  # noqa: BLE001 - as above
            self.faults.setdefault(meter.name, f"could not stop: {error}")
