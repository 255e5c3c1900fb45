"""From kept predictions to a cascade and its file: cross-fitted, honest about what is not known."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pytest
from tests.unit import builders

from steelyard import stats
from steelyard.cascade import decide, read_policy, read_threshold
from steelyard.cascade.evaluation import evaluate
from steelyard.cascade.making import make
from steelyard.cascade.mixture import Budget
from steelyard.cascade.pairing import lacks_scores, material
from steelyard.cascade.spending import Money, Spent, Terms
from steelyard.cascade.threshold_file import Basis, encode, threshold_file
from steelyard.cascade.types import Cascade, Wanted
from steelyard.energy import Absent
from steelyard.errors import Refusal, StoreError
from steelyard.record import ArtifactRef, EnergyReading, Host, Measurement, Prediction, Record
from steelyard.verdict.matching import Pair, Side

LABELS = ("ham", "spam")
NOT = Absent(reason="not measured")
NOTHING = Budget(latency=NOT, tail=NOT, energy=NOT, cost=NOT)
ARTIFACT = ArtifactRef(sha256="d" * 64, size_bytes=100, recipe_sha256="e" * 64, parameters=1)


def scored(n: int, wrong: int, start: int = 0) -> dict[str, Prediction]:
    """Return answers whose `wrong` least sure ones are wrong: margins grow with the item."""
    found = {}
    for place in range(n):
        label = LABELS[place % 2]
        said = LABELS[(place + (place < wrong)) % 2]
        margin = 0.1 + 4 * place / n
        scores = (margin, -margin) if said == "ham" else (-margin, margin)
        name = f"i{start + place:04}"
        found[name] = Prediction(id=name, expected=label, answer=said, scores=scores)
    return found


def answered(names: list[str], wrong: Collection[int] = ()) -> dict[str, Prediction]:
    """Return a generalist's answers to the items of `scored`, the places in `wrong` wrong."""
    return {
        name: Prediction(
            id=name, expected=LABELS[place % 2], answer=LABELS[(place + (place in wrong)) % 2]
        )
        for place, name in enumerate(names)
    }


def timed(*values: int) -> tuple[Measurement, ...]:
    one = Measurement(
        quantity="latency_end_to_end", unit="ns", method="counter", scope="call", values=values
    )
    return (one,)


def record(model: str, **changes: Any) -> Record:
    facts = {"data_sha256": "f" * 64, "artifact": ARTIFACT, "cell": builders.cell(model=model)}
    return builders.record(**{**facts, **changes})


def pair(n: int = 60, wrong: int = 12, small: dict[str, Any] | None = None, **large: Any) -> Pair:
    answers = scored(n, wrong)
    return Pair(
        small=Side(record=record("tiny", **small or {}), host=builders.host(), answers=answers),
        large=Side(
            record=record("huge", role="generalist", **large),
            host=builders.host(),
            answers=answered(list(answers)),
        ),
    )


def made(chosen: Pair, **wanted: float) -> Cascade:
    return make(chosen, LABELS, Terms(wanted=Wanted(**wanted)))


def test_where_doubt_tells_what_is_wrong_the_cascade_is_right_throughout() -> None:
    found = made(pair())
    expected = found.expected

    assert found.chosen is not None
    assert found.chosen.accuracy == 1.0
    assert found.chosen.escalated == pytest.approx(0.2)
    assert expected.specialist.value == pytest.approx(0.8)
    assert expected.generalist.value == 1.0
    assert expected.either == 1.0
    # A threshold chosen without an item may lie on its wrong side, at the border only.
    assert expected.accuracy.value >= 0.95
    assert expected.over_specialist.value == pytest.approx(expected.accuracy.value - 0.8)


def test_expected_figures_carry_the_intervals_of_the_statistics() -> None:
    expected = made(pair()).expected
    n = expected.accuracy.n
    right = round(expected.accuracy.value * n)
    lost, won = 0, right - 48

    assert (expected.accuracy.low, expected.accuracy.high) == stats.wilson(right, n)
    difference = stats.paired_difference(lost, won, n)
    assert expected.over_specialist.low == pytest.approx(difference.low)
    assert expected.over_specialist.p_value == stats.mcnemar_exact(lost, won)


def test_picking_on_noise_looks_good_and_cross_fitting_says_so() -> None:
    """Two coins: the best threshold of many beats both in sample, and neither in truth."""
    random = np.random.default_rng(3)
    flattered, honest, n = [], [], 60
    for _ in range(15):
        answers = {}
        for place in range(n):
            margin = float(random.uniform(0.1, 3))
            said = LABELS[int(random.integers(2))]
            scores = (margin, -margin) if said == "ham" else (-margin, margin)
            name = f"i{place:03}"
            expected = LABELS[place % 2]
            answers[name] = Prediction(id=name, expected=expected, answer=said, scores=scores)
        wrong = set(np.flatnonzero(random.integers(2, size=n)).tolist())
        both = material(answers, answered(list(answers), wrong), LABELS)
        fitted = evaluate(both, NOTHING, Wanted())
        assert fitted.chosen is not None
        flattered.append(fitted.chosen.accuracy)
        honest.append(fitted.expected.accuracy.value)

    assert np.mean(flattered) > 0.55
    assert np.mean(honest) == pytest.approx(0.5, abs=0.05)


def test_items_that_only_the_specialist_was_asked_calibrate_it() -> None:
    answers = {**scored(60, 12), **scored(150, 30, start=1000)}
    names = sorted(answers)[:60]
    found = material(answers, answered(names), LABELS)

    assert found.others is not None
    assert len(found.common.ids) == 60
    assert len(found.others.ids) == 150
    calibrated = evaluate(found, NOTHING, Wanted()).calibrated
    assert (calibrated.n, calibrated.crossed) == (150, False)
    assert made(pair()).calibrated.crossed


def test_too_few_common_items_are_refused() -> None:
    with pytest.raises(StoreError, match="asked 19 of the same items; a threshold needs 20"):
        material(scored(19, 2), answered([f"i{n:04}" for n in range(19)]), LABELS)


def test_scores_in_another_order_than_the_cards_are_refused() -> None:
    answers = scored(30, 2)

    with pytest.raises(StoreError, match="the task's card has changed"):
        material(answers, answered(list(answers)), LABELS[::-1])


def test_records_without_scores_are_noticed_and_refused() -> None:
    bare = {name: msgspec.structs.replace(one, scores=None) for name, one in scored(30, 2).items()}

    assert lacks_scores(bare)
    assert not lacks_scores(scored(30, 2))
    with pytest.raises(StoreError, match="no scores, expected one for each of 2 labels"):
        material(bare, answered(list(bare)), LABELS)


def test_a_label_that_the_card_does_not_have_is_refused() -> None:
    answers = scored(30, 2)
    answers["i0003"] = msgspec.structs.replace(answers["i0003"], expected="eggs")

    with pytest.raises(StoreError, match="'eggs' is no label"):
        material(answers, answered(list(answers)), LABELS)


def test_different_data_are_refused() -> None:
    with pytest.raises(StoreError, match="different data"):
        made(pair(data_sha256="0" * 64))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"max_latency_ns": 1.0}, "--max-latency cannot be judged: .* latency was not measured"),
        ({"max_p99_ns": 1.0}, "--max-p99 cannot be judged"),
        ({"max_energy_j": 1.0}, "--max-energy cannot be judged"),
        ({"max_cost": 1.0}, "--max-cost cannot be judged: no prices"),
    ],
)
def test_a_limit_on_what_was_not_measured_is_refused(wanted: dict[str, float], said: str) -> None:
    with pytest.raises(Refusal, match=said):
        made(pair(), **wanted)


def test_a_score_in_another_metric_is_not_promised() -> None:
    other = pair(small={"metric": "macro-f1"}, metric="macro-f1")

    with pytest.raises(Refusal, match="metric is macro-f1"):
        made(other, min_score=0.9)
    assert any("macro-f1" in caveat for caveat in made(other).caveats)


def test_latency_mixes_the_means_and_a_round_trip() -> None:
    timed_pair = pair(
        small={"measurements": timed(10, 20, 30)}, measurements=timed(1000, 2000, 3000)
    )
    terms = Terms(wanted=Wanted(max_escalated=0.2), round_trip_ns=500.0)
    found = make(timed_pair, LABELS, terms)

    assert found.chosen is not None
    assert found.chosen.mean_latency_ns == pytest.approx(20 + 0.2 * 2500)
    assert found.chosen.p99_ns is None
    assert "p99" in dict(found.absent)


def test_a_limit_is_held_against_items_that_the_threshold_has_not_seen() -> None:
    timed_pair = pair(small={"measurements": timed(10)}, measurements=timed(1000))
    judged = {one.name: one for one in made(timed_pair, max_latency_ns=250.0).judged}
    share = made(timed_pair, max_latency_ns=250.0).expected.escalated

    one = judged["mean latency"]
    assert one.value == pytest.approx(10 + 1000 * share.value)
    assert one.high == pytest.approx(10 + 1000 * share.high)
    assert one.standing == "doubtful"


def test_what_no_threshold_meets_is_told_with_what_comes_nearest() -> None:
    found = made(pair(wrong=60), max_escalated=0.2, min_score=0.9)

    assert found.chosen is None
    assert found.nearest.escalated <= 0.2
    assert found.expected.parts_unmet == found.expected.parts
    assert found.judged[0].standing == "fails"


def reading(tier: Literal[1, 2, 3], joules: float) -> EnergyReading:
    return EnergyReading(
        meter="m",
        tier=tier,
        covers=("board",),
        gross_j=joules,
        gross_u_j=joules / 10,
    )


def test_energies_of_one_tier_only_are_mixed() -> None:
    apart = pair(small={"energy": (reading(1, 0.1),)}, energy=(reading(2, 5.0),))
    alike = pair(small={"energy": (reading(1, 0.1), reading(2, 0.2))}, energy=(reading(2, 5.0),))

    assert "energy" in dict(made(apart).absent)
    chosen = made(alike).chosen
    assert chosen is not None
    assert chosen.energy_j == pytest.approx(0.2 + chosen.escalated * 5.0)


def test_energies_of_unlike_parts_are_not_mixed() -> None:
    processor = msgspec.structs.replace(reading(2, 0.1), covers=("cpu",))
    apart = pair(small={"energy": (processor,)}, energy=(reading(2, 5.0),))
    both = pair(small={"energy": (processor,)}, energy=(reading(2, 5.0), processor))

    assert "energy" in dict(made(apart).absent)
    assert made(both).nearest.energy_j == pytest.approx(0.1 + made(both).nearest.escalated * 0.1)


def test_modelled_energy_is_shown_and_passes_no_limit() -> None:
    modelled = pair(small={"energy": (reading(3, 0.1),)}, energy=(reading(3, 5.0),))

    assert made(modelled).nearest.energy_j is not None
    with pytest.raises(Refusal, match="modelled, which passes no limit"):
        made(modelled, max_energy_j=1.0)


def test_costs_come_from_whoever_knows_prices() -> None:
    def of(side: Side) -> Spent | Absent:
        return Spent(amount=1.0 if side.record.cell.model == "tiny" else 9.0, place="here")

    terms = Terms(wanted=Wanted(max_cost=3.0), money=Money(of=of, currency="EUR"))
    found = make(pair(), LABELS, terms)

    assert found.chosen is not None
    assert found.chosen.cost == pytest.approx(1 + 9 * found.chosen.escalated)
    assert found.currency == "EUR"
    assert any("here and here" in caveat for caveat in found.caveats)


def test_unlike_machines_are_a_caveat() -> None:
    other: Host = msgspec.structs.replace(builders.host(), cpu="Testium 1")
    apart = pair()
    apart = Pair(small=apart.small, large=msgspec.structs.replace(apart.large, host=other))

    assert any("unlike machines" in caveat for caveat in made(apart).caveats)
    assert not any("unlike machines" in caveat for caveat in made(pair()).caveats)


def exported(folder: Path) -> Path:
    both = pair()
    basis = Basis(specialist=both.small.record, generalist=both.large.record, labels=LABELS)
    path = folder / "threshold.json"
    path.write_bytes(encode(threshold_file(made(both), basis, "cross-fitted")))
    return path


def test_an_exported_threshold_decides_as_it_was_evaluated(tmp_path: Path) -> None:
    path = exported(tmp_path)
    policy, file = read_policy(path), read_threshold(path)
    asked = [decide(one.scores or (), policy) for one in scored(60, 12).values()]

    assert asked == [place < 12 for place in range(60)]
    assert file.specialist.artifact_sha256 == "d" * 64
    assert file.labels == LABELS
    assert file.expected == made(pair()).expected


def test_nothing_is_exported_where_no_threshold_meets_what_was_asked() -> None:
    both = pair(wrong=60)
    basis = Basis(specialist=both.small.record, generalist=both.large.record, labels=LABELS)

    with pytest.raises(StoreError, match="nothing to export"):
        threshold_file(made(both, max_escalated=0.1, min_score=0.9), basis, "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 2}, "schema 2, this steelyard reads 1"),
        ({"kind": "a recipe"}, "no file of `steelyard cascade -o`"),
        ({"extra": 1}, "not a threshold"),
        ({"labels": ["one"]}, "1 labels, the policy has 2"),
        ({"data_sha256": "short"}, "not a threshold"),
    ],
)
def test_a_threshold_file_is_read_strictly(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = exported(tmp_path)
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), **change}))

    with pytest.raises(StoreError, match=said) as raised:
        read_threshold(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"schema": "1"}', b"\xff\xfe"])
def test_a_damaged_threshold_file_is_one_clear_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "threshold.json"
    path.write_bytes(data)

    with pytest.raises(StoreError, match="not a threshold of a cascade"):
        read_threshold(path)
    with pytest.raises(StoreError, match="No such file"):
        read_threshold(tmp_path / "missing.json")
