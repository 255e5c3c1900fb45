"""What authors of plugins import: the Protocols and the values that pass through them."""

from __future__ import annotations

from steelyard.api.building import (
    BuildReport,
    BuildRequest,
    Recipe,
)
from steelyard.api.items import (
    Answer,
    ArrayRef,
    Item,
    TrainingSet,
)
from steelyard.api.metering import (
    Channel,
    ChannelRole,
    Covered,
    Meter,
    MeterMethod,
    MeterScope,
    Trace,
)
from steelyard.api.sessions import (
    Backend,
    BatchSession,
    DescribedSession,
    DeviceBackend,
    GeneratorSession,
    ImportingBackend,
    LabelSession,
    PromptTokens,
    RenderedPrompt,
    Session,
    SessionSpec,
    TogetherSession,
)
from steelyard.api.tasks import (
    ArrayItems,
    ArrayReader,
    Reader,
    Score,
    Scorer,
    WeighingScorer,
)
from steelyard.card import File, Label

__all__ = [
    "Answer",
    "ArrayItems",
    "ArrayReader",
    "ArrayRef",
    "Backend",
    "BatchSession",
    "BuildReport",
    "BuildRequest",
    "Channel",
    "ChannelRole",
    "Covered",
    "DescribedSession",
    "DeviceBackend",
    "File",
    "GeneratorSession",
    "ImportingBackend",
    "Item",
    "Label",
    "LabelSession",
    "Meter",
    "MeterMethod",
    "MeterScope",
    "PromptTokens",
    "Reader",
    "Recipe",
    "RenderedPrompt",
    "Score",
    "Scorer",
    "Session",
    "SessionSpec",
    "TogetherSession",
    "Trace",
    "TrainingSet",
    "WeighingScorer",
]
