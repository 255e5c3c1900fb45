"""Published figures: each has a source, and what is wrong or unknown is named."""

from __future__ import annotations

import pytest
from tests.unit.metering import board

from steelyard import references
from steelyard.errors import CardError, UnknownNameError


def test_every_figure_names_its_source() -> None:
    assert all(board.origin for board in references.boards())
    assert all(grid.source and grid.year >= 2020 for grid in references.grids())
    assert all(tariff.source and tariff.period for tariff in references.tariffs())
    assert references.usual_use().source.startswith("assumed")


def test_regions_are_named_once() -> None:
    for rows in (references.grids(), references.tariffs()):
        regions = [row.region for row in rows]
        assert len(regions) == len(set(regions))


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("Raspberry Pi 3 Model B Rev 1.2", "raspberry-pi-3b"),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "raspberry-pi-3b-plus"),
        ("Raspberry Pi 5 Model B Rev 1.0", "raspberry-pi-5b"),
        ("Raspberry Pi Zero 2 W Rev 1.0", None),
        ("", None),
    ],
)
def test_a_board_is_known_by_the_beginning_of_its_model(model: str, found: str | None) -> None:
    known = references.board_of(model)

    assert (known.id if known else None) == found


@pytest.mark.parametrize(("name", "found"), [("pi3", True), ("pi4", True), ("jetson-nano", False)])
def test_recorded_boards_are_known_or_not(name: str, found: bool) -> None:
    model = (board(name).read("proc/device-tree/model") or "").strip("\0\n")

    assert (references.board_of(model) is not None) == found


def test_the_grid_of_a_region_is_the_published_one() -> None:
    assert references.grid("eu27").g_per_kwh == 209.9
    assert references.tariff("DEU").per_kwh == 0.3943


def test_a_region_that_nobody_wrote_down_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnknownNameError, match="no grid for region 'Atlantis'; known: DEU, EU27"):
        references.grid("Atlantis")


@pytest.mark.parametrize(
    ("idle", "busy"),
    [((3.0, 2.0), (5.0, 6.0)), ((2.0, 3.0), (1.0, 6.0)), ((0.0, 3.0), (5.0, 6.0))],
)
def test_power_that_cannot_be_is_refused(
    idle: tuple[float, float], busy: tuple[float, float]
) -> None:
    text = (
        f'id = "x"\norigin = "y"\nidle_w = {{ low = {idle[0]}, high = {idle[1]} }}\n'
        f"busy_w = {{ low = {busy[0]}, high = {busy[1]} }}\n"
    )

    with pytest.raises(CardError, match=r"^mine\.toml: "):
        references.read_board(text, "mine.toml")
