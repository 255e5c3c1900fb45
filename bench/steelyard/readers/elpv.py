"""Read the ELPV data set: photographs of solar cells, how surely each is defective, a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from steelyard.api import ArrayItems, Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.pictures import grey, needed
from steelyard.readers.rows import decode_options, named_path, only_name, read_text

FUNCTIONAL, DEFECTIVE = "functional", "defective"
TYPES = ("mono", "poly")


class ElpvOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the list lies, and what becomes of it.

    A cell counts as defective whose probability is above `threshold`. One in `test_every` of each
    probability and type of cell is a test item.
    """

    file: str | None = None
    root: str = "elpv_dataset/data"
    threshold: float = 0.5
    test_every: int = 4
    seed: int = 0


class Cell(Struct, frozen=True, kw_only=True):
    """A line of the list; `path` starts at the list's folder."""

    path: str
    probability: float
    kind: str

    @property
    def id(self) -> str:
        """Return the picture's name without folder and ending."""
        return self.path.rpartition("/")[2].removesuffix(".png")


class Elpv:
    """Reader `elpv`."""

    def read_arrays(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> ArrayItems:
        """Return the cells in the order of the list, each with its picture, |u1 of 300 x 300."""
        how = decode_options(options, ElpvOptions)
        needed()
        if {label.id for label in labels} != {FUNCTIONAL, DEFECTIVE}:
            raise PrepareError(f"labels: this reader has {FUNCTIONAL!r} and {DEFECTIVE!r}")
        name = only_name(paths, how.file)
        root = named_path(paths, name) / how.root
        listed = listing(read_text(root / "labels.csv", f"{name}: labels.csv", "utf-8"))
        items = divided([_item(cell, how) for cell in listed], listed, how)
        return ArrayItems(items=tuple(items), arrays=tuple(_pictures(root, name, listed)))


def listing(text: str) -> list[Cell]:
    """Return the lines of `labels.csv`: path, probability and type, blanks between them."""
    cells = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            path, probability, kind = line.split()
            cell = Cell(path=path, probability=float(probability), kind=kind)
        except ValueError as error:
            raise PrepareError(
                f"labels.csv:{number}: expected path, probability and type, got {line!r}"
            ) from error
        if not 0 <= cell.probability <= 1 or kind not in TYPES:
            raise PrepareError(f"labels.csv:{number}: no probability and type: {line!r}")
        cells.append(cell)
    return cells


def divided(items: Sequence[Item], cells: Sequence[Cell], how: ElpvOptions) -> list[Item]:
    """Return the items with the test part set, in shares of one over all kinds of cells.

    Kinds are counted through one after the other, so that the test part as a whole is one in
    `test_every`, and so is each kind's to within one.
    """
    if how.test_every < 2:
        raise PrepareError(f"reader.options.test_every: {how.test_every}, expected 2 or more")

    def place(row: int) -> tuple[float, str, bytes]:
        cell = cells[row]
        drawn = sha256(f"{how.seed}:{cell.id}".encode()).digest()
        return cell.probability, cell.kind, drawn

    ranked = sorted(range(len(items)), key=place)
    test = set(ranked[how.test_every - 1 :: how.test_every])
    return [
        structs.replace(item, fold=0 if row in test else None) for row, item in enumerate(items)
    ]


def _item(cell: Cell, how: ElpvOptions) -> Item:
    label = DEFECTIVE if cell.probability > how.threshold else FUNCTIONAL
    return Item(id=cell.id, label=label)


def _pictures(root: Path, name: str, cells: Sequence[Cell]) -> list[Any]:
    """Return the pictures; refuse a path that leaves the folder."""
    for cell in cells:
        if ".." in cell.path.split("/") or cell.path.startswith("/"):
            raise PrepareError(f"{name}: {cell.path!r} is no path below {root.name}")
    return [grey(root / cell.path, f"{name}: {cell.path}") for cell in cells]
