"""Pure statistics: order statistics, proportions, paired answers, load shapes, packed samples."""

from __future__ import annotations

from steelyard.stats.binomial import CONFIDENCE, binomial_cdf, binomial_pmf
from steelyard.stats.early_stopping import EarlyStop, early_stop, passing_needed
from steelyard.stats.loads import (
    Drift,
    Goodput,
    TooShort,
    drift,
    goodput,
    output_rate,
    prompt_rate,
    throughput,
    time_per_output_token,
)
from steelyard.stats.packing import pack, unpack
from steelyard.stats.percentiles import (
    Quantile,
    TooFew,
    Unserved,
    percentile,
    percentile_interval,
    percentile_name,
    samples_needed,
    served_percentile,
)
from steelyard.stats.proportions import Difference, mcnemar_exact, paired_difference, wilson
from steelyard.stats.settling import SETTLED_WITHIN, settled

__all__ = [
    "CONFIDENCE",
    "SETTLED_WITHIN",
    "Difference",
    "Drift",
    "EarlyStop",
    "Goodput",
    "Quantile",
    "TooFew",
    "TooShort",
    "Unserved",
    "binomial_cdf",
    "binomial_pmf",
    "drift",
    "early_stop",
    "goodput",
    "mcnemar_exact",
    "output_rate",
    "pack",
    "paired_difference",
    "passing_needed",
    "percentile",
    "percentile_interval",
    "percentile_name",
    "prompt_rate",
    "samples_needed",
    "served_percentile",
    "settled",
    "throughput",
    "time_per_output_token",
    "unpack",
    "wilson",
]
