"""What authors of plugins import: the Protocols and the values that pass through them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from msgspec import Struct

from steelyard.card import File, Label, Option

__all__ = [
    "Answer",
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
    "Trace",
    "TrainingSet",
    "WeighingScorer",
]

MeterMethod = Literal["counter", "sampled", "modelled"]
MeterScope = Literal["process", "package", "board", "wall"]
# What a meter's figure holds; "board" holds all the others.
Covered = Literal["cpu", "dram", "gpu", "board"]
ChannelRole = Literal["counted", "shown", "low", "high"]


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item of a task.

    `fold` is the fold whose *test* part holds the item; None: the item only ever trains.
    A task with an official split has one fold, 0. Items that share `group` stay together.
    """

    id: str
    text: str
    label: str
    group: str | None = None
    fold: int | None = None


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a model said: a label id and, where it has them, a score a label in the task's order."""

    label: str
    scores: tuple[float, ...] | None = None


class RenderedPrompt(Struct, frozen=True, kw_only=True):
    """A prompt ready for a worker: `prefix` + text + `suffix`, then one of `answers` is scored.

    `normalisation` says how a label's token log-likelihoods become one score ("sum" or "mean");
    `priors` (one a label, empty for none) are subtracted from it.
    """

    prefix: str
    suffix: str
    answers: tuple[str, ...]
    max_chars: int
    normalisation: str = "sum"
    priors: tuple[float, ...] = ()


class SessionSpec(Struct, frozen=True, kw_only=True):
    """All that a backend needs to open a session. Paths are strings so that it travels as JSON.

    `device` is "cpu", or "cuda" where the plan asks for a GPU: then nothing else will do.
    """

    artifact: str
    session: str
    threads: int
    labels: tuple[Label, ...]
    options: dict[str, Option]
    prompt: RenderedPrompt | None = None
    device: str = "cpu"


class Session(Protocol):
    """An opened model. The three phases are timed apart.

    `encode` turns a text into inputs; `infer` runs the model and returns only when the answer is
    on the host; `decode` turns outputs into an `Answer`. Inputs and outputs are the session's own
    business.
    """

    def encode(self, text: str) -> Any: ...

    def infer(self, inputs: Any) -> Any: ...

    def decode(self, outputs: Any) -> Answer: ...

    def close(self) -> None: ...


class LabelSession(Session, Protocol):
    """A session that scores whole labels by log-likelihood."""

    def label_log_likelihoods(self, text: str) -> tuple[float, ...]:
        """Return the summed token log-likelihood of every label, without priors."""
        ...

    def label_lengths(self) -> tuple[int, ...]:
        """Return how many tokens each label's score is summed over."""
        ...


@runtime_checkable
class BatchSession(Session, Protocol):
    """A session that also answers several texts in one call; what the load shape `offline` needs.

    Where the runtime takes one text only, `infer_batch` may call it for one after the other.
    """

    def encode_batch(self, texts: Sequence[str]) -> Any: ...

    def infer_batch(self, inputs: Any) -> Any: ...

    def decode_batch(self, outputs: Any) -> list[Answer]: ...


@runtime_checkable
class DescribedSession(Session, Protocol):
    """A session that says what it really runs on; it is kept in the record."""

    def describe(self) -> tuple[str, ...]:
        """Name library, device and number format, each with its version where it has one."""
        ...


class PromptTokens(Struct, frozen=True, kw_only=True):
    """How long a prompt is, and how much of it was run before any text came."""

    total: int
    cached: int


@runtime_checkable
class GeneratorSession(Session, Protocol):
    """A session that writes freely; what the load shape `generate` needs."""

    def prompt_tokens(self, text: str) -> PromptTokens:
        """Return the size of the prompt that `generate` runs for a text."""
        ...

    def generate(self, text: str, max_new_tokens: int) -> Iterator[int]:
        """Yield tokens as each is known on the host, greedily, the end-of-turn token as the last.

        Work starts when the first is asked for.
        """
        ...


class Backend(Protocol):
    """A runtime. Constructed without arguments; importing its module must be cheap."""

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say why this machine cannot open it and what to do, or return None."""
        ...

    def open(self, spec: SessionSpec) -> Session:
        """Load the artefact and return a session."""
        ...


@runtime_checkable
class ImportingBackend(Backend, Protocol):
    """A backend that can load its libraries before it opens anything, so that both are timed."""

    def import_runtime(self, spec: SessionSpec) -> None:
        """Import what `open` needs."""
        ...


@runtime_checkable
class DeviceBackend(Backend, Protocol):
    """A backend that runs elsewhere than on the CPU; without `devices` that is all it does."""

    devices: tuple[str, ...]


class TrainingSet(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task as a recipe sees it. Fold k trains on the items whose `fold` is not k.

    With `chosen`, ids a fold, it trains on these alone: a point of a learning curve. Recipes ask
    `train_items`, which knows.
    """

    task: str
    labels: tuple[Label, ...]
    folds: int
    items: tuple[Item, ...]
    chosen: tuple[tuple[str, ...], ...] = ()

    def train_items(self, fold: int) -> tuple[Item, ...]:
        """Return the items that may train the model tested on `fold`."""
        if self.chosen:
            names = frozenset(self.chosen[fold])
            return tuple(item for item in self.items if item.id in names)
        if self.folds == 1:
            return tuple(item for item in self.items if item.fold is None)
        return tuple(item for item in self.items if item.fold != fold)


class BuildRequest(Struct, frozen=True, kw_only=True):
    """What a recipe starts from. `files` maps a card's file names to verified paths."""

    files: Mapping[str, Path]
    options: Mapping[str, Option]
    threads: int
    base: Path | None = None
    training: TrainingSet | None = None


class BuildReport(Struct, frozen=True, kw_only=True):
    """What a recipe says of what it made. `labelled_items` counts the labels it learned from."""

    parameters: int
    labelled_items: int = 0
    notes: tuple[str, ...] = ()


class Recipe(Protocol):
    """Makes an artefact: a folder. The same request and tools give the same bytes.

    `version` changes whenever the output could. `trains` says that the artefact depends on the
    task: the request then has `training`, and the recipe writes one folder a fold, `fold-0`,
    `fold-1`, ..., each complete in itself. Otherwise it writes straight into `out`.
    `tools` names the distributions whose versions belong to the cache key.
    """

    version: int
    trains: bool
    tools: tuple[str, ...]

    def refuse(self, request: BuildRequest) -> str | None:
        """Say, before any slow step, why this machine cannot build it and what to do."""
        ...

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write the artefact into the existing empty folder `out`."""
        ...


class Reader(Protocol):
    """Turns files into items.

    `paths` maps a card's file names to a file, or to a folder for a `File` with `extract`.
    With an official split the reader sets `fold` (None: train, 0: test); else it leaves None.
    """

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]: ...


class Score(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A metric with its 95 % interval. `low` and `high` are absent where there is none."""

    metric: str
    value: float
    n: int
    low: float | None = None
    high: float | None = None
    method: str | None = None


class Scorer(Protocol):
    """Scores answers. Returns the task's metric first, then what else it knows."""

    def score(
        self,
        answers: Sequence[Answer],
        expected: Sequence[str],
        labels: Sequence[Label],
        options: Mapping[str, Option],
    ) -> list[Score]: ...


@runtime_checkable
class WeighingScorer(Scorer, Protocol):
    """A scorer that also scores many draws of the same items; what a paired bootstrap needs."""

    def weighted(
        self,
        answers: Sequence[Answer],
        expected: Sequence[str],
        labels: Sequence[Label],
        options: Mapping[str, Option],
    ) -> Callable[[Any], Any]:
        """Return a function of counts (numpy integers, a row a draw, a column an item).

        It returns the task's metric of each row (numpy floats), nan where it is not defined.
        """
        ...


class Channel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one sensor said over time.

    `unit` "W" is power as it was read; "J" is energy since the first reading, unwrapped and never
    falling. `times_ns` are CLOCK_MONOTONIC and rise strictly. Counted channels are added up; a
    shown one is part of a counted one or overlaps it; "low" and "high" bound a modelled energy.
    `resolution` is the sensor's smallest step in `unit`, absent where it is not known.
    """

    name: str
    unit: Literal["W", "J"]
    times_ns: tuple[int, ...]
    values: tuple[float, ...]
    role: ChannelRole = "counted"
    resolution: float | None = None


class Trace(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a meter recorded between start and stop.

    `gain_uncertainty` is the standard (one sigma) uncertainty of a reading as a fraction of it.
    `update_interval_s` is how often a new value can be seen, the slower of sensor and reading
    loop; where it is None only changes of the value tell. `faults` name what went wrong on the
    way: a trace may end early, and then says why.
    """

    meter: str
    method: MeterMethod
    scope: MeterScope
    covers: tuple[Covered, ...]
    channels: tuple[Channel, ...]
    gain_uncertainty: float
    update_interval_s: float | None = None
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


class Meter(Protocol):
    """Records power or energy while others work.

    Constructed with a `steelyard.host.machine.Machine`; importing its module and constructing it
    are cheap and read nothing. It reads on a thread or in a process of its own and blocks between
    readings. The first reading is taken before `start` returns and the last after `stop` is
    called, so that the time between lies inside the trace.
    """

    name: str

    def refuse(self) -> str | None:
        """Say why this machine cannot be read and what to do, or return None."""
        ...

    def start(self) -> None:
        """Begin to record. A sensor that fails is told in the trace, not raised here."""
        ...

    def stop(self) -> Trace:
        """End the recording; raise MeterError if it was never started."""
        ...
