from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import claims
from steelyard.claims import Claim, ClaimsFile, TaskEvidence, card, weighing
from steelyard.claims.types import Standing
from steelyard.claims.weighing import Interval
from steelyard.errors import CardError

CLAIM = """
schema = 1

[[claims]]
id = "faster"
statement = "Faster."
documents = ["a"]
metric = "p50, over {threshold}"
test = "speed"
threshold = 1.05
unit = "times"
rule = '''
Above {threshold}, on more than {share} of
{minimum_tasks} tasks or more.
'''
"""
STANDINGS: list[Standing] = ["supported", "refuted", "undecided", "not tested"]


def read(text: str) -> ClaimsFile:
    return card.decode(text.encode(), "claims.toml")


def one() -> Claim:
    return read(CLAIM).claims[0]


def test_the_shipped_file_has_the_eight_claims_and_every_rule_its_contrary() -> None:
    shipped = claims.load()

    assert [claim.test for claim in shipped.claims] == [
        "efficiency",
        "cost",
        "speed",
        "energy",
        "score",
        "embedding",
        "break-even",
        "dependability",
    ]
    for claim in shipped.claims:
        rule = claim.said(claim.rule)
        assert "against" in rule
        assert "refuted when so many speak against it" in rule
        assert "{" not in rule + claim.said(claim.metric)


def test_a_rule_is_said_on_one_line_with_its_figures() -> None:
    claim = one()

    assert claim.said(claim.rule) == "Above 1.05, on more than half of 3 tasks or more."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('test = "speed"', 'test = "beauty"', r"claims\[0\].test"),
        ("threshold = 1.05", "threshold = 0", r"claims\[0\].threshold"),
        ("threshold = 1.05", 'threshold = "2"', r"claims\[0\].threshold"),
        ('unit = "times"', 'unit = "times"\nshare = 1.0', r"claims\[0\].share"),
        ('unit = "times"', 'unit = "times"\ncolour = "red"', "colour"),
        ('test = "speed"', 'test = "embedding"', "needs budgets|below 1"),
        ('unit = "times"', 'unit = "times"\nbudgets = ["512"]', "is no size"),
        ("schema = 1", "schema = 2", "version 2"),
        ("schema = 1", "schema = ", "not TOML"),
        ('documents = ["a"]', "documents = []", r"claims\[0\].documents"),
    ],
)
def test_a_malformed_file_is_one_line_that_says_where(old: str, new: str, said: str) -> None:
    with pytest.raises(CardError, match=said) as error:
        read(CLAIM.replace(old, new))

    assert str(error.value).startswith("claims.toml")
    assert "\n" not in str(error.value)


def test_a_claim_given_twice_is_refused() -> None:
    twice = CLAIM + CLAIM.replace("schema = 1\n", "")

    with pytest.raises(CardError, match="'faster' is given twice"):
        read(twice)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="No such file"):
        claims.load(tmp_path / "none.toml")


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_it_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(CardError, match=r"^claims\.toml[^\n]*$"):
        card.decode(data, "claims.toml")


def evidence(standings: list[Standing]) -> tuple[TaskEvidence, ...]:
    return tuple(
        TaskEvidence(task=f"t{n}", standing=standing, text="said")
        for n, standing in enumerate(standings)
    )


@pytest.mark.parametrize(
    ("standings", "expected"),
    [
        (["supported", "supported", "refuted"], "supported"),
        (["supported", "refuted", "refuted"], "refuted"),
        (["supported", "supported", "refuted", "refuted"], "refuted"),
        (["supported", "supported", "undecided", "undecided"], "undecided"),
        (["supported", "supported", "not tested"], "undecided"),
        (["supported", "supported", "supported", "not tested"], "supported"),
        (["not tested"] * 4, "not tested"),
    ],
)
def test_more_than_half_supports_and_half_against_refutes(
    standings: list[Standing], expected: Standing
) -> None:
    assert weighing.of_claim(one(), evidence(standings), "").standing == expected


@given(st.lists(st.sampled_from(STANDINGS), max_size=12))
def test_a_claim_is_never_supported_by_half_nor_refuted_while_more_than_half_may_hold(
    standings: list[Standing],
) -> None:
    result = weighing.of_claim(one(), evidence(standings), "")
    n = len(standings) - standings.count("not tested")

    enough = n >= 3
    assert (result.standing == "supported") == (enough and 2 * standings.count("supported") > n)
    assert (result.standing == "refuted") == (enough and 2 * standings.count("refuted") >= n)
    assert (result.standing == "not tested") == (n == 0)


def test_tasks_against_a_supported_claim_are_named() -> None:
    result = weighing.of_claim(one(), evidence(["supported", "refuted", "supported"]), "")

    assert result.reason == "2 for, 1 against, 0 undecided of 3 tasks (against: t1)"


@given(
    st.floats(0.1, 100),
    st.floats(0, 1),
    st.floats(1, 10),
)
def test_an_interval_is_held_against_a_threshold_as_a_whole(
    estimate: float, below: float, above: float
) -> None:
    interval = Interval(estimate=estimate, low=estimate * below, high=estimate * above)

    standing = weighing.stand(interval, 1.0)

    assert (standing == "supported") == (interval.low >= 1)
    assert (standing == "refuted") == (interval.high < 1)
