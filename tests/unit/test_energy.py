"""Energy arithmetic against figures computed by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.metering import NS, absence, joules, trace

from steelyard.api import Channel
from steelyard.energy import (
    Absent,
    Energy,
    Idle,
    carbon_kg,
    cost,
    energy_between,
    idle_power,
    net,
    over_blocks,
    per,
    per_correct,
    refuse_short,
    together,
)
from steelyard.references import Grid, Price, Tariff, Use


def power(times_s: list[float], watts: list[float], **changes: object) -> Channel:
    times_ns = tuple(round(s * NS) for s in times_s)
    facts: dict[str, object] = {"name": "rail", "unit": "W", "times_ns": times_ns}
    return Channel(**{**facts, "values": tuple(watts), **changes})  # type: ignore[arg-type]


def counter(times_s: list[float], counted: list[float], **changes: object) -> Channel:
    return power(times_s, counted, **{"unit": "J", **changes})


def energy(joules: float = 10.0, seconds: float = 2.0, **changes: object) -> Energy:
    facts: dict[str, object] = {
        "joules": joules,
        "seconds": seconds,
        "meters": ("test",),
        "method": "counter",
        "scope": "package",
        "covers": ("cpu",),
        "updates": 100,
    }
    return Energy(**{**facts, **changes})  # type: ignore[arg-type]


def test_power_is_integrated_in_trapezoids_with_the_ends_interpolated() -> None:
    # 10, 20, 20 W at 0, 2, 3 s; 12.5 W at 0.5 s: 1.5 * 16.25 + 0.5 * 20.
    found = joules(trace(power([0, 2, 3], [10, 20, 20])), 0.5, 2.5)

    assert found.joules == pytest.approx(24.375 + 10)
    assert found.watts == pytest.approx(34.375 / 2)


def test_a_window_between_two_readings_has_the_power_between_them() -> None:
    # 10 W at 0 s, 20 W at 2 s: 12.5 and 15 W at 0.5 and 1 s.
    assert joules(trace(power([0, 2], [10, 20])), 0.5, 1.0).joules == pytest.approx(0.5 * 13.75)


def test_a_counter_is_the_difference_of_its_counts() -> None:
    found = joules(trace(counter([0, 1, 2, 3], [0, 4, 10, 12])), 1.0, 2.0)

    assert found.joules == pytest.approx(6)
    # Both ends are readings: nothing is truncated.
    assert found.u_truncation == 0


def test_a_counter_between_readings_does_not_know_what_fell_where() -> None:
    # Steps of 4, 6, 2 J; 0.5 to 2.5 s: 2 + 6 + 1. What is not known: 4 J and 2 J wide.
    found = joules(trace(counter([0, 1, 2, 3], [0, 4, 10, 12])), 0.5, 2.5)

    assert found.joules == pytest.approx(9)
    assert found.u_truncation == pytest.approx(((16 + 4) / 12) ** 0.5)


def test_a_resolution_errs_the_same_way_all_the_time() -> None:
    found = joules(trace(power([0, 1, 2], [5, 5, 5], resolution=0.04)), 0, 2)

    # 40 mW over 2 s, rectangular.
    assert found.u_truncation == pytest.approx(0.08 / 12**0.5)


def test_the_uncertainty_is_put_together_as_its_formula_says() -> None:
    # u^2 = 0.3^2 + 0.4^2 + 1.2^2 + 0^2 = 1.69.
    found = energy(u_gain=0.3, u_truncation=0.4, u_idle=1.2)

    assert found.standard == pytest.approx(1.3)
    assert (found.low, found.high) == pytest.approx((10 - 2.6, 10 + 2.6))


def test_gain_is_a_share_of_the_energy() -> None:
    found = joules(trace(power([0, 2], [5, 5]), gain_uncertainty=0.03), 0, 2)

    assert found.u_gain == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (-1.0, 1.0, "rail was first read 1.00 s after the window began"),
        (1.0, 4.5, "rail was last read 1.50 s before the window ended"),
        (2.0, 2.0, "the window is empty"),
    ],
)
def test_a_window_that_readings_do_not_cover_has_no_energy(
    start: float, end: float, said: str
) -> None:
    assert said in absence(trace(power([0, 1, 2, 3], [1, 1, 1, 1])), start, end)


def test_a_sensor_that_stands_at_zero_is_absent_not_zero() -> None:
    assert "did not move" in absence(trace(counter([0, 1, 2], [0, 0, 0])), 0, 2)
    assert "did not move" in absence(trace(power([0, 1, 2], [0, 0, 0])), 0, 2)


def test_a_trace_without_channels_is_absent_with_its_faults() -> None:
    assert absence(trace(faults=("sensor gone",)), 0, 2) == (
        "test: no channel is counted; there: none; sensor gone"
    )


def test_a_channel_that_is_not_there_is_refused_with_those_that_are() -> None:
    assert "no channel gpu; there: rail" in absence(trace(power([0, 1], [1, 1])), 0, 1, "gpu")


def test_shown_channels_are_left_out_of_the_sum() -> None:
    part = power([0, 1], [3, 3], name="part", role="shown")

    assert joules(trace(power([0, 1], [5, 5]), part), 0, 1).joules == pytest.approx(5)


def test_updates_are_never_more_than_the_sensor_makes() -> None:
    # Read every 0.1 s, but the sensor has a new value every 0.5 s only.
    times = [i / 10 for i in range(101)]
    slow = trace(power(times, [5.0] * 101), update_interval_s=0.5)

    assert joules(slow, 0, 10).updates == 20


def test_updates_of_a_sensor_of_unknown_pace_are_its_changes() -> None:
    assert joules(trace(power([0, 1, 2, 3], [5, 5, 6, 6])), 0, 3).updates == 1
    assert joules(trace(counter([0, 1, 2, 3], [0, 0, 6, 9])), 0, 3).updates == 2


def test_too_few_updates_say_how_long_would_do() -> None:
    # 10 in 2 s: 50 in 10 s.
    assert refuse_short(energy(updates=10)) == (
        "10 updates of test in 2.0 s, 50 are needed: repeat the work for 10 s"
    )
    assert refuse_short(energy(updates=50)) is None
    assert "for a minute" in (refuse_short(energy(updates=0)) or "")


def test_a_long_gap_in_the_readings_is_refused() -> None:
    times = [*(i / 10 for i in range(60)), *(8 + i / 10 for i in range(60))]
    stalled = joules(trace(power(times, [5.0] * 120), update_interval_s=0.1), 0, 13)

    assert stalled.longest_gap_s == pytest.approx(8 - 5.9)
    assert "no reading of test for 2.1 s" in (refuse_short(stalled) or "")


def test_idle_power_is_the_mean_of_before_and_after_and_drifts_between_them() -> None:
    # 3.0 and 3.6 W: 3.3 W, anywhere within 0.6 W; truncation 0.1 and 0.2 W of a mean of two.
    before = energy(joules=6.0, seconds=2.0, u_truncation=0.2)
    after = energy(joules=7.2, seconds=2.0, u_truncation=0.4)

    idle = idle_power([before, after])

    assert idle.watts == pytest.approx(3.3)
    assert idle.u == pytest.approx((0.6**2 / 12 + (0.1**2 + 0.2**2) / 4) ** 0.5)


def test_net_is_what_is_above_idle() -> None:
    # 100 J in 10 s less 3 W * 10 s; a gain of 2 % is 2 % of the 70 J; idle errs 0.1 W * 10 s.
    gross = energy(joules=100, seconds=10, u_gain=2.0)

    left = net(gross, Idle(watts=3, u=0.1, meters=("test",), windows=2))

    assert isinstance(left, Energy)
    assert left.net
    assert left.joules == pytest.approx(70)
    assert left.u_gain == pytest.approx(1.4)
    assert left.u_idle == pytest.approx(1.0)
    assert left.expanded == pytest.approx(2 * (1.4**2 + 1.0) ** 0.5)


def test_net_that_cannot_be_told_from_idling_is_absent() -> None:
    idle = Idle(watts=4.9, u=0.1, meters=("test",), windows=2)

    left = net(energy(joules=10, seconds=2), idle)

    # 0.2 J above idle, and U = 2 * 2 s * 0.1 W = 0.4 J.
    assert isinstance(left, Absent)
    assert left.reason.startswith("0.2 J above idle, of 10 J")


def test_net_with_another_meters_idle_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="is not that of"):
        net(energy(), Idle(watts=1, u=0, meters=("other",), windows=1))


def test_a_call_has_its_share_of_all() -> None:
    one = per(energy(joules=10, seconds=2, u_gain=1.0, u_truncation=0.5), 20)

    assert (one.joules, one.seconds, one.u_gain, one.u_truncation) == (0.5, 0.1, 0.05, 0.025)


def test_a_correct_answer_costs_what_the_wrong_ones_cost_too() -> None:
    # 0.5 J a call, 80 of 100 right: 0.625 J.
    answer = per_correct(energy(joules=0.5, seconds=0.1, u_gain=0.08), 80, 100)

    assert isinstance(answer, Energy)
    assert answer.joules == pytest.approx(0.625)
    assert answer.u_gain == pytest.approx(0.1)


def test_no_correct_answer_has_no_energy_per_correct_answer() -> None:
    assert per_correct(energy(), 0, 100) == Absent(reason="none of 100 answers was correct")


def test_blocks_say_how_much_repeating_differs() -> None:
    # 9, 10, 11 J: mean 10, s = 1, s^2/n = 1/3. Gain is common; truncation averages out.
    blocks = [energy(joules=j, u_gain=0.3, u_truncation=0.6) for j in (9.0, 10.0, 11.0)]

    mean = over_blocks(blocks)

    assert mean.joules == pytest.approx(10)
    assert mean.u_blocks == pytest.approx((1 / 3) ** 0.5)
    assert mean.u_gain == pytest.approx(0.3)
    assert mean.u_truncation == pytest.approx(0.6 / 3**0.5)
    assert mean.blocks == 3


def test_host_and_gpu_are_counted_together() -> None:
    host = energy(joules=30, u_gain=3.0, covers=("cpu", "dram"), meters=("rapl",))
    gpu = energy(joules=70, u_gain=4.0, covers=("gpu",), meters=("nvml",), method="sampled")

    both = together([host, gpu])

    assert isinstance(both, Energy)
    assert (both.joules, both.method) == (100, "sampled")
    assert both.u_gain == pytest.approx(5.0)
    assert both.covers == ("cpu", "dram", "gpu")
    assert both.meters == ("rapl", "nvml")


@pytest.mark.parametrize(("one", "two"), [("board", "gpu"), ("cpu", "board"), ("gpu", "gpu")])
def test_nothing_is_counted_twice(one: str, two: str) -> None:
    both = together([energy(covers=(one,)), energy(covers=(two,), meters=("other",))])

    assert isinstance(both, Absent)
    assert both.reason == f"other counts again what {one} holds"


def test_carbon_is_energy_times_the_grids_intensity() -> None:
    grid = Grid(region="X", name="X", year=2025, g_per_kwh=360, source="test")

    # 10 kJ are 1/360 kWh, of 360 g each: 1 g.
    assert carbon_kg(10_000, grid) == pytest.approx(0.001)


def test_cost_is_electricity_and_a_share_of_the_devices_life() -> None:
    tariff = Tariff(region="X", period="2025", currency="EUR", per_kwh=0.36, source="test")
    price = Price(amount=157.788, currency="EUR", year=2025, source="test")
    use = Use(life_years=5, share=1.0, source="test")

    # 10 kJ at 0.36 a kWh: 0.001. Five years are 157 788 000 s: 1e-6 a second, for 50 s.
    found = cost(10_000, 50, tariff, price, use)

    assert not isinstance(found, Absent)
    assert (found.energy, found.device) == pytest.approx((0.001, 5e-5))
    assert found.total == pytest.approx(0.00105)


def test_a_price_in_another_currency_is_not_converted() -> None:
    tariff = Tariff(region="X", period="2025", currency="EUR", per_kwh=0.36, source="test")
    use = Use(life_years=5, share=1.0, source="test")

    foreign = cost(1, 1, tariff, Price(amount=1, currency="USD", year=2025, source="t"), use)
    unknown = cost(1, 1, tariff, None, use)

    assert isinstance(foreign, Absent)
    assert "price of the device in EUR" in foreign.reason
    assert isinstance(unknown, Absent)


times = st.lists(st.integers(1, 10**9), min_size=2, max_size=60).map(
    lambda gaps: [sum(gaps[:i]) for i in range(len(gaps))]
)


@settings(max_examples=40)
@given(times_ns=times, data=st.data())
def test_a_window_cut_in_two_has_the_energy_of_its_halves(
    times_ns: list[int], data: st.DataObject
) -> None:
    watts = data.draw(st.lists(st.floats(0.1, 1e4), min_size=len(times_ns), max_size=len(times_ns)))
    recorded = trace(Channel(name="rail", unit="W", times_ns=tuple(times_ns), values=tuple(watts)))
    end = times_ns[-1]
    cut = data.draw(st.integers(0, end))

    def part(start_ns: int, end_ns: int) -> float:
        found = energy_between(recorded, start_ns, end_ns)
        return found.joules if isinstance(found, Energy) else 0.0

    assert part(0, cut) + part(cut, end) == pytest.approx(part(0, end), rel=1e-9)


@settings(max_examples=40)
@given(times_ns=times, watt=st.floats(0.1, 1e4), data=st.data())
def test_a_constant_power_is_its_watts_times_the_seconds_however_it_was_read(
    times_ns: list[int], watt: float, data: st.DataObject
) -> None:
    end = times_ns[-1]
    begin = data.draw(st.integers(0, end - 1))
    shift = data.draw(st.integers(0, 2**62))
    moved = tuple(time_ns + shift for time_ns in times_ns)
    recorded = trace(Channel(name="rail", unit="W", times_ns=moved, values=(watt,) * len(times_ns)))

    found = energy_between(recorded, begin + shift, end + shift)

    assert isinstance(found, Energy)
    assert found.joules == pytest.approx(watt * 1e-9 * (end - begin), rel=1e-9)
    assert found.u_truncation == pytest.approx(0, abs=1e-6)
