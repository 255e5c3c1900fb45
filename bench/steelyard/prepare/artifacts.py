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
from steelyard.card import ModelCard, Stage, Variant
from steelyard.catalog import Found
from steelyard.prepare import builder
from steelyard.prepare.cache import Cache, folder_sha256
from steelyard.prepare.fetch import fetch
from steelyard.progress import Progress
from steelyard.record import ArtifactRef

KIND = "artifacts"
REPORT = "build.json"
# What a bundle brings along: which artefact came of which inputs, so that no stage need be there.
LINEAGES = "lineages"
NAMED = "artifact"


class Artifact(Struct, frozen=True, kw_only=True):
    """A built artefact. `folds` has one folder a fold where the recipe trains, else one in all."""

    path: Path
    folds: tuple[Path, ...]
    ref: ArtifactRef


class Workshop(Struct, frozen=True, kw_only=True):
    """What building needs besides the card. `arrays` is the folder of the task's, if any.

    With `inherit`, an artefact that a bundle brought for the same inputs is taken as it is,
    whatever tools are here.
    """

    cache: Cache
    progress: Progress
    threads: int
    offline: bool = False
    arrays: Path | None = None
    inherit: bool = False


def artifact(
    found: Found[ModelCard], variant: Variant, training: TrainingSet | None, workshop: Workshop
) -> Artifact:
    """Return the variant's artefact, building it and the stages under it where needed.

    Raises Refusal, SourceError or PrepareError.
    """
    folder = _inherited(found, variant, training, workshop)
    folder = folder or _made(found, variant, training, workshop)
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


def lineage(found: Found[ModelCard], step: Stage | Variant, training: TrainingSet | None) -> str:
    """Hash all inputs of an artefact, those of the stages below it included; nothing is built."""
    located = plugins.locate("recipes", step.recipe)
    recipe = plugins.instantiate(located)
    below = next((stage for stage in found.card.stages if stage.id == step.base), None)
    order = _Order(
        found=found,
        step=step,
        recipe=located,
        version=recipe.version,
        training=training if recipe.trains else None,
        base=Path(lineage(found, below, training)) if below else None,
    )
    return order.inputs()


def _inherited(
    found: Found[ModelCard], variant: Variant, training: TrainingSet | None, workshop: Workshop
) -> Path | None:
    """Return the artefact that a bundle brought for these inputs, or None."""
    if not workshop.inherit:
        return None
    entry = workshop.cache.entry(LINEAGES, lineage(found, variant, training))
    if entry is None:
        return None
    return workshop.cache.entry(KIND, (entry / NAMED).read_text(encoding="ascii"))


class _Order(Struct, frozen=True, kw_only=True):
    """One recipe to run: all that its artefact depends on but the tools' versions."""

    found: Found[ModelCard]
    step: Stage | Variant
    recipe: str
    version: int
    training: TrainingSet | None
    base: Path | None

    def inputs(self) -> str:
        """Return the first half of the cache key."""
        files = sorted((file.name, file.sha256) for file in self.found.card.files)
        base = self.base.name if self.base else None
        facts = [self.recipe, self.version, self.step.options, files, base, self.training]
        return _digest(facts)[:32]


def _made(
    found: Found[ModelCard],
    step: Stage | Variant,
    training: TrainingSet | None,
    workshop: Workshop,
) -> Path:
    located = plugins.locate("recipes", step.recipe)
    recipe = plugins.instantiate(located)
    order = _Order(
        found=found,
        step=step,
        recipe=located,
        version=recipe.version,
        training=training if recipe.trains else None,
        base=_base(found, step, training, workshop),
    )
    inputs = order.inputs()
    key = f"{inputs}-{_digest(_versions(recipe.tools))[:16]}"
    done = workshop.cache.entry(KIND, key) or _carried(workshop.cache, inputs, recipe.tools)
    if done is not None:
        return done
    files = fetch(
        found.card.files,
        found.folder,
        workshop.cache,
        workshop.progress,
        offline=workshop.offline,
    )
    with workshop.cache.exclusive(KIND, key):
        # Another process may have built it while this one waited.
        return workshop.cache.entry(KIND, key) or _build(order, files, key, workshop)


def _build(order: _Order, files: dict[str, Path], key: str, workshop: Workshop) -> Path:
    task = f" for {order.training.task}" if order.training else ""
    workshop.progress.say(f"building {order.found.card.id} {order.step.id}{task}")
    request = BuildRequest(
        files=files,
        options=order.step.options,
        threads=workshop.threads,
        base=order.base,
        training=order.training,
        arrays=workshop.arrays if order.training else None,
    )
    with workshop.cache.build(KIND, key) as out:
        report = builder.build(builder.BuildJob(recipe=order.recipe, request=request, out=out))
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
