"""What a run leaves behind: cells, measurements, records; their JSON and their migrations."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct, field

from steelyard.api import Score
from steelyard.errors import StoreError

SCHEMA = 1

Outcome = Literal["ok", "refused", "failed", "timed_out", "out_of_memory", "invalid"]
Method = Literal["counter", "sampled", "modelled"]
Normalisation = Literal["sum", "mean"]
Calibration = Literal["none", "neutral", "train"]
Scope = Literal["call", "process", "package", "board", "wall"]


class Recorded(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all recorded types share: frozen, keyword-only, strictly decoded."""


class Cell(Recorded, frozen=True, kw_only=True):
    """Task x model x variant x device; its id reads `spam/minilm-head@int8/cpu-1t`."""

    task: str
    model: str
    variant: str
    device: str

    @property
    def id(self) -> str:
        return f"{self.task}/{self.model}@{self.variant}/{self.device}"


class ArtifactRef(Recorded, frozen=True, kw_only=True):
    """An artefact by its content: `sha256` is over the sorted list of its files' hashes."""

    sha256: str
    size_bytes: int
    recipe_sha256: str
    parameters: int
    labelled_items: int = 0
    notes: tuple[str, ...] = ()


class Measurement(Recorded, frozen=True, kw_only=True):
    """All values of one quantity, in SI units or counts (`unit` says which)."""

    quantity: str
    unit: str
    values: tuple[int | float, ...]
    method: Method
    scope: Scope
    resolution: float | None = None
    uncertainty: float | None = None


class PromptChoice(Recorded, frozen=True, kw_only=True):
    """How a generalist was asked and what the choice was made on."""

    paraphrase: int
    normalisation: Normalisation
    calibration: Calibration
    shots: int
    accuracy: float
    n: int
    candidates: tuple[tuple[str, float], ...]
    prefix: str
    suffix: str
    max_chars: int
    priors: tuple[float, ...] = ()


class Sample(Recorded, frozen=True, kw_only=True):
    """Which test items were asked: all, or a seeded stratified sample."""

    n: int
    of: int
    seed: int | None = None


class WarmUp(Recorded, frozen=True, kw_only=True):
    """How the timed window was reached."""

    calls: int
    seconds: float
    settled: bool


class Host(Recorded, frozen=True, kw_only=True):
    """The machine and the software a run was made with."""

    machine: str
    cpu: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    flags: tuple[str, ...] = ()
    virtual: str | None = None
    packages: dict[str, str] = field(default_factory=dict)


class Record(Recorded, frozen=True, kw_only=True):
    """One cell's result. A cell that could not be measured is a record with its reason."""

    cell: Cell
    outcome: Outcome
    started: str
    seconds: float
    task_sha256: str
    model_sha256: str
    role: str
    precision: str
    backend: str
    threads: int
    metric: str
    reason: str | None = None
    artifact: ArtifactRef | None = None
    data_sha256: str | None = None
    sample: Sample | None = None
    prompt: PromptChoice | None = None
    scores: tuple[Score, ...] = ()
    predictions_sha256: str | None = None
    warm_up: WarmUp | None = None
    measurements: tuple[Measurement, ...] = ()
    parent: str | None = None
    warnings: tuple[str, ...] = ()

    def measurement(self, quantity: str) -> Measurement | None:
        """Return the measurement of `quantity`, or None where it was not measured."""
        return next((m for m in self.measurements if m.quantity == quantity), None)

    def score(self, metric: str | None = None) -> Score | None:
        """Return the score in `metric` (default: the task's own)."""
        wanted = metric or self.metric
        return next((s for s in self.scores if s.metric == wanted), None)


class RunFile(Recorded, frozen=True, kw_only=True):
    """One run on one device: what `results/` keeps."""

    schema: int
    tool_version: str
    run: str
    suite: str
    device: str
    started: str
    host: Host
    records: tuple[Record, ...]
    commit: str | None = None


def encode(value: Recorded) -> bytes:
    """Return `value` as canonical JSON: sorted keys, no spaces."""
    return msgspec.json.encode(value, order="sorted")


def decode_run(data: bytes, where: str) -> RunFile:
    """Decode a run file; raise StoreError naming `where` if it is damaged or of another schema."""
    try:
        schema = msgspec.json.decode(data, type=_Versioned).schema
        if schema != SCHEMA:
            raise StoreError(
                f"{where}: schema {schema}, this steelyard reads {SCHEMA}; "
                "use the steelyard that wrote it, or a newer one"
            )
        return msgspec.json.decode(data, type=RunFile)
    except msgspec.MsgspecError as error:
        raise StoreError(f"{where}: not a steelyard run file: {error}") from error


class _Versioned(Struct):
    schema: int


class Prediction(Recorded, frozen=True, kw_only=True):
    """What a model answered to one item; kept beside the run file, not in it."""

    id: str
    expected: str
    answer: str
    scores: tuple[float, ...] | None = None
