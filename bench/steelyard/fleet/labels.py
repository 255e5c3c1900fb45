"""What a device is called, in Dask's resources, in folders and in the cells of its records."""

from __future__ import annotations

import re

from msgspec import structs

from steelyard.errors import OptionError
from steelyard.record import Record

# As the ids of cards: it becomes a folder, a part of a cell's id and of a certificate's file.
_LABEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def check(label: str, where: str = "--device") -> str:
    """Return the label; raise OptionError where it can be none."""
    if not _LABEL.fullmatch(label):
        raise OptionError(
            f"{where}: {label!r} is no label; write small letters, digits, '.', '_' and '-', "
            "such as pi5-kitchen"
        )
    return label


def resource(label: str) -> str:
    """Return the Dask resource that stands for a device: a worker has one, a cell takes it."""
    return f"device:{label}"


def at_home(record: Record, label: str) -> Record:
    """Return a device's record under its label: `spam/tiny@int8/pi5-kitchen.cpu-1t`.

    On the device itself the cell ends with `cpu-1t`, as those of all devices do.
    """
    cell = structs.replace(record.cell, device=f"{label}.{record.cell.device}")
    return structs.replace(record, cell=cell)


def home_id(cell: str, label: str) -> str:
    """Return the id under which a device's cell is kept at home."""
    work, _, device = cell.rpartition("/")
    return f"{work}/{label}.{device}"
