"""Spare pytest-benchmark the look at the machine: it takes a second and is told elsewhere."""

from __future__ import annotations


def pytest_benchmark_generate_machine_info() -> dict[str, str]:
    """Return no more than a name."""
    return {"node": "elsewhere"}
