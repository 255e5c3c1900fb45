"""Which device does what next: one cell at a time on each, and never a cell elsewhere.

Devices come and go; a cell whose device was lost waits for that device, so long and no longer.
"""

from __future__ import annotations

from pathlib import Path

from steelyard.errors import FleetError, SteelyardError
from steelyard.fleet.keeping import Home
from steelyard.fleet.messages import (
    PART_BYTES,
    Answer,
    Declined,
    Delivery,
    Dismissal,
    Dismissed,
    Interrupted,
    Lacking,
    Offer,
    Order,
    Part,
    Ready,
    Unready,
)
from steelyard.fleet.standing import Standing
from steelyard.fleet.talking import (
    Clock,
    Event,
    Link,
    Observer,
    Rules,
    SchedulerLost,
    Unfinished,
)


class Dispatcher:
    """Sends a bundle's cells to devices and keeps what comes home."""

    def __init__(self, link: Link, home: Home, offer: Offer, bundle: Path, rules: Rules) -> None:
        self._link = link
        self._home = home
        self._offer = offer
        self._bundle = bundle
        self._rules = rules
        self._standings: dict[str, Standing] = {}

    def run(self, clock: Clock, observer: Observer) -> tuple[Unfinished, ...]:
        """Go on until every device is done or given up; return what is not finished."""
        self._clock, self._observer = clock, observer
        self._began = clock()
        for label in self._rules.devices:
            self._standings[label] = Standing(label, clock())
        due = clock()
        while True:
            try:
                # Not after every answer: of a thousand devices one answers all the time.
                if clock() >= due:
                    due = clock() + self._rules.poll_s
                    self._roll_call()
                    if self._settled():
                        break
                for event in self._link.events(self._rules.poll_s):
                    self._happened(event)
            except SchedulerLost as lost:
                self._wait_for_scheduler(lost)
        return tuple(one for standing in self._all() for one in _unfinished(standing))

    def _all(self) -> tuple[Standing, ...]:
        return tuple(self._standings.values())

    def _settled(self) -> bool:
        """Tell whether there is nothing left to do; give up who was away too long."""
        now = self._clock()
        for one in self._all():
            if one.state in {"away", "expected"} and now - one.since > self._rules.wait_s:
                how = "device lost: not back" if one.state == "away" else "it never joined"
                self._give_up(one, f"{how} within {self._rules.wait_s:g} s")
        if not self._standings and now - self._began > self._rules.wait_s:
            raise FleetError(
                f"no device joined within {self._rules.wait_s:g} s; on a device: "
                "steelyard fleet worker --device LABEL --scheduler ADDRESS"
            )
        self._observer.show(self._all())
        return bool(self._standings) and all(one.over for one in self._all())

    def _roll_call(self) -> None:
        """Notice who has come and who has gone."""
        present = self._link.present()
        for label in sorted(present - self._standings.keys()):
            if not self._rules.devices:
                self._standings[label] = Standing(label, self._clock())
        for one in self._all():
            if one.label in present and one.state in {"away", "expected"}:
                self._observer.say(f"{one.label}: {'back' if one.state == 'away' else 'here'}")
                self._enrol(one)
            elif one.label not in present and one.state in {"enrolling", "ready"}:
                self._lost(one)

    def _enrol(self, one: Standing) -> None:
        one.enter("enrolling", self._clock())
        self._link.send(one.label, self._offer)

    def _happened(self, event: Event) -> None:
        one = self._standings[event.label]
        if one.over or one.state == "away":
            return
        if event.kind == "lost":
            self._lost(one)
        elif event.answer is None:
            self._failed(one, event.reason)
        else:
            try:
                self._answered(one, event.answer)
            except FleetError as error:
                self._failed(one, str(error))
            except SteelyardError as error:
                # A disk that is full at home, or a device that is another machine now.
                self._give_up(one, str(error))

    def _answered(self, one: Standing, answer: Answer) -> None:
        if isinstance(answer, Lacking):
            self._send_bundle(one, answer.begin)
        elif isinstance(answer, Ready):
            self._ready(one, answer)
        elif isinstance(answer, Delivery) and one.cell is not None:
            record = self._home.keep(one.label, one.cell, answer)
            one.done, one.cell = one.done + 1, None
            self._observer.finished(one.label, record)
            self._next(one)
        elif isinstance(answer, Interrupted):
            self._failed(one, answer.reason)
        elif isinstance(answer, Unready):
            self._enrol(one)
        elif isinstance(answer, Declined):
            self._declined(one, answer.reason)
        elif isinstance(answer, Dismissed):
            one.enter("done", self._clock())

    def _send_bundle(self, one: Standing, begin: int) -> None:
        """Send the next part, or the offer again where the device has all of them."""
        with self._bundle.open("rb") as file:
            file.seek(begin)
            data = file.read(PART_BYTES)
        if begin == 0 and one.sent_bytes:
            one.tries_of_bundle += 1
            if one.tries_of_bundle >= self._rules.tries:
                self._give_up(one, f"the bundle came {one.tries_of_bundle} times and never whole")
                return
        one.sent_bytes = begin + len(data)
        digest = self._offer.bundle_sha256
        part = Part(bundle_sha256=digest, begin=begin, data=data)
        self._link.send(one.label, part if data else self._offer)

    def _ready(self, one: Standing, ready: Ready) -> None:
        home = self._home.enrol(one.label, ready)
        given_up = {cell for cell, _ in one.unfinished}
        # What the device has kept of a run that was killed comes first: it only has to be fetched.
        left = [cell for cell in ready.cells if cell not in home and cell not in given_up]
        left.sort(key=lambda cell: cell not in ready.finished)
        one.queue, one.done, one.total = left, len(home), len(ready.cells)
        kept = sum(cell in ready.finished for cell in left)
        fetched = f", {kept} more are to be fetched" if kept else ""
        cpu = ready.header.host.cpu
        self._observer.say(
            f"{one.label}: {cpu}; {len(home)} of {one.total} cells are home{fetched}"
        )
        self._next(one)

    def _next(self, one: Standing) -> None:
        """Order the next cell, or dismiss the device."""
        cell = one.take()
        if cell is not None:
            one.enter("ready", self._clock())
            self._link.send(one.label, Order(run=self._offer.run, cell=cell))
            return
        one.enter("done" if one.unfinished else "leaving", self._clock())
        if not one.unfinished:
            digest = self._offer.bundle_sha256
            self._link.send(one.label, Dismissal(run=self._offer.run, bundle_sha256=digest))

    def _lost(self, one: Standing) -> None:
        """Report a lost device; its cell waits for this device and no other."""
        self._link.drop(one.label)
        if one.state == "leaving":
            one.enter("done", self._clock())
            return
        cell = one.put_back()
        one.enter("away", self._clock())
        limit = f"waits up to {self._rules.wait_s:g} s for the same device"
        if cell is None:
            self._observer.say(f"{one.label}: device lost; what it has to do {limit}")
            return
        self._observer.say(f"{one.label}: device lost during {cell}; the cell {limit}")
        self._count(one, cell, "device lost")

    def _failed(self, one: Standing, reason: str) -> None:
        """Report a cell that ended without a record; the same device tries again, so often."""
        cell = one.put_back()
        if cell is None:
            self._give_up(one, reason)
            return
        self._observer.say(f"{one.label}: {cell}: {reason}")
        self._count(one, cell, reason)
        self._enrol(one)

    def _count(self, one: Standing, cell: str, reason: str) -> None:
        if one.count(cell, reason, self._rules.tries):
            self._observer.say(f"{one.label}: {cell}: not tried again")

    def _declined(self, one: Standing, reason: str) -> None:
        if one.cell is None:
            self._give_up(one, reason)
        else:
            self._failed(one, reason)

    def _give_up(self, one: Standing, reason: str) -> None:
        self._observer.say(f"{one.label}: given up: {reason}")
        self._link.drop(one.label)
        one.put_back()
        one.given_up = reason
        one.enter("given up", self._clock())

    def _wait_for_scheduler(self, lost: SchedulerLost) -> None:
        """Wait for the scheduler; devices go on by themselves with the cell they are at."""
        for one in self._all():
            if not one.over and one.state != "expected":
                one.put_back()
                one.enter("away", self._clock())
        self._observer.say(f"scheduler lost ({lost}); waiting up to {self._rules.wait_s:g} s")
        ends = self._clock() + self._rules.wait_s
        while not self._link.reconnect(self._rules.poll_s):
            if self._clock() > ends:
                raise FleetError(
                    f"the scheduler did not come back within {self._rules.wait_s:g} s; what is "
                    f"finished is in {self._home.folder}, --resume goes on"
                )
        for one in self._all():
            if one.state == "away":
                one.enter("away", self._clock())
        self._observer.say("scheduler back")


def _unfinished(one: Standing) -> list[Unfinished]:
    """Return what a device has left undone."""
    left = [
        Unfinished(label=one.label, cell=cell, reason=reason) for cell, reason in one.unfinished
    ]
    if one.given_up is None:
        return left
    left += [Unfinished(label=one.label, cell=cell, reason=one.given_up) for cell in one.queue]
    return left or [Unfinished(label=one.label, cell=None, reason=one.given_up)]
