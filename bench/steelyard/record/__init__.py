"""What a run leaves behind: cells, measurements, records."""

from __future__ import annotations

from steelyard.record.again import (
    Dependability,
    Reworded,
)
from steelyard.record.base import (
    Recorded,
)
from steelyard.record.cells import (
    ArtifactRef,
    Calibration,
    Cell,
    Normalisation,
    Prediction,
    PromptChoice,
    Sample,
    Subset,
)
from steelyard.record.energy import (
    CodecarbonReading,
    CodecarbonSettings,
    EnergyReading,
)
from steelyard.record.measured import (
    Evidence,
    Measurement,
    MemoryLimit,
    Method,
    Scope,
    WarmUp,
)
from steelyard.record.runs import (
    SCHEMA,
    Host,
    Outcome,
    Record,
    RunFile,
    TunedSetting,
)

__all__ = [
    "SCHEMA",
    "ArtifactRef",
    "Calibration",
    "Cell",
    "CodecarbonReading",
    "CodecarbonSettings",
    "Dependability",
    "EnergyReading",
    "Evidence",
    "Host",
    "Measurement",
    "MemoryLimit",
    "Method",
    "Normalisation",
    "Outcome",
    "Prediction",
    "PromptChoice",
    "Record",
    "Recorded",
    "Reworded",
    "RunFile",
    "Sample",
    "Scope",
    "Subset",
    "TunedSetting",
    "WarmUp",
]
