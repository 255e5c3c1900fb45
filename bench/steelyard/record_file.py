"""Records as files: canonical JSON with long samples packed, and the schemas that are read."""

from __future__ import annotations

import msgspec
from msgspec import Struct, structs

from steelyard.errors import StoreError
from steelyard.record import SCHEMA, Measurement, Method, Record, Recorded, RunFile, Scope
from steelyard.stats import pack

READ = (1, SCHEMA)
# Fewer samples than this are as short in plain sight.
_PACK_FROM = 32


def encode(value: Recorded) -> bytes:
    """Return `value` as canonical JSON: sorted keys, no spaces, long samples packed."""

    def compact(part: object) -> object:
        if isinstance(part, RunFile):
            return structs.replace(part, records=tuple(map(compact, part.records)))
        if isinstance(part, Record):
            return structs.replace(part, measurements=tuple(map(compact, part.measurements)))
        return _packed(part) if isinstance(part, Measurement) else part

    return msgspec.json.encode(compact(value), order="sorted")


def decode_run(data: bytes, where: str) -> RunFile:
    """Decode a run file; raise StoreError naming `where` if it is damaged or of another schema.

    A file of schema 1 is read as one of schema 2 that lacks what only that knows.
    """
    if not data.strip():
        raise StoreError(f"{where}: empty; restore it, or run again")
    try:
        schema = msgspec.json.decode(data, type=_Versioned).schema
        if schema not in READ:
            raise StoreError(
                f"{where}: schema {schema}, this steelyard reads {READ[0]} to {SCHEMA}; "
                "use the steelyard that wrote it, or a newer one"
            )
        return structs.replace(msgspec.json.decode(data, type=RunFile), schema=SCHEMA)
    except msgspec.ValidationError as error:
        raise StoreError(f"{where}: not a steelyard run file: {error}") from error
    except msgspec.MsgspecError as error:
        raise StoreError(f"{where}: damaged: {error}; restore it, or run again") from error


class _Versioned(Struct):
    schema: int


class _Packed(Recorded, frozen=True, kw_only=True):
    """A measurement as it is written where its values are packed."""

    quantity: str
    unit: str
    method: Method
    scope: Scope
    packed: str
    resolution: float | None = None
    uncertainty: float | None = None


def _packed(measured: Measurement) -> Measurement | _Packed:
    whole = [value for value in measured.values if isinstance(value, int)]
    if len(whole) < max(_PACK_FROM, len(measured.values)):
        return measured
    return _Packed(
        quantity=measured.quantity,
        unit=measured.unit,
        method=measured.method,
        scope=measured.scope,
        packed=pack(whole),
        resolution=measured.resolution,
        uncertainty=measured.uncertainty,
    )
