"""Prices whose sums can be done by hand, and models to put them on."""

from __future__ import annotations

from typing import Any

from tests.unit.builders import cell

from steelyard import cost
from steelyard.cost import Deployed, Prices, Workload

SOURCE = 'source = "test", date = "2026"'
# A joule costs 1e-7 EUR, a label half a euro, an engineer's hour 50.
TEXT = f"""
currency = "EUR"
demand = {{ calls_a_day = 1000, months = 12 }}
electricity_a_kwh = {{ value = 0.36, currency = "EUR", {SOURCE} }}
utilisation = {{ value = 0.5, {SOURCE} }}
rates = []

[labelling]
minutes_a_label = {{ value = 1, low = 0.5, high = 4, {SOURCE} }}
wage_an_hour = {{ value = 30, currency = "EUR", {SOURCE} }}

[engineering]
wage_an_hour = {{ value = 50, currency = "EUR", {SOURCE} }}
[engineering.specialist]
set_up_hours = {{ value = 10, {SOURCE} }}
upkeep_hours_a_month = {{ value = 1, {SOURCE} }}
[engineering.generalist]
set_up_hours = {{ value = 4, assumed = true, reason = "a guess", low = 2, high = 8 }}
upkeep_hours_a_month = {{ value = 1, {SOURCE} }}
[engineering.baseline]
set_up_hours = {{ value = 0, {SOURCE} }}
upkeep_hours_a_month = {{ value = 0, {SOURCE} }}

[network]
round_trip_s = {{ value = 0.1, {SOURCE} }}
kilobytes_a_call = {{ value = 2, {SOURCE} }}
price_a_gigabyte = {{ value = 0.5, currency = "EUR", {SOURCE} }}

[tokens]
input_a_call = {{ value = 400, {SOURCE} }}
output_a_call = {{ value = 10, {SOURCE} }}

[[deployments]]
id = "box"
name = "a box"
kind = "own"
memory_bytes = 1_000_000_000
price = {{ value = 100, currency = "EUR", {SOURCE} }}
life_years = {{ value = 5, {SOURCE} }}
idle_w = {{ value = 2, {SOURCE} }}
busy_w = {{ value = 10, {SOURCE} }}

[[deployments]]
id = "rented"
name = "a rented machine"
kind = "hour"
price_an_hour = {{ value = 0.36, currency = "EUR", {SOURCE} }}

[[deployments]]
id = "api"
name = "a service"
kind = "token"
model = "huge"
roles = ["generalist"]
price_a_million_input = {{ value = 1, currency = "EUR", {SOURCE} }}
price_a_million_output = {{ value = 2, currency = "EUR", {SOURCE} }}
"""


def prices(*changes: tuple[str, str]) -> Prices:
    return cost.read_prices(changed(*changes), "test.toml")


def changed(*changes: tuple[str, str]) -> str:
    """Return the text with each first occurrence replaced; it must be there."""
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def workload(**changes: Any) -> Workload:
    facts: dict[str, Any] = {
        "cell": cell(),
        "role": "specialist",
        "seconds": 0.5,
        "labelled": 120,
        "correct": 0.8,
        "n": 100,
    }
    return Workload(**{**facts, **changes})


def generalist(**changes: Any) -> Workload:
    facts: dict[str, Any] = {"role": "generalist", "labelled": 0, "cell": cell(model="huge")}
    return workload(**{**facts, **changes})


def put(work: Workload, where: str, declared: Prices) -> Deployed:
    return Deployed(workload=work, deployment=declared.deployment(where))
