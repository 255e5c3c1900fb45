"""What passes between who runs a fleet and its devices: typed, packed, decoded strictly.

Dask pickles the calls; what a call carries and returns is only these, as bytes.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import msgspec
from msgspec import Struct

from steelyard.errors import FleetError
from steelyard.store import RunHeader

# Dask warns of calls that carry more than 10 MB.
PART_BYTES = 4 << 20


class Message(Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """What all messages share."""


class Offer(Message, frozen=True, kw_only=True, tag="offer"):
    """A run's bundle by its content, and which of its cells (`patterns`: all, where empty)."""

    run: str
    bundle_sha256: str
    size_bytes: int
    patterns: tuple[str, ...] = ()
    fresh: bool = False


class Part(Message, frozen=True, kw_only=True, tag="part"):
    """A piece of an offered bundle, from byte `begin` on."""

    bundle_sha256: str
    begin: int
    data: bytes


class Order(Message, frozen=True, kw_only=True, tag="order"):
    """Measure one cell of a run that the device is ready for, or hand over what it kept of it."""

    run: str
    cell: str


class Dismissal(Message, frozen=True, kw_only=True, tag="dismissal"):
    """All records of the run are home: the device may forget it."""

    run: str
    bundle_sha256: str


class Lacking(Message, frozen=True, kw_only=True, tag="lacking"):
    """The device needs the bundle, from byte `begin` on."""

    begin: int


class Ready(Message, frozen=True, kw_only=True, tag="ready"):
    """The device has the bundle, verified: the cells it would run, and those it has run already.

    `header` says which machine it is.
    """

    header: RunHeader
    cells: tuple[str, ...]
    finished: tuple[str, ...] = ()


class Delivery(Message, frozen=True, kw_only=True, tag="delivery"):
    """One finished cell: its record as canonical JSON with the sha256, its predictions as kept."""

    run: str
    record: bytes
    sha256: str
    predictions: bytes | None = None


class Interrupted(Message, frozen=True, kw_only=True, tag="interrupted"):
    """The cell was not finished, through no fault of its own: it may be asked for again."""

    reason: str


class Unready(Message, frozen=True, kw_only=True, tag="unready"):
    """The device knows nothing of this run, as after a restart: offer it again."""


class Declined(Message, frozen=True, kw_only=True, tag="declined"):
    """The device cannot take the run, and will not later either."""

    reason: str


class Dismissed(Message, frozen=True, kw_only=True, tag="dismissed"):
    """The run is forgotten."""


Request = Offer | Part | Order | Dismissal
Answer = Lacking | Ready | Delivery | Interrupted | Unready | Declined | Dismissed


def pack(message: Message) -> bytes:
    """Return a message as MessagePack."""
    return msgspec.msgpack.encode(message)


def request(data: bytes) -> Request:
    """Decode what a device is asked; raise FleetError."""
    with _explained():
        decoded: Request = msgspec.msgpack.decode(data, type=Request)
        return decoded


def answer(data: bytes) -> Answer:
    """Decode what a device says; raise FleetError."""
    with _explained():
        decoded: Answer = msgspec.msgpack.decode(data, type=Answer)
        return decoded


@contextmanager
def _explained() -> Generator[None, None, None]:
    try:
        yield
    except msgspec.MsgspecError as error:
        raise FleetError(
            f"a message of another steelyard: {error}; install the same version everywhere"
        ) from error
