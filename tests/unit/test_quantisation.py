"""A quantised variant beside its parent: what it lost, what it did not gain, the likely cause."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.builders import cell, host, record

from steelyard.record import ArtifactRef, Host, Measurement, Prediction, Record
from steelyard.report import paired, quantised
from steelyard.report.paired import Hosts
from steelyard.report.quantised import Against
from steelyard.stats import Difference


def pair(**changes: Any) -> Against:
    usual = Against(precision="int8", parent="fp32", speed=1.9, memory=0.62, size=0.26)
    return replace(usual, **changes)


def on(machine: str, *flags: str, **changes: Any) -> Host:
    return replace(host(), machine=machine, flags=flags, **changes)


def measured(variant: str, median_ns: int, peak: int, size: int) -> Record:
    values = [median_ns - 10, median_ns, median_ns + 10] * 20
    return record(
        cell=cell(variant=variant),
        precision=variant,
        artifact=ArtifactRef(
            sha256="a" * 64, size_bytes=size, recipe_sha256="b" * 64, parameters=1
        ),
        measurements=(
            of("latency_end_to_end", "ns", *values),
            of("memory_peak", "B", peak),
        ),
    )


def of(quantity: str, unit: str, *values: int) -> Measurement:
    return Measurement(
        quantity=quantity, unit=unit, values=values, method="counter", scope="process"
    )


def test_a_variant_that_gained_everywhere_has_no_warning() -> None:
    assert quantised.warnings(pair(), on("x86_64", "avx2")) == ()


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.0499])
def test_a_speed_within_the_tolerance_is_no_gain(speed: float) -> None:
    (warning,) = quantised.warnings(pair(speed=speed))

    assert warning == (
        f"quantisation did not help: {speed:.2f} times its parent's speed (under 1.05 is no gain)."
    )


def test_every_gain_that_is_missing_is_named_with_its_number() -> None:
    (warning,) = quantised.warnings(pair(speed=0.9, memory=0.96, size=1.0))

    assert warning == (
        "quantisation did not help: 0.90 times its parent's speed (under 1.05 is no gain), "
        "0.96 of its parent's peak memory (over 0.95 is no gain), 1.00 of its parent's size."
    )


def test_the_edges_of_the_tolerance_are_gains() -> None:
    assert quantised.warnings(pair(speed=1.05, memory=0.95, size=0.999)) == ()


def test_what_was_not_measured_is_no_reason_to_warn() -> None:
    assert quantised.warnings(pair(speed=None, memory=None, size=None)) == ()


@pytest.mark.parametrize(
    ("precision", "parent"),
    [("fp32", "fp32"), ("fp32", "int8"), ("bf16", "fp16"), ("mixed", "fp32"), ("int8", "none")],
)
def test_only_a_variant_of_fewer_bits_is_judged(precision: str, parent: str) -> None:
    slow = pair(precision=precision, parent=parent, speed=0.5)

    assert quantised.warnings(slow) == ()


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        (on("x86_64", "avx2", "avx512f"), "avx512_vnni, avx_vnni, amx_int8"),
        (on("AMD64", "avx2"), "avx512_vnni, avx_vnni, amx_int8"),
        (on("aarch64", "asimd"), "asimddp, i8mm"),
    ],
)
def test_a_missing_instruction_is_a_likely_cause(flags: Host, wanted: str) -> None:
    (warning,) = quantised.warnings(pair(speed=0.8), flags)

    assert warning.endswith(
        f"(under 1.05 is no gain); a likely cause is that this processor has none of {wanted}."
    )


@pytest.mark.parametrize(
    "machine",
    [
        on("x86_64", "avx2", "avx_vnni"),
        on("x86_64", "avx512_vnni"),
        on("x86_64", "amx_int8"),
        on("aarch64", "asimd", "asimddp"),
        on("aarch64", "asimd", "i8mm"),
        on("x86_64"),
        on("riscv64", "v"),
        on("aarch64", "asimd", emulated="qemu"),
    ],
)
def test_no_cause_is_named_that_is_not_known(machine: Host) -> None:
    (warning,) = quantised.warnings(pair(speed=0.8), machine)

    assert "cause" not in warning


def test_fewer_bits_without_integers_have_no_such_cause() -> None:
    (warning,) = quantised.warnings(pair(precision="fp16", speed=0.8), on("x86_64", "avx2"))

    assert "cause" not in warning


def test_memory_that_was_not_saved_is_not_blamed_on_instructions() -> None:
    (warning,) = quantised.warnings(pair(memory=1.2), on("x86_64", "avx2"))

    assert warning == (
        "quantisation did not help: 1.20 of its parent's peak memory (over 0.95 is no gain)."
    )


def test_accuracy_is_lost_where_the_whole_interval_lies_below_zero() -> None:
    lost = Difference(estimate=-0.021, low=-0.034, high=-0.0004)

    assert quantised.warnings(pair(accuracy=lost)) == (
        "quantisation cost accuracy: -2.10 points [-3.40,-0.04], the whole interval below 0.",
    )


@pytest.mark.parametrize("high", [0.0, 0.001])
def test_an_interval_that_reaches_zero_is_no_loss(high: float) -> None:
    difference = Difference(estimate=-0.02, low=-0.04, high=high)

    assert quantised.warnings(pair(accuracy=difference)) == ()


def test_the_ratios_are_of_median_peak_and_size() -> None:
    variant = measured("int8", median_ns=4_000, peak=155_000_000, size=23_000_000)
    parent = measured("fp32", median_ns=3_000, peak=124_000_000, size=92_000_000)

    found = paired.beside(variant, parent, {})

    assert found.parent == "fp32"
    assert (found.speed, found.memory, found.size) == (0.75, 1.25, 0.25)
    (warning,) = found.warnings
    assert warning == (
        "quantisation did not help: 0.75 times its parent's speed (under 1.05 is no gain), "
        "1.25 of its parent's peak memory (over 0.95 is no gain)."
    )


def test_the_answers_difference_reaches_the_warning() -> None:
    variant = measured("int8", median_ns=1_000, peak=60, size=23)
    parent = measured("fp32", median_ns=3_000, peak=124, size=92)
    answers = {
        record.cell.id: {
            f"i{i}": Prediction(id=f"i{i}", expected="a", answer="a" if i >= wrong else "b")
            for i in range(100)
        }
        for record, wrong in ((variant, 10), (parent, 0))
    }

    (warning,) = paired.beside(variant, parent, answers).warnings

    # b = 10, c = 0, n = 100: centre -10/102, half 1.959964 sqrt(11 - 100/102)/102 (Agresti-Min).
    assert warning == (
        "quantisation cost accuracy: -10.00 points [-15.89,-3.72], the whole interval below 0."
    )


def test_speeds_of_unlike_machines_are_not_compared() -> None:
    variant = measured("int8", median_ns=4_000, peak=155, size=23)
    parent = measured("fp32", median_ns=3_000, peak=124, size=92)
    hosts = Hosts(first=on("aarch64", "asimd"), second=on("x86_64", "avx2"))

    found = paired.beside(variant, parent, {}, hosts)

    assert (found.speed, found.memory, found.size, found.warnings) == (None, None, 0.25, ())


def test_the_likely_cause_comes_from_the_host_of_the_variant() -> None:
    variant = measured("int8", median_ns=4_000, peak=60, size=23)
    parent = measured("fp32", median_ns=3_000, peak=124, size=92)
    pi3 = on("aarch64", "asimd")

    (warning,) = paired.beside(variant, parent, {}, Hosts(first=pi3, second=pi3)).warnings

    assert "has none of asimddp, i8mm" in warning
