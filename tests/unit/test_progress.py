"""What a user is shown while passes last: a line that goes away, or none."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from steelyard.card import (
    ColdStartLoad,
    GenerateLoad,
    Load,
    Metering,
    OfflineLoad,
    PoissonLoad,
    SensorLoad,
    SustainedLoad,
    Timing,
)
from steelyard.cli.progress import ERASE, Talking
from steelyard.measure import lasting
from steelyard.progress import About, Silent

WHAT = "intent/minilm-head@int8/cpu-1t: latency, up to 90 s"


class Screen(io.StringIO):
    """What a terminal gets."""

    def isatty(self) -> bool:
        return True


def talking(out: io.StringIO, *, verbose: bool = False, width: int = 200) -> Talking:
    terminal = isinstance(out, Screen)
    console = Console(file=out, force_terminal=terminal, width=width, color_system=None)
    return Talking(console, verbose=verbose)


def test_a_step_is_one_line_on_a_terminal_and_is_gone_after_it() -> None:
    out = Screen()
    with talking(out).step(WHAT):
        during = out.getvalue()

    assert during == WHAT
    assert out.getvalue() == WHAT + ERASE


def test_nothing_is_drawn_while_a_step_lasts() -> None:
    out = Screen()
    talk = talking(out)
    with talk.step(WHAT):
        before = out.tell()
        for _ in range(3):
            assert out.tell() == before


def test_a_step_is_cut_where_the_terminal_ends_or_it_could_not_be_taken_back() -> None:
    out = Screen()
    with talking(out, width=20).step(WHAT):
        assert out.getvalue() == WHAT[:19]


def test_a_line_said_within_a_step_takes_its_place() -> None:
    out = Screen()
    talk = talking(out)
    with talk.step(WHAT):
        talk.say("try 1 of 3 was invalid")

    assert out.getvalue() == f"{WHAT}{ERASE}try 1 of 3 was invalid\n"


def test_an_interrupted_step_leaves_no_half_line() -> None:
    out = Screen()
    with pytest.raises(KeyboardInterrupt), talking(out).step(WHAT):
        raise KeyboardInterrupt

    assert out.getvalue().endswith(ERASE)


def test_a_pipe_is_told_no_steps() -> None:
    out = io.StringIO()
    with talking(out).step(WHAT):
        pass

    assert not out.getvalue()


def test_a_pipe_shows_no_bar_and_names_it_where_that_was_asked_for() -> None:
    quiet, told = io.StringIO(), io.StringIO()
    for out, verbose in ((quiet, False), (told, True)):
        with talking(out, verbose=verbose).bar("spam: accuracy", 3, "items") as bar:
            bar.advance(3)

    assert (quiet.getvalue(), told.getvalue()) == ("", "spam: accuracy\n")


@pytest.mark.parametrize("out", [io.StringIO(), Screen()])
def test_a_verbose_run_says_each_step_for_good(out: io.StringIO) -> None:
    with talking(out, verbose=True).step(WHAT):
        assert out.getvalue() == f"{WHAT}\n"

    assert (
        out.getvalue().splitlines()[1].startswith("intent/minilm-head@int8/cpu-1t: latency: took")
    )


def test_lines_about_a_cell_begin_with_it() -> None:
    out = io.StringIO()
    about = About(talking(out, verbose=True), "spam/tiny@int8/cpu-1t")
    about.say("latency: try 1 of 3 was invalid")
    with about.step("latency, up to 90 s"), about.bar("items", 3, "items") as bar:
        bar.advance(1)

    assert all(line.startswith("spam/tiny@int8/cpu-1t: ") for line in out.getvalue().splitlines())


def test_silence_shows_nothing_and_fails_nowhere() -> None:
    with Silent().step(WHAT):
        pass


TIMING = Timing(max_seconds=60.0, warm_up_max_seconds=30.0)


@pytest.mark.parametrize(
    ("shape", "takes"),
    [
        (OfflineLoad(batches=(1, 2), seconds=3.0), "about 36 s"),
        (PoissonLoad(rate_hz=10.0, deadline_s=2.0, seconds=30.0), "up to 62 s"),
        (SensorLoad(rate_hz=0.5, seconds=30.0), "up to 62 s"),
        (SustainedLoad(minutes=10.0), "up to 10 min"),
        (GenerateLoad(seconds=60.0), "up to 60 s"),
        (ColdStartLoad(starts=8), "8 processes, one after the other"),
    ],
)
def test_a_load_shape_says_how_long_it_takes(shape: Load, takes: str) -> None:
    assert lasting.load(shape, TIMING) == takes


def test_passes_say_how_long_they_take() -> None:
    metering = Metering(windows=3, window_seconds=10.0, idle_seconds=10.0)

    assert lasting.latency(TIMING) == "up to 90 s"
    assert lasting.memory(TIMING) == "up to 60 s"
    assert lasting.energy(TIMING, metering, idle=True) == "up to 80 s"
    assert lasting.energy(TIMING, metering, idle=False) == "up to 60 s"
