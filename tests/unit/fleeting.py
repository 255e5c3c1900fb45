"""A fleet without processes: a link that tests drive, a clock that stands still, a home."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import structs
from tests.unit import builders

from steelyard.fleet.dispatch import Dispatcher
from steelyard.fleet.keeping import Home, Pins
from steelyard.fleet.messages import (
    Answer,
    Delivery,
    Dismissal,
    Dismissed,
    Lacking,
    Offer,
    Order,
    Part,
    Ready,
    Request,
)
from steelyard.fleet.standing import Standing
from steelyard.fleet.talking import Event, Rules, SchedulerLost, Unfinished
from steelyard.record import Record
from steelyard.record_file import encode

RUN = "20261123T120000Z-toy"
BUNDLE = b"a bundle, as far as a link can tell"
DIGEST = hashlib.sha256(BUNDLE).hexdigest()
PINS = Pins(tasks={"spam": "a" * 64}, models={"tiny": "b" * 64})
CELLS = ("spam/tiny@int8/cpu-1t", "spam/tiny@fp32/cpu-1t")


def record(cell: str) -> Record:
    variant = cell.split("@")[1].split("/", maxsplit=1)[0]
    return builders.record(cell=builders.cell(variant=variant))


def delivery(cell: str, run: str = RUN, **changes: object) -> Delivery:
    body = encode(record(cell))
    made = Delivery(run=run, record=body, sha256=hashlib.sha256(body).hexdigest())
    return structs.replace(made, **changes)


class Device:
    """What answers as a device does; `acts` are answers given in place of its own, in order."""

    def __init__(self, *acts: Answer | str, lacks: bool = False) -> None:
        self.acts = list(acts)
        self.asked: list[Request] = []
        self.lacks = lacks
        self.kept: set[str] = set()
        self.header = builders.header()

    def answer(self, request: Request) -> Answer | str:
        self.asked.append(request)
        if isinstance(request, Order) and self.acts:
            return self.acts.pop(0)
        if isinstance(request, Offer):
            if self.lacks:
                return Lacking(begin=0)
            return Ready(header=self.header, cells=CELLS, finished=tuple(self.kept))
        if isinstance(request, Part):
            self.lacks = False
            return Lacking(begin=request.begin + len(request.data))
        if isinstance(request, Dismissal):
            return Dismissed()
        self.kept.add(request.cell)
        return delivery(request.cell, request.run)

    @property
    def ordered(self) -> list[str]:
        return [one.cell for one in self.asked if isinstance(one, Order)]


class Link:
    """Devices by label. `lost`, `silent` and `cut` as an answer: its end, none at all, no link."""

    def __init__(self, **devices: Device) -> None:
        self.devices = devices
        self.here = set(devices)
        self.now = 0.0
        self.comes: dict[float, str] = {}
        self.cut = False
        self._answers: list[Event] = []

    def clock(self) -> float:
        return self.now

    def present(self) -> frozenset[str]:
        for when, label in list(self.comes.items()):
            if self.now >= when:
                self.here.add(label)
                del self.comes[when]
        if self.cut:
            raise SchedulerLost("as the test wants")
        return frozenset(self.here)

    def send(self, label: str, request: Request) -> None:
        answer = self.devices[label].answer(request)
        if answer == "lost":
            self.here.discard(label)
            self._answers.append(Event(label=label, kind="lost"))
        elif answer == "cut":
            self.cut = True
        elif answer != "silent" and not isinstance(answer, str):
            self._answers.append(Event(label=label, kind="answer", answer=answer))

    def drop(self, label: str) -> None:
        self._answers = [one for one in self._answers if one.label != label]

    def events(self, timeout_s: float) -> list[Event]:
        if not self._answers:
            self.now += timeout_s
        came, self._answers = self._answers, []
        return came

    def reconnect(self, timeout_s: float) -> bool:
        self.now += timeout_s
        return not self.cut


class Heard:
    """Who is told, and remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.home: list[tuple[str, str]] = []

    def say(self, message: str) -> None:
        self.lines.append(message)

    def finished(self, label: str, record: Record) -> None:
        self.home.append((label, record.cell.id))

    def show(self, standings: tuple[Standing, ...]) -> None:
        pass

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def home(folder: Path) -> Home:
    made = Home.start(folder / "runs", "toy", DIGEST, PINS)
    made.listing = structs.replace(made.listing, run=RUN)
    return made


def dispatch(
    folder: Path, link: Link, rules: Rules | None = None, kept: Home | None = None
) -> tuple[tuple[Unfinished, ...], Heard]:
    """Run the cells on the devices of a link; return what is unfinished and what was said."""
    bundle = folder / "bundle.zip"
    bundle.write_bytes(BUNDLE)
    offer = Offer(run=RUN, bundle_sha256=DIGEST, size_bytes=len(BUNDLE))
    heard = Heard()
    made = Dispatcher(link, kept or home(folder), offer, bundle, rules or Rules(wait_s=30))
    return made.run(link.clock, heard), heard
