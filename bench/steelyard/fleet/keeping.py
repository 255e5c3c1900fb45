"""A fleet's run at home: one run folder a device, each record verified before it is kept."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import zlib
from datetime import datetime, timezone
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from steelyard import store
from steelyard.errors import FleetError, StoreError
from steelyard.fleet import labels
from steelyard.fleet.messages import Delivery, Ready
from steelyard.record import Prediction, Record
from steelyard.store import Journal

LISTING = "fleet.json"
SCHEMA = 1


class FleetRun(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a fleet's run is of: the first thing on the disk."""

    schema: int
    run: str
    suite: str
    bundle_sha256: str


class Pins(Struct, frozen=True, kw_only=True):
    """What records must name: the sha256 of their task's and their model's card, by id."""

    tasks: dict[str, str]
    models: dict[str, str]


class Home:
    """Where records come home to; a device has a folder of its own, under its label."""

    def __init__(self, folder: Path, listing: FleetRun, pins: Pins) -> None:
        self.folder = folder
        self.listing = listing
        self._pins = pins
        # Without their records: of a thousand devices they would fill the memory.
        self._journals: dict[str, Journal] = {}
        self._done: dict[str, set[str]] = {}

    @classmethod
    def start(cls, output: Path, suite: str, bundle_sha256: str, pins: Pins) -> Home:
        """Make the folder `output/<time>-<suite>`; raise StoreError where that cannot be."""
        run = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{suite}"
        listing = FleetRun(schema=SCHEMA, run=run, suite=suite, bundle_sha256=bundle_sha256)
        folder = output / run
        try:
            folder.mkdir(parents=True)
            encoded = msgspec.json.format(msgspec.json.encode(listing))
            store.write_atomically(folder / LISTING, encoded + b"\n")
        except FileExistsError as error:
            raise StoreError(f"{folder}: holds a run already; start again") from error
        except OSError as error:
            raise StoreError(f"{folder}: cannot keep results: {error.strerror or error}") from error
        return cls(folder, listing, pins)

    @classmethod
    def resume(cls, output: Path, suite: str, bundle_sha256: str, pins: Pins) -> Home:
        """Continue the newest fleet run of the suite; raise StoreError where its bundle differs."""
        found = sorted(output.glob(f"*-{suite}/{LISTING}"))
        if not found:
            raise StoreError(f"{output}: no fleet run of suite {suite}; leave --resume out")
        try:
            listing = msgspec.json.decode(found[-1].read_bytes(), type=FleetRun)
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreError(f"{found[-1]}: cannot be read: {error}") from error
        if (listing.schema, listing.bundle_sha256) != (SCHEMA, bundle_sha256):
            raise StoreError(
                f"{found[-1].parent}: was run from another bundle (cards, suite or version "
                "differ); leave --resume out to start anew"
            )
        home = cls(found[-1].parent, listing, pins)
        for journal in sorted(home.folder.glob(f"*/{store.JOURNAL}")):
            home._opened(journal.parent.name, Journal.resume(journal.parent))
        return home

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that have a folder here."""
        return tuple(sorted(self._journals))

    def enrol(self, label: str, ready: Ready) -> frozenset[str]:
        """Open a device's folder; return which of its cells are home.

        Raises StoreError where it is not the machine, or not the plan, that the run began with.
        """
        header = structs.replace(
            ready.header, run=self.listing.run, suite=self.listing.suite, commit=None
        )
        folder = self.folder / label
        known = self._journals.get(label)
        if known is None and (folder / store.JOURNAL).exists():
            known = self._opened(label, Journal.resume(folder))
        if known is None:
            known = self._opened(label, Journal.start(folder, header))
        _same(label, known, header.plan_sha256, header.host.cpu)
        done = self._done[label]
        return frozenset(cell for cell in ready.cells if labels.home_id(cell, label) in done)

    def keep(self, label: str, cell: str, delivery: Delivery) -> Record:
        """Verify a delivery and keep it; raise FleetError where it is not what it says."""
        record = verified(cell, delivery, self._pins, self.listing.run)
        journal = self._journals[label]
        digest = record.predictions_sha256
        if digest is not None and delivery.predictions is not None:
            given = predictions(cell, digest, delivery.predictions)
            if store.write_predictions(journal.folder, given) != digest:
                raise FleetError(f"{label}: {cell}: predictions in another form than ours")
        record = labels.at_home(record, label)
        journal.append(record)
        self._done[label].add(record.cell.id)
        return record

    def close(self) -> tuple[Path, ...]:
        """Write the run files; return the folders of the devices."""
        for label in self.devices:
            Journal.read(self.folder / label).close()
        return tuple(self.folder / label for label in self.devices)

    def _opened(self, label: str, journal: Journal) -> Journal:
        self._done[label] = set(journal.finished())
        self._journals[label] = Journal(journal.folder, journal.header, ())
        return self._journals[label]


def verified(cell: str, delivery: Delivery, pins: Pins, run: str) -> Record:
    """Return a delivery's record; raise FleetError unless it is whole and of what was ordered."""
    if hashlib.sha256(delivery.record).hexdigest() != delivery.sha256:
        raise FleetError(f"{cell}: the record is not what was sent: its sha256 differs")
    try:
        record = msgspec.json.decode(delivery.record, type=Record)
    except msgspec.MsgspecError as error:
        raise FleetError(f"{cell}: no record of this version: {error}") from error
    if delivery.run != run or record.cell.id != cell:
        raise FleetError(f"{cell}: the record is of {record.cell.id} in run {delivery.run}")
    ours = pins.tasks.get(record.cell.task), pins.models.get(record.cell.model)
    if ours != (record.task_sha256, record.model_sha256):
        raise FleetError(f"{cell}: the record is of other cards than the bundle's")
    if (record.predictions_sha256 is None) != (delivery.predictions is None):
        raise FleetError(f"{cell}: the record and its predictions did not come together")
    return record


def predictions(cell: str, digest: str, packed: bytes) -> tuple[Prediction, ...]:
    """Unpack predictions and check them; raise FleetError."""
    try:
        lines = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise FleetError(f"{cell}: predictions cannot be read: {error}") from error
    if hashlib.sha256(lines).hexdigest() != digest:
        raise FleetError(f"{cell}: the predictions are not those that the record names")
    with contextlib.suppress(msgspec.MsgspecError):
        return tuple(msgspec.json.decode(line, type=Prediction) for line in lines.splitlines())
    raise FleetError(f"{cell}: predictions of another version")


def _same(label: str, journal: Journal, plan_sha256: str, cpu: str) -> None:
    """Raise StoreError where a device is not what it was when its run began."""
    if journal.header.plan_sha256 != plan_sha256:
        raise StoreError(
            f"{journal.folder}: device '{label}' would now run another plan (its cores or its "
            "steelyard differ); leave --resume out to start anew"
        )
    if journal.header.host.cpu != cpu:
        raise StoreError(
            f"{journal.folder}: device '{label}' was {journal.header.host.cpu}, now it is {cpu}; "
            "give another board another label"
        )
