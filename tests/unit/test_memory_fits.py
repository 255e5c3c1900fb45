"""What a cell fits in: by a limit that was enforced, else by its peak, and said as such."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.builders import cell, record

from steelyard import limits
from steelyard.record import Measurement, MemoryLimit, Record
from steelyard.report import fits
from steelyard.report.fits import PeakBelow, RunsIn

MB = 10**6


def limit(megabytes: int, kind: Any = "cgroup") -> MemoryLimit:
    return MemoryLimit(bytes=megabytes * MB, kind=kind)


def limited(held: MemoryLimit, **changes: Any) -> Record:
    return record(
        cell=cell(device=limits.constrained("cpu-1t", held)), memory_limit=held, **changes
    )


def peaks(**quantities: int) -> tuple[Measurement, ...]:
    return tuple(
        Measurement(quantity=name, unit="B", values=(value,), method="counter", scope="process")
        for name, value in quantities.items()
    )


@pytest.mark.parametrize(
    ("peak", "said"),
    [
        (35 * MB, "peak below 256 MB"),
        (256 * MB - 1, "peak below 256 MB"),
        (256 * MB, "peak below 512 MB"),
        (2_431 * MB, "peak below 4 GB"),
        (8_000 * MB, "peak 8 GB"),
    ],
)
def test_a_peak_is_called_a_peak_and_never_a_fit(peak: int, said: str) -> None:
    found = fits.fits(record(measurements=peaks(memory_peak=peak)), [])

    assert found is not None
    assert fits.text(found) == said


def test_loading_counts_where_it_took_more_than_the_calls() -> None:
    loaded = record(measurements=peaks(memory_after_load=2_576 * MB, memory_peak=1_900 * MB))

    assert fits.fits(loaded, []) == PeakBelow(peak=2_576 * MB, budget=4_000 * MB)


def test_a_run_under_a_limit_outweighs_the_peak() -> None:
    free = record(measurements=peaks(memory_peak=100 * MB))

    found = fits.fits(free, [limited(limit(1000)), limited(limit(512))])

    assert found == RunsIn(limit=limit(512), budget=512 * MB)
    assert fits.text(RunsIn(limit=limit(512), budget=512 * MB)) == "runs in 512 MB"


def test_a_limit_between_two_budgets_supports_the_larger() -> None:
    found = fits.fits(record(), [limited(limit(300))])

    assert found is not None
    assert fits.text(found) == "runs in 512 MB"


def test_a_limit_above_all_budgets_is_named_itself() -> None:
    found = fits.fits(record(), [limited(limit(12_000))])

    assert found is not None
    assert fits.text(found) == "runs in 12 GB"


def test_a_limit_on_address_space_says_mapped() -> None:
    found = fits.fits(record(), [limited(limit(512, "address-space"))])

    assert found is not None
    assert fits.text(found) == "runs in 512 MB mapped"


def test_the_limited_cell_itself_shows_its_own_limit() -> None:
    assert fits.fits(limited(limit(512)), []) == RunsIn(limit=limit(512), budget=512 * MB)


def test_a_cgroup_that_was_too_small_refutes_a_peak_below_it() -> None:
    free = record(measurements=peaks(memory_peak=200 * MB))
    failed = limited(limit(256), outcome="out_of_memory")

    assert fits.fits(free, [failed]) == PeakBelow(
        peak=200 * MB, budget=512 * MB, too_small=limit(256)
    )


def test_an_address_space_that_was_too_small_refutes_no_peak() -> None:
    free = record(measurements=peaks(memory_peak=200 * MB))
    failed = limited(limit(256, "address-space"), outcome="out_of_memory")

    assert fits.fits(free, [failed]) == PeakBelow(
        peak=200 * MB, budget=256 * MB, too_small=limit(256, "address-space")
    )


def test_a_limited_run_that_ended_badly_shows_nothing_by_its_peak() -> None:
    failed = limited(
        limit(256), outcome="out_of_memory", measurements=peaks(memory_after_load=90 * MB)
    )

    assert fits.fits(failed, []) is None


@pytest.mark.parametrize("outcome", ["failed", "timed_out", "invalid", "refused"])
def test_only_a_run_that_ended_well_shows_that_it_fits(outcome: str) -> None:
    assert fits.fits(record(), [limited(limit(512), outcome=outcome)]) is None


@pytest.mark.parametrize(
    "other",
    [
        {"task": "intent"},
        {"model": "huge"},
        {"variant": "fp32"},
        {"device": "cpu-2t-512MB"},
        {"device": "pi5-512MB"},
    ],
)
def test_another_cell_under_a_limit_shows_nothing_of_this_one(other: dict[str, str]) -> None:
    held = record(cell=cell(**{"device": "cpu-1t-512MB", **other}), memory_limit=limit(512))

    assert fits.fits(record(), [held]) is None
