"""How arrays become a network's input: scaling, layout, cropping and filling, computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from steelyard.backends.ort.array_input import Facts, Preparation
from steelyard.errors import WorkerError


def prepared(array: Any, **facts: Any) -> Any:
    given: dict[str, Any] = {"labels": ("a",), "input": "x", "output": "y", "layout": "flat",
             "mean": (0.0,), "scale": (1.0,), **facts}  # fmt: skip
    return Preparation(Facts(**given))(np.asarray(array))


def test_a_flat_array_has_one_channel() -> None:
    found = prepared([1, 2, 4], mean=(2.0,), scale=(0.5,))

    assert found.tolist() == [[[-0.5, 0.0, 1.0]]]
    assert found.dtype == np.float32


def test_channels_have_constants_of_their_own() -> None:
    array = [[1, 10], [2, 20], [3, 30]]

    found = prepared(array, layout="channels-last", mean=(1.0, 10.0), scale=(1.0, 0.1))

    assert found == pytest.approx(np.array([[[0, 1, 2], [0, 1, 2]]]))


def test_a_picture_of_bytes_does_not_wrap_around() -> None:
    picture = np.array([[[250], [5]]], np.uint8)

    found = prepared(picture, layout="channels-last", mean=(255.0,))

    assert found.tolist() == [[[[-5.0, -250.0]]]]
    assert prepared(picture, layout="channels-first").shape == (1, 1, 2, 1)


@pytest.mark.parametrize(
    ("length", "fill", "expected"),
    [
        (5, "zero", [0, 1, 2, 3, 0]),
        (6, "zero", [0, 1, 2, 3, 0, 0]),
        (6, "repeat", [3, 1, 2, 3, 1, 2]),
        (1, "zero", [2]),
        (2, "zero", [1, 2]),
        (3, "zero", [1, 2, 3]),
    ],
)
def test_the_middle_is_kept_when_a_length_is_fitted(
    length: int, fill: str, expected: list[float]
) -> None:
    assert prepared([1, 2, 3], shape=(length,), fill=fill)[0, 0].tolist() == expected


def test_a_picture_is_fitted_along_both_axes() -> None:
    picture = np.arange(12.0).reshape(4, 3)

    assert prepared(picture, shape=(2, 5))[0, 0].tolist() == [[0, 3, 4, 5, 0], [0, 6, 7, 8, 0]]


@pytest.mark.parametrize(
    ("array", "facts"),
    [
        ([[1, 2]], {"layout": "channels-last", "mean": (0.0, 0.0, 0.0)}),
        ([[1, 2]], {"layout": "flat", "shape": (3,)}),
        ([], {"layout": "flat", "shape": (3,)}),
    ],
)
def test_what_the_artefact_was_not_made_for_is_refused(array: Any, facts: dict[str, Any]) -> None:
    with pytest.raises(WorkerError):
        prepared(array, **facts)


def test_the_item_itself_is_not_changed() -> None:
    array = np.array([1.0, 2.0], np.float32)

    prepared(array, mean=(1.0,))

    assert array.tolist() == [1, 2]
