from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.host import clocks, counters, jetson, processor, raspberry, sensors
from steelyard.host.counters import Swap, Times
from steelyard.host.raspberry import Throttled


@pytest.mark.parametrize(
    ("answer", "now", "since_boot"),
    [
        ("throttled=0x0\n", (), ()),
        ("throttled=0x1\n", ("under-voltage",), ()),
        ("throttled=0x2", ("frequency capped",), ()),
        ("throttled=0x4", ("throttled",), ()),
        ("throttled=0x8", ("soft temperature limit",), ()),
        # The example of the Raspberry Pi documentation: bits 0, 2, 16 and 18.
        ("throttled=0x50005", ("under-voltage", "throttled"), ("under-voltage", "throttled")),
        ("throttled=0xe0000", (), ("frequency capped", "throttled", "soft temperature limit")),
    ],
)
def test_throttle_bits_read_as_words(
    answer: str, now: tuple[str, ...], since_boot: tuple[str, ...]
) -> None:
    assert raspberry.throttled(answer) == Throttled(now=now, since_boot=since_boot)


@pytest.mark.parametrize(
    "answer",
    [None, "", 'error=1 error_msg="Command not registered"\n', "throttled=", "throttled=0x", "0x5"],
)
def test_other_answers_are_no_throttle_state(answer: str | None) -> None:
    assert raspberry.throttled(answer) is None


def test_the_measured_clock_is_read_whatever_its_number() -> None:
    assert raspberry.clock_hz("frequency(48)=1500398464\n") == 1_500_398_464
    assert raspberry.clock_hz("frequency(0)=1500009472") == 1_500_009_472
    assert raspberry.clock_hz("frequency(48)=0") is None
    assert raspberry.clock_hz(None) is None


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic", "R36.4.3"),
        ("# R32 (release), REVISION: 7.4, GCID: 1", "R32.7.4"),
        ("Debian", None),
        (None, None),
    ],
)
def test_the_jetson_release_is_one_word(text: str | None, release: str | None) -> None:
    assert jetson.release(text) == release


@pytest.mark.parametrize(
    ("answer", "mode"),
    [
        ("NV Power Mode: MAXN\n0\n", "MAXN"),
        ("NV Fan Mode:quiet\nNV Power Mode: MODE_15W\n2\n", "MODE_15W"),
        ("NVPM ERROR: no power mode is set\n", None),
        ("NV Power Mode: \n0\n", None),
        (None, None),
    ],
)
def test_the_power_mode_is_found_under_other_lines(answer: str | None, mode: str | None) -> None:
    assert jetson.power_mode(answer) == mode


BIG_LITTLE = """\
processor\t: 0
Features\t: fp asimd asimdhp asimddp
CPU implementer\t: 0x41
CPU part\t: 0xd05

processor\t: 1
Features\t: fp asimd asimdhp asimddp
CPU implementer\t: 0x41
CPU part\t: 0xd0b
"""


def test_all_kinds_of_core_are_named() -> None:
    found = processor.parse(BIG_LITTLE)

    assert found.core == "Cortex-A55 + Cortex-A76"
    assert found.flags == ("asimd", "asimddp", "asimdhp")


def test_an_unknown_core_is_shown_by_its_numbers() -> None:
    assert (
        processor.parse("CPU implementer : 0x41\nCPU part : 0xfff\n").core
        == "implementer 0x41 part 0xfff"
    )


def test_denver_and_carmel_are_not_arms_own() -> None:
    assert processor.parse("CPU implementer: 0x4e\nCPU part: 0x004").core == "Carmel"
    assert processor.parse("CPU implementer: 0x41\nCPU part: 0x004").core != "Carmel"


def test_busy_time_leaves_out_idle_and_stolen_time() -> None:
    # user nice system idle iowait irq softirq steal guest guest_nice, in ticks of 10 ms:
    # 100 + 20 + 30 + 5 + 6 = 161 of them ran here; 40 were stolen, 9 are already in user.
    found = counters.times("cpu  100 20 30 7000 80 5 6 40 9 0\ncpu0 1 1 1 1\n", 100)

    assert found is not None
    assert found.busy_s == pytest.approx(1.61)
    assert found.stolen_s == pytest.approx(0.4)


def test_an_old_kernel_counts_no_stolen_time() -> None:
    assert counters.times("cpu 100 0 100 1000\n", 100) == Times(busy_s=2.0)


@pytest.mark.parametrize("stat", [None, "", "cpu 1 2", "cpu0 1 2 3 4", "cpu a b c d", "intr 1"])
def test_other_text_holds_no_times(stat: str | None) -> None:
    assert counters.times(stat, 100) is None


def test_without_a_tick_there_are_no_times() -> None:
    assert counters.times("cpu 100 0 100 1000\n", None) is None


HEAD = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


def test_swap_is_added_up_over_its_devices() -> None:
    rows = "/dev/zram0 partition 1000 10 100\n/swap\\040file file 24 0 -2\n"

    assert counters.swap(HEAD + rows) == Swap(total_bytes=1_048_576, used_bytes=10_240, zram=True)


def test_a_table_without_rows_is_no_swap_and_no_table_is_no_answer() -> None:
    assert counters.swap(HEAD) == Swap(total_bytes=0, used_bytes=0)
    assert counters.swap(None) is None
    assert counters.swap(HEAD + "/dev/sda1 partition many few 1\n") is None


def test_kibibytes_are_read_by_name() -> None:
    assert counters.kib("MemFree: 1 kB\nMemTotal:  3885396 kB\n", "MemTotal") == 3_978_645_504
    assert counters.kib("MemTotal: 12 MB", "MemTotal") is None
    assert counters.kib(None, "MemTotal") is None


@pytest.mark.parametrize(
    ("text", "degrees"),
    [("48700\n", 48.7), ("-5000", -5.0), ("-256000\n", None), ("", None), ("n/a", None)],
)
def test_a_part_that_is_switched_off_has_no_temperature(text: str, degrees: float | None) -> None:
    assert sensors.celsius(text) == degrees


def test_a_clock_is_given_in_kilohertz() -> None:
    assert clocks.hertz("600000\n") == 600_000_000
    assert clocks.hertz("<unknown>\n") is None
    assert clocks.hertz("0") is None


PIECES = [
    "throttled=0x",
    "cpu ",
    "CPU part",
    "CPU implementer",
    ": ",
    "0x",
    "Features",
    "flags",
    "\n",
    "\t",
    " ",
    "-",
    "9",
    "pswpin ",
    "Filename ",
    "/dev/zram0 ",
    "kB",
    "MemTotal:",
    "٣",
    "²",
    "NV Power Mode: ",
    "# R36 (release), REVISION: ",
    "frequency(",
    ")=",
    "\x00",
    "\r",
]
NEARLY = st.lists(st.sampled_from(PIECES)).map("".join)


@given(st.one_of(st.text(), NEARLY))
def test_garbage_is_never_an_exception(text: str) -> None:
    raspberry.throttled(text)
    raspberry.clock_hz(text)
    jetson.release(text)
    jetson.power_mode(text)
    processor.parse(text)
    counters.named(text)
    counters.times(text, 100)
    counters.swap(text)
    counters.kib(text, "MemTotal")
    sensors.celsius(text)
    clocks.hertz(text)


@given(st.text(alphabet="abcxyz \n:="))
def test_letters_hold_no_figures(text: str) -> None:
    assert raspberry.throttled(text) is None
    assert processor.parse(text) == processor.Processor()
    assert counters.named(text) == {}
    assert counters.times(text, 100) is None


@given(st.integers(min_value=0, max_value=0xFFFFF))
def test_every_state_of_the_bits_is_read_back(bits: int) -> None:
    found = raspberry.throttled(f"throttled={bits:#x}\n")

    assert found is not None
    live = sum(1 << raspberry.WORDS.index(word) for word in found.now)
    past = sum(1 << raspberry.WORDS.index(word) for word in found.since_boot)
    assert (live, past) == (bits & 0xF, bits >> 16 & 0xF)


@given(st.dictionaries(st.sampled_from(["pswpin", "pswpout", "oom_kill"]), st.integers(0, 2**63)))
def test_counters_are_read_back(values: dict[str, int]) -> None:
    text = "".join(f"{name} {value}\n" for name, value in values.items())

    assert counters.named(text) == values
