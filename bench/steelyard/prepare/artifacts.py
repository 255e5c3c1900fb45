"""Build what a variant runs: an artefact folder in the cache, keyed by all that it depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from steelyard import plugins
from steelyard.api import BuildReport, BuildRequest, TrainingSet
from steelyard.card import ModelCard, Options, Stage, Variant
from steelyard.catalog import Found
from steelyard.prepare import builder
from steelyard.prepare.cache import Cache, folder_sha256
from steelyard.prepare.fetch import fetch
from steelyard.progress import Progress
from steelyard.record import ArtifactRef

KIND = "artifacts"
REPORT = "build.json"


class Artifact(Struct, frozen=True, kw_only=True):
    """A built artefact. `folds` has one folder a fold where the recipe trains, else one in all."""

    path: Path
    folds: tuple[Path, ...]
    ref: ArtifactRef


class Workshop(Struct, frozen=True, kw_only=True):
    """What building needs besides the card."""

    cache: Cache
    progress: Progress
    threads: int
    offline: bool = False


def artifact(
    found: Found[ModelCard], variant: Variant, training: TrainingSet | None, workshop: Workshop
) -> Artifact:
    """Return the variant's artefact, building it and the stages under it where needed.

    Raises Refusal, SourceError or PrepareError.
    """
    folder = _made(found, variant, training, workshop)
    report = msgspec.json.decode((folder / REPORT).read_bytes(), type=BuildReport)
    folds = tuple(sorted(folder.glob("fold-*"), key=lambda p: int(p.name[5:]))) or (folder,)
    digest, _ = folder_sha256(folder)
    _, size_bytes = folder_sha256(folds[0])
    return Artifact(
        path=folder,
        folds=folds,
        ref=ArtifactRef(
            sha256=digest,
            size_bytes=size_bytes,
            recipe_sha256=folder.name,
            parameters=found.card.parameters or report.parameters,
            labelled_items=report.labelled_items,
            notes=report.notes,
        ),
    )


def _made(
    found: Found[ModelCard],
    step: Stage | Variant,
    training: TrainingSet | None,
    workshop: Workshop,
) -> Path:
    base = _base(found, step, training, workshop)
    located = plugins.locate("recipes", step.recipe)
    recipe = plugins.instantiate(located)
    lesson = training if recipe.trains else None
    inputs = _inputs(found, located, recipe.version, step.options, lesson, base)
    key = f"{inputs}-{_digest(_versions(recipe.tools))[:16]}"
    done = workshop.cache.entry(KIND, key) or _carried(workshop.cache, inputs, recipe.tools)
    if done is not None:
        return done
    request = BuildRequest(
        files=fetch(
            found.card.files,
            found.folder,
            workshop.cache,
            workshop.progress,
            offline=workshop.offline,
        ),
        options=step.options,
        threads=workshop.threads,
        base=base,
        training=lesson,
    )
    with workshop.cache.exclusive(KIND, key):
        # Another process may have built it while this one waited.
        done = workshop.cache.entry(KIND, key)
        return done or _build(found, step, located, request, key, workshop)


def _build(  # noqa: PLR0913 - one step of _made, which knows these already
    found: Found[ModelCard],
    step: Stage | Variant,
    located: str,
    request: BuildRequest,
    key: str,
    workshop: Workshop,
) -> Path:
    task = f" for {request.training.task}" if request.training else ""
    workshop.progress.say(f"building {found.card.id} {step.id}{task}")
    with workshop.cache.build(KIND, key) as out:
        report = builder.build(builder.BuildJob(recipe=located, request=request, out=out))
        (out / REPORT).write_bytes(msgspec.json.encode(report, order="sorted"))
    entry = workshop.cache.entry(KIND, key)
    assert entry is not None, "a build that ended cleanly is in the cache"  # noqa: S101
    return entry


def _base(
    found: Found[ModelCard],
    step: Stage | Variant,
    training: TrainingSet | None,
    workshop: Workshop,
) -> Path | None:
    if step.base is None:
        return None
    stage = next(stage for stage in found.card.stages if stage.id == step.base)
    return _made(found, stage, training, workshop)


def _inputs(  # noqa: PLR0913 - all that an artefact depends on, named once
    found: Found[ModelCard],
    located: str,
    recipe_version: int,
    options: Options,
    training: TrainingSet | None,
    base: Path | None,
) -> str:
    """Return the first half of the cache key: everything but the tools' versions."""
    files = sorted((file.name, file.sha256) for file in found.card.files)
    facts = [located, recipe_version, options, files, base.name if base else None]
    return _digest([*facts, training])[:32]


def _carried(cache: Cache, inputs: str, tools: Sequence[str]) -> Path | None:
    """Return an artefact built elsewhere from the same inputs, where the tools are not here.

    A board has no torch: it runs what a workstation built and copied into its cache.
    """
    if all(_versions(tools).values()):
        return None
    carried = sorted((cache.root / KIND).glob(f"{inputs}-*"))
    return next((entry for p in carried if (entry := cache.entry(KIND, p.name))), None)


def _versions(tools: Sequence[str]) -> dict[str, str | None]:
    return {tool: _version(tool) for tool in tools}


def _version(tool: str) -> str | None:
    try:
        return version(tool)
    except PackageNotFoundError:
        return None


def _digest(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
