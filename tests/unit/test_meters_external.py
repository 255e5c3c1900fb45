"""External meters: the line protocol, its clocks, and commands that misbehave."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.metering import FIXTURES, absence, joules, played

from steelyard.api import Trace
from steelyard.errors import MeterError
from steelyard.host.machine import Machine
from steelyard.meters.external import VARIABLE, External, Surroundings
from steelyard.meters.feed import Feed
from steelyard.meters.lines import Line, parse
from steelyard.meters.listening import Settings, read_settings
from steelyard.meters.pmic import powers
from steelyard.references import read_board

SECOND = 1_000_000_000
UNIX_S = 1_700_000_000
few = settings(max_examples=40)
DOCS = FIXTURES.parents[1] / "docs/meters.md"


class FakeFeed:
    """Lines that a command would print; `ended` is how it ended of itself."""

    def __init__(self, lines: Sequence[str], ended: str | None = None) -> None:
        self._lines = lines
        self._ended = ended
        self.closed = False

    def lines(self) -> Iterator[str]:
        return iter(self._lines)

    @property
    def pid(self) -> int | None:
        return None

    def close(self) -> str | None:
        self.closed = True
        return self._ended


def reader(clock: str = "unix", **changes: object) -> Settings:
    facts: dict[str, object] = {"command": ["reader"], "accuracy": 0.01, "clock": clock}
    rows = {**facts, **changes}
    text = "\n".join(f"{name} = {_toml(value)}" for name, value in rows.items())
    return read_settings(text, "meter.toml")


def _toml(value: object) -> str:
    return str(value) if isinstance(value, int | float) else repr(value)


def heard(feed: Feed, how: Settings, clock: Callable[[], int] = lambda: 50 * SECOND) -> Trace:
    """Return the trace; the machine's clock shows 50 s where Unix time is UNIX_S."""
    around = Surroundings(
        environment={},
        launch=lambda _: feed,
        clock=clock,
        unix_ns=lambda: UNIX_S * SECOND,
    )
    return played(External(Machine(root=Path("/nonexistent")), how, around))


def recorded_lines() -> list[str]:
    return (FIXTURES / "meters/external/wall-unix.txt").read_text().splitlines(keepends=True)


def test_a_wall_meters_lines_are_integrated_in_this_machines_time() -> None:
    trace = heard(FakeFeed(recorded_lines()), reader())

    # 4, 6, 6, 5, 4 W at 50, 51, 52, 54, 55 s; 5 W at 50.5 and 4.5 W at 54.5:
    # 0.5 * 5.5 + 6 + 2 * 5.5 + 0.5 * 4.75.
    energy = joules(trace, 50.5, 54.5)
    assert energy.joules == pytest.approx(2.75 + 6 + 11 + 2.375)
    assert (energy.scope, energy.method) == ("wall", "sampled")
    # 1 % on the data sheet is 0.01 / sqrt(3) standard.
    assert energy.u_gain == pytest.approx(0.01 / 3**0.5 * 22.125)


def test_broken_lines_are_counted_and_named() -> None:
    trace = heard(FakeFeed(recorded_lines()), reader())

    (fault,) = trace.faults
    assert fault.startswith("2 lines are no readings: ")
    assert "expected SECONDS WATTS, got '1700000003.0 abc'" in fault
    assert "time does not go on in '1700000003.5 5.00'" in fault


def test_the_command_is_closed_when_the_recording_ends() -> None:
    feed = FakeFeed(["1700000000 4\n"])

    heard(feed, reader())

    assert feed.closed


def test_a_command_that_ends_early_is_a_fault() -> None:
    feed = FakeFeed(["1700000000 4\n", "1700000001 4\n"], "ended with status 1: unplugged")

    trace = heard(feed, reader())

    assert trace.faults == ("reader ended with status 1: unplugged",)
    assert "unplugged" in absence(trace, 50.5, 60)


def test_a_command_that_says_nothing_gives_no_energy() -> None:
    trace = heard(FakeFeed([], "ended with status 0"), reader())

    assert "no reading came" in trace.faults[0]
    assert "has 0 readings" in absence(trace, 50, 60)


def test_a_command_that_cannot_be_started_is_a_fault() -> None:
    def launch(command: Sequence[str]) -> Feed:
        raise FileNotFoundError(2, "No such file or directory", command[0])

    around = Surroundings(environment={}, launch=launch, clock=lambda: 0, unix_ns=lambda: 0)

    trace = played(External(Machine(), reader(), around))

    assert "No such file" in trace.faults[0]


def test_a_meters_own_seconds_are_placed_by_the_line_that_came_quickest() -> None:
    # Lines of the meter's seconds 0, 1, 2 come 0.3, 0.1 and 0.2 s late, from 100 s on. The clock
    # is read before the start, at each line, and at the end.
    moments = iter([99.0, 100.3, 101.1, 102.2, 102.5])
    feed = FakeFeed(["0 1\n", "1 1\n", "2 3\n"])

    trace = heard(feed, reader("relative"), lambda: round(next(moments) * SECOND))

    assert trace.channels[0].times_ns == tuple(round(s * SECOND) for s in (100.1, 101.1, 102.1))


def test_a_meter_without_seconds_counts_from_when_a_line_came() -> None:
    moments = iter([0.0, 1.0, 2.0, 3.0])
    feed = FakeFeed(["2.5\n", "3.5\n"])

    trace = heard(feed, reader("arrival"), lambda: round(next(moments) * SECOND))

    assert trace.channels[0].times_ns == (SECOND, 2 * SECOND)
    assert trace.channels[0].values == (2.5, 3.5)


@pytest.mark.parametrize(
    ("text", "timed", "line"),
    [
        ("12.5 3.25", True, Line(power_w=3.25, time_s=12.5)),
        ("12.5, 3.25\n", True, Line(power_w=3.25, time_s=12.5)),
        ("12.5;3.25", True, Line(power_w=3.25, time_s=12.5)),
        ("3.25", False, Line(power_w=3.25)),
        ('{"time_s": 1, "power_w": 2, "volts": 5}', True, Line(power_w=2, time_s=1)),
        ('{"power_w": 2}', False, Line(power_w=2)),
        ("# volts follow", True, None),
        ("   ", True, None),
    ],
)
def test_a_line_says_what_the_protocol_says(text: str, timed: bool, line: Line | None) -> None:
    assert parse(text, timed=timed) == line


@pytest.mark.parametrize(
    ("text", "timed"),
    [
        ("3.25", True),
        ("1 2", False),
        ("1 2 3", True),
        ("1 nan", True),
        ("inf 2", True),
        ("1 -2", True),
        ("1 1_000", True),
        ("1 2 W", True),
        ('{"power_w": 2}', True),
        ('{"time_s": 1}', True),
        ('{"time_s": 1, "power_w": "2"}', True),
        ("{", True),
        ("1" * 5000, True),
    ],
)
def test_a_line_that_is_no_reading_is_refused(text: str, timed: bool) -> None:
    with pytest.raises(MeterError):
        parse(text, timed=timed)


@few
@given(text=st.text(max_size=200), timed=st.booleans())
def test_garbage_is_a_reading_or_a_refusal_never_a_crash(text: str, timed: bool) -> None:
    try:
        line = parse(text, timed=timed)
    except MeterError:
        return

    assert line is None or line.power_w >= 0


@few
@given(lines=st.lists(st.text(max_size=30), max_size=20))
def test_a_meter_that_prints_garbage_is_told_not_believed(lines: list[str]) -> None:
    trace = heard(FakeFeed(lines), reader())

    times = trace.channels[0].times_ns
    assert list(times) == sorted(set(times))
    assert len(times) + sum("no readings" in fault for fault in trace.faults) <= len(lines) + 1


@few
@given(text=st.text(max_size=300))
def test_garbage_from_the_firmware_pairs_nothing_that_is_not_there(text: str) -> None:
    assert all(rail in text for rail in powers(text))


def test_no_meter_set_up_says_what_to_write() -> None:
    meter = External(Machine(root=Path("/nonexistent")), around=Surroundings(environment={}))

    refusal = meter.refuse() or ""

    assert "/etc/steelyard/meter.toml" in refusal
    assert "accuracy = 0.01" in refusal


def test_a_settings_file_is_found_on_the_machine_and_its_command_is_looked_for(
    tmp_path: Path,
) -> None:
    path = tmp_path / "etc/steelyard/meter.toml"
    path.parent.mkdir(parents=True)
    path.write_text('command = ["um34c"]\naccuracy = 0.01\n')
    around = Surroundings(environment={}, which=lambda _: None)

    refusal = External(Machine(root=tmp_path), around=around).refuse()

    assert refusal == "external meter: no command 'um34c' on this machine"


def test_a_settings_file_named_in_the_environment_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('command = ["mine"]\naccuracy = 0.01\n')
    around = Surroundings(environment={VARIABLE: str(path)}, which=lambda name: f"/bin/{name}")

    assert External(Machine(root=Path("/nonexistent")), around=around).refuse() is None


def test_a_settings_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    around = Surroundings(environment={VARIABLE: str(tmp_path / "gone.toml")})

    refusal = External(Machine(), around=around).refuse() or ""

    assert "gone.toml: No such file" in refusal


@pytest.mark.parametrize(
    "text",
    [
        "accuracy = 0.01",
        "command = []\naccuracy = 0.01",
        'command = "reader --fast"\naccuracy = 0.01',
        'command = ["reader"]\naccuracy = 0',
        'command = ["reader"]\naccuracy = 0.01\nclok = "unix"',
        "command = [",
    ],
)
def test_wrong_settings_are_refused_with_their_file(text: str) -> None:
    with pytest.raises(MeterError, match=r"^meter\.toml: "):
        read_settings(text, "meter.toml")


@pytest.mark.skipif(not DOCS.is_file(), reason="the docs are not beside an installed wheel's tests")
def test_the_examples_of_the_documentation_are_what_is_read() -> None:
    text = DOCS.read_text()
    meter, own_board = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (lines,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)

    assert read_settings(meter, "docs").resolution_w == 0.001
    assert read_board(own_board, "docs").busy_w.high == 7.0
    read = [parse(line, timed=True) for line in lines.splitlines()]
    assert [line.power_w for line in read if line is not None] == [4.812, 4.790, 4.801]
