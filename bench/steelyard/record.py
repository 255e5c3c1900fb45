"""What a run leaves behind: cells, measurements, records."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field, structs

from steelyard.api import Score
from steelyard.errors import PackingError
from steelyard.loads import AnyLoadResult
from steelyard.stats import unpack

# 2: raw samples are packed; evidence, energy, load shapes and memory limits; dependability, which
# only the files of suites that ask for it name: it came before a release, so it is no schema 3.
SCHEMA = 2

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


class Subset(Recorded, frozen=True, kw_only=True):
    """Which train items a point of a learning curve learned from, in every fold.

    `labels` is how many were drawn, None for all, and `draw` which of several draws. `variant` is
    the card's own: the cell's is named after all three, `fp32-8x0`.
    """

    variant: str
    labels: int | None = None
    draw: int = 0


class ArtifactRef(Recorded, frozen=True, kw_only=True):
    """An artefact by its content: `sha256` is over the sorted list of its files' hashes."""

    sha256: str
    size_bytes: int
    recipe_sha256: str
    parameters: int
    labelled_items: int = 0
    notes: tuple[str, ...] = ()


class Measurement(Recorded, frozen=True, kw_only=True):
    """All values of one quantity, in SI units or counts (`unit` says which).

    In a file, many integers are `packed` (steelyard.stats.pack); once read, `values` has them.
    """

    quantity: str
    unit: str
    method: Method
    scope: Scope
    values: tuple[int | float, ...] = ()
    packed: str | None = None
    resolution: float | None = None
    uncertainty: float | None = None

    def __post_init__(self) -> None:
        """Unpack; raise ValueError where that cannot be done."""
        if self.packed is None:
            return
        if self.values:
            raise ValueError("values are packed or plain, not both")
        try:
            structs.force_setattr(self, "values", unpack(self.packed))
        except PackingError as error:
            raise ValueError(str(error)) from error
        structs.force_setattr(self, "packed", None)


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
    """How the timed window was reached. One of `every` calls in it was timed."""

    calls: int
    seconds: float
    settled: bool
    every: int = 1


class CodecarbonSettings(Recorded, frozen=True, kw_only=True, omit_defaults=False):
    """How codecarbon is run: nothing of it is left to its configuration files.

    `country` is ISO 3166-1 alpha-3 and `region` one that codecarbon has for it; without a country
    there is no emissions figure. `cpu_power_w` replaces the CPU power it would look up by model.
    `interval_s` is between two readings: 15 is its own default, and 0.1 was seen to disturb.
    """

    country: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    region: Annotated[str, Meta(min_length=1)] | None = None
    cpu_power_w: Annotated[float, Meta(gt=0)] | None = None
    interval_s: Annotated[float, Meta(ge=15)] = 15.0
    tracking_mode: Literal["process"] = "process"


class CodecarbonReading(Recorded, frozen=True, kw_only=True):
    """What codecarbon says of one window: set beside our meters, never mixed with them.

    The energy is a model's, unless `cpu_mode` names a counter (`intel_rapl`), which counts the
    whole package in process mode too; GPUs are always counted whole. `absent` has pairs of a field
    and why it is None. `intensity_kg_per_kwh` is codecarbon's for `grid` in `grid_year`, where it
    says the year; `remarks` are its own warnings.
    """

    settings: CodecarbonSettings
    version: str | None = None
    duration_s: float | None = None
    energy_j: float | None = None
    cpu_j: float | None = None
    ram_j: float | None = None
    gpu_j: float | None = None
    emissions_kg: float | None = None
    grid: str | None = None
    grid_year: int | None = None
    intensity_kg_per_kwh: float | None = None
    cpu_mode: str | None = None
    cpu_model: str | None = None
    cpu_power_w: float | None = None
    gpu_model: str | None = None
    absent: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()

    def reason(self, name: str) -> str | None:
        """Return why the field `name` is absent, or None where it is not."""
        return dict(self.absent).get(name)


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


class EnergyReading(Recorded, frozen=True, kw_only=True):
    """What one meter says of a call, in joules; `absent` says why there is no figure.

    `gross_j` is the mean over `windows` of work, with `gross_u_j` its expanded uncertainty
    U = 2u; net of idle power the same, or `no_net` says why not. `watts` is the mean power at
    work. `covers` are the parts of the machine that were counted; `tier` 1 is an external meter, 2
    a sensor on board, 3 a model: figures of different tiers are not ranked against each other.
    """

    meter: str
    tier: Literal[1, 2, 3] | None = None
    absent: str | None = None
    method: Method | None = None
    scope: Scope | None = None
    covers: tuple[str, ...] = ()
    gross_j: float | None = None
    gross_u_j: float | None = None
    net_j: float | None = None
    net_u_j: float | None = None
    no_net: str | None = None
    watts: float | None = None
    idle_watts: float | None = None
    idle_u_watts: float | None = None
    seconds_a_call: float | None = None
    calls: int | None = None
    windows: int | None = None
    updates: int | None = None
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


class MemoryLimit(Recorded, frozen=True, kw_only=True):
    """A budget of memory that was enforced, in bytes, and what was held to it.

    `cgroup`: what the worker and its children occupy, page cache included, without swap.
    `address-space`: what each process maps (RLIMIT_AS), resident or not: code, thread stacks,
    mapped weights and reserved arenas count. `instead_of_cgroup` says why it was no cgroup.
    """

    bytes: int
    kind: Literal["cgroup", "address-space"]
    instead_of_cgroup: str | None = None


class Evidence(Recorded, frozen=True, kw_only=True):
    """What the machine was read to do around one window; None: not told, and named in `untold`.

    Counters run from the last reading before the window to the first after it. Clocks are the
    fastest core's at each reading within. Loads are cores' worth of processor time: `foreign_load`
    by all but the worker and its parent, `stolen_load` by a hypervisor, `watch_load` by reading.
    `throttled` holds words that were live at some reading; `broken` makes the window invalid.
    """

    window: str
    seconds: float
    readings: int
    lowest_temperature_c: float | None = None
    highest_temperature_c: float | None = None
    lowest_clock_hz: int | None = None
    highest_clock_hz: int | None = None
    governor: str | None = None
    throttled: tuple[str, ...] | None = None
    throttle_events: int | None = None
    swapped_pages: int | None = None
    major_faults: int | None = None
    oom_kills: int | None = None
    foreign_load: float | None = None
    stolen_load: float | None = None
    watch_load: float | None = None
    broken: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


class Reworded(Recorded, frozen=True, kw_only=True):
    """What became of answers when the question was put in another of the card's paraphrases.

    `paraphrase` counts from 0, as in PromptChoice. Of the items asked again, `flips` got another
    label than under the chosen prompt, and `correct` the right one.
    """

    paraphrase: int
    flips: int
    correct: int


class Dependability(Recorded, frozen=True, kw_only=True):
    """The same questions again, as counts over `n` of the test items.

    `correct` were right when first asked, in the accuracy pass. `repeats_differ` got another label
    when asked once more the same way, in a fresh process. `flipped` got another label under at
    least one paraphrase; None where the model is asked in no words, and `no_paraphrases` says why.
    Other paraphrases are calibrated anew, by the chosen method, on the items it was chosen on.
    Of all `answers`, first ones included, `outside` named no label of the task; `label_scored` is
    whether the model could only be asked for one of them: then 0 is by construction.
    """

    n: int
    correct: int
    repeats_differ: int
    answers: int
    outside: int
    label_scored: bool
    flipped: int | None = None
    reworded: tuple[Reworded, ...] = ()
    no_paraphrases: str | None = None


class Record(Recorded, frozen=True, kw_only=True):
    """One cell's result. A cell that could not be measured is a record with its reason.

    `no_energy` says why meters could not read the machine, `absent` has pairs of a quantity and why
    it was not measured. `runs_on` is what the session said of itself: library, provider or device.
    With `subset` it is a point of a learning curve, and no rival of other cells.
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


class Prediction(Recorded, frozen=True, kw_only=True):
    """What a model answered to one item; kept beside the run file, not in it."""

    id: str
    expected: str
    answer: str
    scores: tuple[float, ...] | None = None
