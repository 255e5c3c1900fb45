"""Cost: prices with their sources -> a call, a horizon, break-even, what matters most."""

from __future__ import annotations

from steelyard.cost.crossing import (
    MOST_A_DAY,
    BreakEven,
    Curve,
    break_even,
    curve_by_month,
    curve_by_volume,
    curves,
)
from steelyard.cost.figures import Figure, Money, Rate
from steelyard.cost.loading import load_prices, read_prices, shipped_text
from steelyard.cost.placing import Deployed, deployments_for
from steelyard.cost.prices import (
    Demand,
    Deployment,
    MeteredService,
    OwnMachine,
    Prices,
    RentedMachine,
    demand,
)
from steelyard.cost.schedule import Part, Schedule, schedule
from steelyard.cost.sensitivity import Effect, Versus, compare, sensitivity, versus
from steelyard.cost.summary import CostReport, CostRow, Found, Stated, assumptions, report
from steelyard.cost.totals import (
    CostOfCall,
    Priced,
    Share,
    Total,
    cheapest,
    everywhere,
    per_call,
    total,
)
from steelyard.cost.walking import Named, figures, with_value
from steelyard.cost.workload import Workload, best_reading, workload

__all__ = [
    "MOST_A_DAY",
    "BreakEven",
    "CostOfCall",
    "CostReport",
    "CostRow",
    "Curve",
    "Demand",
    "Deployed",
    "Deployment",
    "Effect",
    "Figure",
    "Found",
    "MeteredService",
    "Money",
    "Named",
    "OwnMachine",
    "Part",
    "Priced",
    "Prices",
    "Rate",
    "RentedMachine",
    "Schedule",
    "Share",
    "Stated",
    "Total",
    "Versus",
    "Workload",
    "assumptions",
    "best_reading",
    "break_even",
    "cheapest",
    "compare",
    "curve_by_month",
    "curve_by_volume",
    "curves",
    "demand",
    "deployments_for",
    "everywhere",
    "figures",
    "load_prices",
    "per_call",
    "read_prices",
    "report",
    "schedule",
    "sensitivity",
    "shipped_text",
    "total",
    "versus",
    "with_value",
    "workload",
]
