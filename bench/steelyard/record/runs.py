"""One run on one machine: its records."""

from __future__ import annotations

from typing import Literal

from msgspec import field

from steelyard.api import Score
from steelyard.loads import AnyLoadResult
from steelyard.record.again import Dependability
from steelyard.record.base import Recorded
from steelyard.record.cells import ArtifactRef, Cell, PromptChoice, Sample, Subset
from steelyard.record.energy import CodecarbonReading, EnergyReading
from steelyard.record.measured import Evidence, Measurement, MemoryLimit, WarmUp

# 2: raw samples are packed; evidence, energy, load shapes and memory limits; dependability, which
# only the files of suites that ask for it name: it came before a release, so it is no schema 3.
SCHEMA = 2

Outcome = Literal["ok", "refused", "failed", "timed_out", "out_of_memory", "invalid"]


class Host(Recorded, frozen=True, kw_only=True):
    """The machine and the software a run was made with; None where the machine does not say.

    `core` names the kinds of core, `flags` their instruction sets. `turbo` is whether the clock may
    rise above its nominal rate. `emulated` says how it was noticed. `wheel_hashes` are over what
    each package's wheel held, the same wherever it is installed.
    """

    machine: str
    cpu: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    flags: tuple[str, ...] = ()
    virtual: str | None = None
    packages: dict[str, str] = field(default_factory=dict)
    board: str | None = None
    core: str | None = None
    governor: str | None = None
    turbo: bool | None = None
    microcode: str | None = None
    page_size: int | None = None
    kernel: str | None = None
    distribution: str | None = None
    container: str | None = None
    emulated: str | None = None
    power_mode: str | None = None
    l4t: str | None = None
    wheel_hashes: dict[str, str] = field(default_factory=dict)


class Record(Recorded, frozen=True, kw_only=True):
    """One cell's result. A cell that could not be measured is a record with its reason.

    `no_energy` says why meters could not read the machine, `absent` has pairs of a quantity and why
    it was not measured. `runs_on` is what the session said of itself: library, provider or device.
    With `subset` it is a point of a learning curve, and no rival of other cells. `recalled` answers
    are those that the same artefact gave to the same items in an earlier run on this machine.
    """

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
    memory_limit: MemoryLimit | None = None
    loads: tuple[AnyLoadResult, ...] = ()
    energy: tuple[EnergyReading, ...] = ()
    no_energy: tuple[str, ...] = ()
    codecarbon: CodecarbonReading | None = None
    evidence: tuple[Evidence, ...] = ()
    absent: tuple[tuple[str, str], ...] = ()
    dependability: Dependability | None = None
    runs_on: tuple[str, ...] = ()
    subset: Subset | None = None
    recalled: int = 0

    def broken(self, window: str) -> bool:
        """Tell whether a window broke a rule: what it holds is kept and not reported."""
        return any(one.window == window and one.broken for one in self.evidence)

    @property
    def answered(self) -> bool:
        """Whether the test items were answered: an invalid window takes nothing from that."""
        return self.outcome in {"ok", "invalid"}

    def measurement(self, quantity: str) -> Measurement | None:
        """Return the measurement of `quantity`, or None where it was not measured."""
        return next((m for m in self.measurements if m.quantity == quantity), None)

    def score(self, metric: str | None = None) -> Score | None:
        """Return the score in `metric` (default: the task's own)."""
        wanted = metric or self.metric
        return next((s for s in self.scores if s.metric == wanted), None)


class TunedSetting(Recorded, frozen=True, kw_only=True):
    """A kernel setting, by its file below the root, that was changed for measuring."""

    path: str
    original: str
    value: str


class RunFile(Recorded, frozen=True, kw_only=True):
    """One run on one device: what `results/` keeps. `tuned` is what `steelyard tune` had set."""

    schema: int
    tool_version: str
    run: str
    suite: str
    device: str
    started: str
    host: Host
    records: tuple[Record, ...]
    commit: str | None = None
    tuned: tuple[TunedSetting, ...] = ()
