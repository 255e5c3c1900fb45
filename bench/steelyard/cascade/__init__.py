"""Answer by the specialist, ask the generalist where it is unsure: decide, calibrate, evaluate.

In production only this package's `read_policy` and `decide` are needed: they use numpy and msgspec.
"""

from __future__ import annotations

from steelyard.cascade.policy import Policy, confidence, decide
from steelyard.cascade.threshold_file import ThresholdFile, read_policy, read_threshold

__all__ = [
    "Policy",
    "ThresholdFile",
    "confidence",
    "decide",
    "read_policy",
    "read_threshold",
]
