"""Harnesses set beside each other: the arithmetic, a moment of it, and the form of the result."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from steelyard.api import Label, SessionSpec
from steelyard.record import Host

pytest.importorskip("onnx")
pytest.importorskip("scipy")
pytest.importorskip("benchmarks.agreement")

from benchmarks.agreement import bare, beside, figures, page, toy
from benchmarks.agreement.__main__ import measure
from benchmarks.agreement.arms import ARMS, Times
from benchmarks.agreement.figures import Agreement, Model, Ratio, Series
from benchmarks.agreement.prepared import Prepared

PUBLISHED = Path(__file__).resolve().parents[2] / "results" / "agreement"
TINY = toy.Toy(name="tiny", tokens=4, width=8, layers=1)


def series(arm: str, *p50_ns: int) -> Series:
    return Series(arm=arm, p50_ns=p50_ns, calls=tuple(100 for _ in p50_ns))


def result(*arms: Series, beside: tuple[Series, ...] = ()) -> Agreement:
    host = Host(
        machine="x86_64", cpu="Some CPU", cores=2, memory_bytes=1, system="Linux", python="3.11"
    )
    return Agreement(
        schema=figures.SCHEMA,
        started="2026-01-02T03:04:05+00:00",
        host=host,
        versions={"onnxruntime": "1.32.0"},
        beside_versions={"optimum-benchmark": "0.6.0"} if beside else {},
        warm_up_s=0.5,
        seconds=1.0,
        rounds=len(arms[0].p50_ns),
        load_before=0.1,
        models=(Model(name="1-ms", sha256="0" * 64, series=arms, beside=beside),),
    )


def check_form(found: Agreement) -> None:
    assert found.schema == figures.SCHEMA
    assert datetime.fromisoformat(found.started).tzinfo is not None
    assert [model.name for model in found.models] == [one.name for one in toy.TOYS]
    assert {"steelyard", "onnxruntime", "pytest-benchmark"} <= set(found.versions)
    for model in found.models:
        assert [one.arm for one in model.series] == list(ARMS)
        assert len(model.sha256) == 64
        for one in model.series:
            assert len(one.p50_ns) == len(one.calls) == found.rounds
            assert min(one.p50_ns) > 0
            assert min(one.calls) > 0
    named = {one.arm for model in found.models for one in model.beside}
    named |= {name for name, _ in found.absent}
    assert named == {beside.NAME}


def test_the_ratio_is_the_geometric_mean_of_paired_rounds() -> None:
    found = figures.ratio((110, 220, 55), (100, 200, 50))

    assert found.estimate == pytest.approx(1.1)
    assert found.low == pytest.approx(1.1)
    assert found.high == pytest.approx(1.1)


def test_the_interval_is_students() -> None:
    found = figures.ratio((1000, 1020), (1000, 1000))

    # Logarithms 0 and ln 1.02: mean and standard error are ln(1.02)/2 both; t(.975, 1) = 12.7062.
    half = math.log(1.02) / 2
    assert found.estimate == pytest.approx(math.exp(half))
    assert found.low == pytest.approx(math.exp(half - 12.7062 * half), rel=1e-6)
    assert found.high == pytest.approx(math.exp(half + 12.7062 * half), rel=1e-6)


def test_one_round_has_no_interval_and_no_verdict() -> None:
    found = figures.ratio((110,), (100,))

    assert found.estimate == pytest.approx(1.1)
    assert (found.low, found.high) == (None, None)
    assert figures.verdict(found) == "inconclusive"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.98, 1.02, "agrees"),
        (1.01, 1.03, "agrees"),
        (1.031, 1.05, "differs"),
        (0.90, 0.969, "differs"),
        (1.02, 1.04, "inconclusive"),
        (0.90, 1.10, "inconclusive"),
    ],
)
def test_a_harness_agrees_where_the_whole_interval_lies_within_3_percent(
    low: float, high: float, said: str
) -> None:
    assert figures.verdict(Ratio((low + high) / 2, low, high)) == said


def test_the_page_sets_each_harness_against_the_bare_loop() -> None:
    held = (series("bare loop", 1000, 1000, 1000), series("steelyard", 1010, 1010, 1010))

    text = page.markdown(result(*held, beside=(series("optimum-benchmark", 1500),)))

    assert "| 1-ms | bare loop | 1.0 us | 1 | | |" in text
    assert "| 1-ms | steelyard | 1.0 us | 1.010 | 1.010 to 1.010 | agrees |" in text
    assert "| 1-ms | optimum-benchmark | 1.5 us | 1.500 |  | beside |" in text
    assert "Its environment: optimum-benchmark 0.6.0." in text


def test_what_is_absent_has_its_reason_on_the_page() -> None:
    found = structs.replace(result(series("bare loop", 1)), absent=((beside.NAME, "no network"),))

    assert "No figure of optimum-benchmark: no network." in page.markdown(found)


def test_a_result_survives_its_json_and_a_strange_key_does_not() -> None:
    found = result(series("bare loop", 1, 2))

    assert figures.decode(figures.encode(found)) == found
    with pytest.raises(msgspec.ValidationError, match="colour"):
        figures.decode(figures.encode(found).replace(b'"rounds"', b'"colour"', 1))


def test_the_same_model_is_generated_again_to_the_byte(tmp_path: Path) -> None:
    for name in ("one", "two"):
        toy.write(TINY, tmp_path / name)

    for name in ("model.onnx", "inputs.npz", "config.json"):
        one, two = ((tmp_path / place / name).read_bytes() for place in ("one", "two"))
        assert one == two


def test_our_session_computes_what_the_bare_one_does_on_the_same_inputs(tmp_path: Path) -> None:
    toy.write(TINY, tmp_path / "toy")
    labels = tuple(Label(id=name, words=name) for name in ("no", "yes"))
    spec = SessionSpec(
        artifact=str(tmp_path / "toy"), session="prepared", threads=1, labels=labels, options={}
    )
    run = bare.open_session(tmp_path / "toy").run
    session = Prepared().open(spec)

    for number, feed in enumerate(bare.feeds(tmp_path / "toy")):
        ours = session.infer(session.encode(f"{number}"))
        assert (ours[0] == run(None, feed)[0]).all()
        assert session.decode(ours).label == labels[int(ours[0].argmax())].id


def test_an_environment_that_does_not_work_is_a_reason(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho no such package >&2\nexit 1\n")
    python.chmod(0o755)

    with pytest.raises(beside.Unavailable, match="no such package"):
        beside.environment(tmp_path, "1.0")


def test_a_moment_of_all_harnesses_gives_a_result_of_the_right_form(tmp_path: Path) -> None:
    times = Times(warm_up_s=0.01, seconds=0.1)

    found = measure(tmp_path, times, rounds=1, optimum=None)

    check_form(found)
    assert found.absent
    assert page.markdown(found).count("inconclusive") == len(toy.TOYS) * (len(ARMS) - 1)


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="results/agreement is not beside these tests")
def test_the_published_result_has_the_right_form_and_its_page_is_of_it() -> None:
    found = figures.decode((PUBLISHED / page.DATA).read_bytes())

    check_form(found)
    assert (PUBLISHED / page.PAGE).read_text() == page.markdown(found)
