"""The reader of solar cells: the list, the labels, the split, the pictures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from steelyard.api import ArrayItems, Label
from steelyard.errors import PrepareError
from steelyard.readers.elpv import Elpv, listing

image = pytest.importorskip("PIL.Image")

LABELS = (Label(id="functional", words="functional"), Label(id="defective", words="defective"))
# 8 cells each of six kinds: what the expert said, and how the silicon was made.
KINDS = [(p, t) for p in ("0.0", "0.3333333333333333", "0.6666666666666666", "1.0")
         for t in ("mono", "poly")]  # fmt: skip


def cells(root: Path, *lines: str) -> dict[str, Path]:
    """Write the list and a picture for each of its lines; picture n is grey n everywhere."""
    folder = root / "elpv_dataset" / "data" / "images"
    folder.mkdir(parents=True)
    written = lines or tuple(
        f"images/cell{number:04d}.png  {p}    {t}"
        for number, (p, t) in enumerate(KINDS * 8, start=1)
    )
    (folder.parent / "labels.csv").write_text("\n".join(written) + "\n")
    for line in written:
        name = line.split()[0].removeprefix("images/")
        grey = int("".join(filter(str.isdigit, name)) or 0)
        image.fromarray(np.full((30, 20), grey, np.uint8)).save(folder / Path(name).name)
    return {"elpv": root}


def read(paths: dict[str, Path], **options: str | float) -> ArrayItems:
    return Elpv().read_arrays(paths, options, LABELS)


def test_a_cell_is_defective_where_the_expert_said_so_surely_or_not(tmp_path: Path) -> None:
    found = read(cells(tmp_path))

    said = [item.label for item in found.items[:8]]
    assert said == ["functional"] * 4 + ["defective"] * 4


def test_another_threshold_moves_the_uncertain_cells(tmp_path: Path) -> None:
    found = read(cells(tmp_path), threshold=0.1)

    assert Counter(item.label for item in found.items) == {"functional": 16, "defective": 48}


def test_one_in_four_of_every_probability_and_type_is_tested(tmp_path: Path) -> None:
    found = read(cells(tmp_path))

    kinds = [KINDS[row % len(KINDS)] for row in range(64)]
    tested = Counter(kind for item, kind in zip(found.items, kinds, strict=True) if item.fold == 0)
    assert tested == dict.fromkeys(KINDS, 2)
    assert {item.fold for item in found.items} == {None, 0}


def test_the_split_is_the_same_every_time_and_another_by_seed(tmp_path: Path) -> None:
    paths = cells(tmp_path)

    folds = [[item.fold for item in read(paths, seed=seed).items] for seed in (0, 0, 1)]
    assert folds[0] == folds[1] != folds[2]


def test_pictures_are_bytes_of_height_and_width_in_the_lists_order(tmp_path: Path) -> None:
    found = read(cells(tmp_path))

    assert {(array.dtype.str, array.shape) for array in found.arrays} == {("|u1", (30, 20))}
    assert [int(array[0, 0]) for array in found.arrays[:3]] == [1, 2, 3]
    assert found.items[0].id == "cell0001"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("images/cell0001.png 0.5", "labels.csv:1: expected path, probability and type"),
        ("images/cell0001.png often mono", "labels.csv:1: expected path"),
        ("images/cell0001.png 1.5 mono", "no probability and type"),
        ("images/cell0001.png nan mono", "no probability and type"),
        ("images/cell0001.png 1.0 thin", "no probability and type"),
    ],
)
def test_a_line_that_is_no_cell_is_named(line: str, said: str) -> None:
    with pytest.raises(PrepareError, match=said):
        listing(line)


def test_a_path_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    paths = cells(tmp_path, "images/../../secret1.png 1.0 mono")

    with pytest.raises(PrepareError, match="no path below"):
        read(paths)


def test_a_picture_in_colour_or_none_is_refused(tmp_path: Path) -> None:
    paths = cells(tmp_path, "images/cell0001.png 1.0 mono")
    where = tmp_path / "elpv_dataset/data/images/cell0001.png"

    image.new("RGB", (4, 4)).save(where)
    with pytest.raises(PrepareError, match=r"cell0001.png: mode 'RGB', expected 8-bit greyscale"):
        read(paths)
    where.write_bytes(b"no picture")
    with pytest.raises(PrepareError, match="no PNG that can be read"):
        read(paths)
    where.unlink()
    with pytest.raises(PrepareError, match="no such picture"):
        read(paths)


def test_other_labels_than_the_readers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="'functional' and 'defective'"):
        Elpv().read_arrays(cells(tmp_path), {}, LABELS[:1])
