"""A small model set against a large one: record sets -> verdicts."""

from __future__ import annotations

from steelyard.verdict.judging import Means, judge
from steelyard.verdict.rule import FAMILY, RULE
from steelyard.verdict.saying import told
from steelyard.verdict.types import Comparison, TaskVerdict, Verdict

__all__ = ["FAMILY", "RULE", "Comparison", "Means", "TaskVerdict", "Verdict", "judge", "told"]
