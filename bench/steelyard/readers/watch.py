"""Read the wrist recordings of seglearn: windows of six axes, a label a recording, by subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.api import ArrayItems, Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.resampling import windows
from steelyard.readers.rows import Shared, decode_options, named_path, only_name
from steelyard.readers.watch_pickle import Array, load


class WatchOptions(Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many samples a window has. Windows do not overlap."""

    window: int
    file: str | None = None


class Recordings(Struct, frozen=True, kw_only=True):
    """What the file holds: each recording (samples, axes), its exercise and who did it."""

    signals: tuple[NDArray[np.float64], ...]
    exercises: tuple[str, ...]
    subjects: tuple[str, ...]


class WatchRecordings:
    """Reader `watch-recordings`: a window is an item, a subject a group."""

    def read_arrays(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> ArrayItems:
        """Return the windows of all recordings as 32-bit floats, samples x axes."""
        how = decode_options(options, WatchOptions)
        name = only_name(paths, how.file)
        found = recordings(named_path(paths, name).read_bytes(), name)
        odd = set(found.exercises) - {label.id for label in labels}
        if odd:
            raise PrepareError(f"{name}: label {min(odd)!r} is not a label of the task")
        items, arrays = [], []
        for number in range(len(found.signals)):
            for part, window in enumerate(windows(found.signals[number], how.window)):
                items.append(
                    Item(
                        id=f"{how.prefix}-{number + 1:03d}-{part:03d}",
                        label=found.exercises[number],
                        group=found.subjects[number],
                    )
                )
                arrays.append(window.astype("<f4"))
        return ArrayItems(items=tuple(items), arrays=tuple(arrays))


def recordings(content: bytes, where: str) -> Recordings:
    """Return what an .npy file of one pickled dict holds; raise PrepareError for anything else."""
    try:
        held = load(_pickle(content))
        return _recordings(held)
    except (PrepareError, ValueError) as error:
        raise PrepareError(f"{where}: {error}") from error


def _pickle(content: bytes) -> bytes:
    """Return what follows the header of an .npy file of one object."""
    file = BytesIO(content)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise PrepareError(f"an .npy file of version {version}, expected (1, 0)")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if shape != () or dtype != np.dtype("O"):
        raise PrepareError(f"an .npy file of {dtype} with shape {shape}, expected one object")
    return file.read()


def _recordings(held: Any) -> Recordings:
    only = held.values if isinstance(held, Array) else None
    if not isinstance(only, list) or len(only) != 1 or not isinstance(only[0], dict):
        raise PrepareError("expected one dict of recordings")
    fields: dict[str, Any] = only[0]
    signals = tuple(_array(one, 2, "f") for one in _list(fields, "X"))
    names = [name for name in _list(fields, "y_labels") if isinstance(name, str)]
    exercises = _numbers(fields, "y", len(signals))
    if not all(0 <= number < len(names) for number in exercises):
        raise PrepareError("y: an exercise without a name in y_labels")
    return Recordings(
        signals=signals,
        exercises=tuple(names[number] for number in exercises),
        subjects=tuple(f"subject-{number}" for number in _numbers(fields, "subject", len(signals))),
    )


def _list(fields: dict[str, Any], name: str) -> list[Any]:
    found = fields.get(name)
    values = found.values if isinstance(found, Array) else found
    if not isinstance(values, list):
        raise PrepareError(f"{name}: expected a list")
    return values


def _numbers(fields: dict[str, Any], name: str, count: int) -> list[int]:
    values = _array(fields.get(name), 1, "iu")
    if len(values) != count:
        raise PrepareError(f"{name}: {len(values)} values for {count} recordings")
    return [int(value) for value in values]


def _array(value: Any, axes: int, kinds: str) -> NDArray[Any]:
    array = value.values if isinstance(value, Array) else None
    if not isinstance(array, np.ndarray) or array.ndim != axes or array.dtype.kind not in kinds:
        raise PrepareError(f"expected an array of {axes} axes and of kind {kinds!r}")
    if not np.all(np.isfinite(array)):
        raise PrepareError("a value that is not finite")
    return array
