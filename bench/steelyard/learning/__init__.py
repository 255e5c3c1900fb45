"""Learning curves: from how many labelled examples on a small model keeps up with a large one."""

from __future__ import annotations

from steelyard.learning.curves import curves
from steelyard.learning.types import RULE, Against, Curve, Learned, Step, TaskCurves

__all__ = ["RULE", "Against", "Curve", "Learned", "Step", "TaskCurves", "curves"]
