"""Which models are weighed on a person's own data, and how long each may take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from steelyard import plugins
from steelyard.api import BuildRequest, Label, TrainingSet
from steelyard.card import ModelCard, Stage, Variant
from steelyard.catalog import Catalog, Found
from steelyard.errors import OptionError, Refusal, SourceError, UnknownNameError
from steelyard.prepare.cache import Cache
from steelyard.prepare.fetch import fetch
from steelyard.progress import Progress

BASELINES = ("majority",)
# Of each model the first variant that can be built here.
SPECIALISTS = (("tfidf-linear@fp32",), ("minilm-head@int8", "minilm-head@int8-ready"))
GENERALIST_VARIANT = "int8"
# An encoder takes up to 60 ms for a long text: a minute for so many.
MOST_ENCODED = 1_000


class Models(Struct, frozen=True, kw_only=True):
    """Names as a suite has them; `absent` says why a model that would have been weighed is not."""

    light: tuple[str, ...]
    encoders: tuple[str, ...]
    generalist: str | None = None
    absent: tuple[str, ...] = ()


def models(found: Catalog, generalist: str | None) -> Models:
    """Return the models that can be made here; raise Refusal where no specialist can."""
    chosen, absent = [], []
    for alternatives in SPECIALISTS:
        reasons = [(name, refusal(found, name)) for name in alternatives]
        possible = next((name for name, reason in reasons if reason is None), None)
        if possible is not None:
            chosen.append(possible)
        else:
            absent.append(f"{reasons[0][0]} left out: {reasons[0][1]}")
    if not chosen:
        raise Refusal(f"no specialist can be trained here\n{absent[0]}")
    light = tuple(name for name in chosen if not name.startswith("minilm"))
    return Models(
        light=(*BASELINES, *light),
        encoders=tuple(name for name in chosen if name not in light),
        generalist=_generalist(found, generalist),
        absent=tuple(absent),
    )


def fetched(
    found: Catalog, models: Models, cache: Cache, progress: Progress, *, offline: bool
) -> Models:
    """Return the models without the encoders whose weights cannot be had."""
    kept, absent = [], list(models.absent)
    for name in models.encoders:
        entry = found.model(name.partition("@")[0])
        try:
            fetch(entry.card.files, entry.folder, cache, progress, offline=offline)
        except SourceError as error:
            absent.append(f"{name} left out: {_in_one_line(error)}")
        else:
            kept.append(name)
    return Models(
        light=models.light,
        encoders=tuple(kept),
        generalist=models.generalist,
        absent=tuple(absent),
    )


def _in_one_line(error: SourceError) -> str:
    """Return the first line and the last, without what every source said."""
    what, *more = str(error).splitlines()
    return f"{what} ({more[-1].removeprefix('try: ')})" if more else what


def refusal(found: Catalog, name: str) -> str | None:
    """Say why a variant cannot be built here, before anything is fetched, or return None."""
    model, _, variant = name.partition("@")
    entry, wanted = found.model(model), found.variant(model, variant)
    for step in _steps(entry.card, wanted):
        reason: str | None = plugins.load("recipes", step.recipe).refuse(_request(entry, step))
        if reason is not None:
            return reason
    return None


def suite_text(name: str, models: Models, tested: int, asked: int) -> str:
    """Return the suite: short windows, and samples where a model takes long for an item."""
    entries = [_entry(models.light, "cpu-1t")]
    if models.encoders:
        sample = f"sample = {MOST_ENCODED}\n" if tested > MOST_ENCODED else ""
        entries.append(_entry(models.encoders, "cpu-1t", sample))
    if models.generalist is not None:
        slow = (
            f"sample = {asked}\nprompt_items = 16\n"
            "timing = { max_seconds = 30.0, warm_up_max_seconds = 10.0, memory_calls = 5 }\n"
        )
        entries.append(_entry((models.generalist,), "cpu-all", slow))
    head = f'# Written by steelyard weigh.\nschema = 1\nname = "{name}"\ntasks = ["{name}"]\n'
    metering = "\n[metering]\nwindows = 1\nwindow_seconds = 5.0\nidle_seconds = 2.0\n"
    return head + metering + "".join(entries)


def _entry(names: Sequence[str], device: str, more: str = "") -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    return f'\n[[entries]]\nmodels = [{listed}]\ndevice = "{device}"\n{more}'


def _generalist(found: Catalog, name: str | None) -> str | None:
    """Return the variant to weigh against; raise UnknownNameError for what is no generalist."""
    if name is None:
        return None
    model, at, variant = name.partition("@")
    card = found.model(model).card
    if card.role != "generalist":
        names = sorted(x for x, entry in found.models.items() if entry.card.role == "generalist")
        raise UnknownNameError(
            f"--generalist: {model} is a {card.role}; there is {', '.join(names)}"
        )
    chosen = found.variant(model, variant if at else GENERALIST_VARIANT)
    if chosen.shots:
        raise OptionError(
            f"--generalist: {name} has examples in its prompt, which the records keep: your texts "
            f"would be in them; choose {model}@{GENERALIST_VARIANT}"
        )
    return f"{model}@{chosen.id}"


def _steps(card: ModelCard, variant: Variant) -> list[Stage | Variant]:
    """Return the stages under a variant, and the variant."""
    stages = {stage.id: stage for stage in card.stages}
    steps: list[Stage | Variant] = [variant]
    while (base := steps[0].base) is not None:
        steps.insert(0, stages[base])
    return steps


def _request(entry: Found[ModelCard], step: Stage | Variant) -> BuildRequest:
    """Return a request of the right shape, with nothing in it: only packages are in question."""
    labels = (Label(id="a", words="a"), Label(id="b", words="b"))
    return BuildRequest(
        files={file.name: Path(file.name) for file in entry.card.files},
        options=step.options,
        threads=1,
        base=Path() if step.base else None,
        training=TrainingSet(task="own", labels=labels, folds=1, items=()),
    )
