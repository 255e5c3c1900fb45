"""Pure statistics: order statistics, proportions, paired comparisons, load shapes, packing."""

from __future__ import annotations

from steelyard.stats.binomial import CONFIDENCE, binomial_cdf, binomial_pmf
from steelyard.stats.bootstrap import DRAWS, Metric, Resampled, resample
from steelyard.stats.early_stopping import EarlyStop, early_stop, passing_needed
from steelyard.stats.holm import holm
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
from steelyard.stats.noninferiority import (
    ALPHA,
    POWER,
    agresti_min_p,
    detectable_difference,
    detectable_shift,
    items_for_difference,
    items_for_margin,
    items_for_shift,
    noninferiority_p,
    tango_p,
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
from steelyard.stats.ratios import Figure, Ratio, exact, ratio
from steelyard.stats.settling import SETTLED_WITHIN, settled
from steelyard.stats.student import student_quantile, student_tail

__all__ = [
    "ALPHA",
    "CONFIDENCE",
    "DRAWS",
    "POWER",
    "SETTLED_WITHIN",
    "Difference",
    "Drift",
    "EarlyStop",
    "Figure",
    "Goodput",
    "Metric",
    "Quantile",
    "Ratio",
    "Resampled",
    "TooFew",
    "TooShort",
    "Unserved",
    "agresti_min_p",
    "binomial_cdf",
    "binomial_pmf",
    "detectable_difference",
    "detectable_shift",
    "drift",
    "early_stop",
    "exact",
    "goodput",
    "holm",
    "items_for_difference",
    "items_for_margin",
    "items_for_shift",
    "mcnemar_exact",
    "noninferiority_p",
    "output_rate",
    "pack",
    "paired_difference",
    "passing_needed",
    "percentile",
    "percentile_interval",
    "percentile_name",
    "prompt_rate",
    "ratio",
    "resample",
    "samples_needed",
    "served_percentile",
    "settled",
    "student_quantile",
    "student_tail",
    "tango_p",
    "throughput",
    "time_per_output_token",
    "unpack",
    "wilson",
]
