"""Read recordings in MATLAB files: one rate for all, windows of one length, a label a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from steelyard.api import ArrayItems, Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.matlab_file import MatlabFile, Numbers
from steelyard.readers.resampling import decimate, factor_of, windows
from steelyard.readers.rows import Shared, decode_options, named_path, only_name


class MatlabOptions(Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the files are, and what in them is the signal and its rate.

    `train` and `test` are folders below `root`. `labels` gives the label of the files whose name
    begins so. Recordings are brought to `rate_hz`, of which theirs must be multiples.
    """

    signal: str
    rate: str
    rate_hz: float
    window_s: float
    labels: dict[str, str]
    file: str | None = None
    root: str = ""
    train: str = "train"
    test: str = "test"


class MatlabRecordings:
    """Reader `matlab-recordings`: a window is an item, a file a group."""

    def read_arrays(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> ArrayItems:
        """Return the windows of all recordings, train before test, as 32-bit floats."""
        how = decode_options(options, MatlabOptions)
        odd = set(how.labels.values()) - {label.id for label in labels}
        if odd:
            raise PrepareError(f"reader.options.labels: {min(odd)!r} is no label of the task")
        name = only_name(paths, how.file)
        items, arrays = [], []
        for folder, fold in ((how.train, None), (how.test, 0)):
            for path in _files(named_path(paths, name) / how.root / folder, f"{name}: {folder}"):
                label = _label(path.name, how)
                for number, window in enumerate(_windows(path, how)):
                    key = f"{how.prefix}-{path.stem}-{number:04d}"
                    items.append(Item(id=key, label=label, group=path.stem, fold=fold))
                    arrays.append(window.astype("<f4"))
        return ArrayItems(items=tuple(items), arrays=tuple(arrays))


def _files(folder: Path, where: str) -> list[Path]:
    found = sorted(folder.glob("*.mat"))
    if not found:
        raise PrepareError(f"{where}: no *.mat file there; check root, train and test")
    return found


def _label(name: str, how: MatlabOptions) -> str:
    """Return the label of the longest beginning that fits."""
    fitting = [start for start in how.labels if name.startswith(start)]
    if not fitting:
        raise PrepareError(
            f"{name}: begins with none of {', '.join(map(repr, how.labels))}; "
            "name it in reader.options.labels"
        )
    return how.labels[max(fitting, key=len)]


def _windows(path: Path, how: MatlabOptions) -> Iterator[Numbers]:
    file = MatlabFile(path.read_bytes(), path.name)
    rates = file.numbers(how.rate)
    samples = file.numbers(how.signal).ravel(order="F")
    if rates.size != 1 or not np.all(np.isfinite(samples)):
        raise PrepareError(f"{path.name}: expected one rate and finite samples")
    factor = factor_of(float(rates.item()), how.rate_hz, path.name)
    return windows(decimate(samples, factor), round(how.window_s * how.rate_hz))
