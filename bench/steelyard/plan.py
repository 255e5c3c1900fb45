"""Task x model x device -> cells, each refusal with its reason."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, structs

from steelyard import __version__, devices, limits, subsets
from steelyard.card import (
    AskAgain,
    Declaration,
    Load,
    Metering,
    ModelCard,
    Name,
    TaskCard,
    Text,
    Timing,
    Variant,
)
from steelyard.catalog import Catalog, Found, decode
from steelyard.errors import CardError, Refusal, UnknownNameError
from steelyard.record import Cell, CodecarbonSettings, MemoryLimit, Subset
from steelyard.units_in import SizeError, parse_size

SHIPPED = Path(__file__).parent / "suites"


class Entry(Declaration, frozen=True, kw_only=True):
    """Models on a device. `sample`: how many stratified test items are asked; absent: all.

    `balanced` draws the sample with equally many items a label instead of by frequency.
    `prompt_items` train items decide between a generalist's prompts. `memory_limit`, written as
    `512MB`, is the budget that every worker is held to. `loads` are measured beside single calls.
    `dependability` asks some items again; without it nobody is asked twice. `labels` makes learning
    curves: each model learns from so many labelled items, in so many `draws`, and only its accuracy
    is measured.
    """

    models: Annotated[tuple[Text, ...], Meta(min_length=1)]
    device: Text
    tasks: tuple[Text, ...] = ()
    sample: Annotated[int, Meta(ge=1)] | None = None
    balanced: bool = False
    prompt_items: Annotated[int, Meta(ge=1)] = 32
    timing: Timing | None = None
    memory_limit: Text | None = None
    loads: tuple[Load, ...] = ()
    dependability: AskAgain | None = None
    labels: tuple[subsets.Size, ...] = ()
    draws: Annotated[int, Meta(ge=1, le=100)] = 1


class Suite(Declaration, frozen=True, kw_only=True):
    """What a bench.toml says. With a table [codecarbon] it runs beside our meters."""

    schema: int
    name: Name
    tasks: Annotated[tuple[Text, ...], Meta(min_length=1)]
    entries: Annotated[tuple[Entry, ...], Meta(min_length=1)]
    timing: Timing = Timing()
    metering: Metering = Metering()
    codecarbon: CodecarbonSettings | None = None
    seed: int = 0
    cell_timeout_s: Annotated[float, Meta(gt=0)] = 7200.0


class PlannedCell(Struct, frozen=True, kw_only=True):
    """A cell with all that running it needs. With `refusal` it will not run, for that reason."""

    cell: Cell
    task: Found[TaskCard]
    model: Found[ModelCard]
    variant: Variant
    threads: int
    build_threads: int
    timing: Timing
    seed: int
    timeout_s: float
    sample: int | None = None
    balanced: bool = False
    prompt_items: int = 32
    limit: MemoryLimit | None = None
    metering: Metering = Metering()
    codecarbon: CodecarbonSettings | None = None
    loads: tuple[Load, ...] = ()
    dependability: AskAgain | None = None
    subset: Subset | None = None
    refusal: str | None = None

    @property
    def processor(self) -> devices.Processor:
        """What runs the model."""
        return devices.processor(self.cell.device)

    @property
    def prompted(self) -> bool:
        """Whether the model is asked in words."""
        model = self.model.card
        takes_words = model.role == "generalist" and "text" in model.modalities
        return takes_words and self.task.card.prompt is not None


def load_suite(path: Path | None = None, *, quick: bool = False) -> Suite:
    """Read a suite file; without one, the shipped default (or quick) suite.

    Raises CardError for a malformed file, UnknownNameError for one that is not there.
    """
    if path is None:
        path = SHIPPED / ("quick.toml" if quick else "default.toml")
        quick = False
    elif not path.exists() and path.suffix == "" and (SHIPPED / f"{path}.toml").is_file():
        path = SHIPPED / f"{path}.toml"
    try:
        data = path.read_bytes()
    except OSError as error:
        shipped = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.toml")))
        raise UnknownNameError(
            f"{path}: {error.strerror}; expected a suite file or one of: {shipped}"
        ) from error
    suite = decode(data, Suite, str(path))
    _check(suite, str(path))
    return _quickened(suite) if quick else suite


def limited(suite: Suite, memory_limit: str) -> Suite:
    """Return the suite with every entry held to a budget of memory; raise SizeError for none."""
    parse_size(memory_limit)
    entries = tuple(structs.replace(entry, memory_limit=memory_limit) for entry in suite.entries)
    return structs.replace(suite, entries=entries)


def cells(suite: Suite, catalog: Catalog, cores: int) -> tuple[PlannedCell, ...]:
    """Return the suite's cells in the order in which they run: entry by entry, task by task.

    A suite lists its cheap entries first, so that a stopped run has something of every task.
    Raises UnknownNameError for a task, model or variant that no card names.
    """
    planned: dict[str, PlannedCell] = {}
    for entry in suite.entries:
        for task in entry.tasks or suite.tasks:
            for pair in _variants(entry, catalog):
                cell = _plan(suite, entry, catalog.task(task), pair, cores)
                for one in _points(cell, entry) if _serves(cell) else ():
                    planned.setdefault(one.cell.id, one)
    return tuple(planned.values())


def select(planned: tuple[PlannedCell, ...], patterns: tuple[str, ...]) -> tuple[PlannedCell, ...]:
    """Keep cells whose id contains one of `patterns`; raise UnknownNameError if none is left."""
    kept = tuple(c for c in planned if not patterns or any(p in c.cell.id for p in patterns))
    if not kept:
        ids = ", ".join(c.cell.id for c in planned[:3])
        raise UnknownNameError(
            f"nothing selected by {', '.join(map(repr, patterns)) or 'this suite'}; "
            f"cells read like: {ids or 'none'} (steelyard list cells shows all)"
        )
    return kept


def fingerprint(planned: tuple[PlannedCell, ...]) -> str:
    """Return the sha256 of what decides the results, to tell whether a resume fits."""
    facts = [
        (c.cell.id, c.task.sha256, c.model.sha256, c.threads, c.sample, c.balanced, c.seed)
        for c in planned
    ]
    timing = [
        (
            c.cell.id,
            c.prompt_items,
            msgspec.to_builtins(
                (c.timing, c.limit, c.loads, c.metering, c.codecarbon, c.dependability)
            ),
        )
        for c in planned
    ]
    return hashlib.sha256(msgspec.json.encode([__version__, facts, timing])).hexdigest()


def _plan(
    suite: Suite,
    entry: Entry,
    task: Found[TaskCard],
    pair: tuple[Found[ModelCard], Variant],
    cores: int,
) -> PlannedCell:
    model, variant = pair
    threads, refusal = devices.threads(entry.device, cores)
    device = f"cpu-{threads}t"
    if entry.device == devices.CUDA:
        device, refusal = entry.device, devices.no_cuda(variant)
    limit: MemoryLimit | None = None
    if entry.memory_limit is not None:
        budget = parse_size(entry.memory_limit)
        # Named so even where it is refused: it is not the cell without a limit.
        device = limits.constrained(device, MemoryLimit(bytes=budget, kind="cgroup"))
        try:
            limit = limits.choose(budget)
        except Refusal as no_limit:
            refusal = str(no_limit)
    return PlannedCell(
        cell=Cell(task=task.card.id, model=model.card.id, variant=variant.id, device=device),
        task=task,
        model=model,
        variant=variant,
        threads=threads,
        build_threads=cores,
        timing=entry.timing or suite.timing,
        seed=suite.seed,
        timeout_s=suite.cell_timeout_s,
        sample=entry.sample,
        balanced=entry.balanced,
        prompt_items=entry.prompt_items,
        limit=limit,
        metering=suite.metering,
        codecarbon=suite.codecarbon,
        loads=entry.loads,
        dependability=entry.dependability,
        refusal=model.card.refusal or refusal or _unaskable(task.card, model.card),
    )


def _unaskable(task: TaskCard, model: ModelCard) -> str | None:
    """Say that a task has no prompt for a model that is asked in words, or return None."""
    if task.prompt is not None or model.role != "generalist" or "text" not in model.modalities:
        return None
    return f"task {task.id} has no prompt: its card says why it is not asked in words"


def _points(planned: PlannedCell, entry: Entry) -> tuple[PlannedCell, ...]:
    """Return the cell or, where the entry names numbers of labels, its learning curve's points."""
    if not entry.labels:
        return (planned,)
    asked = subsets.asked(planned.variant.id, entry.labels, entry.draws)
    return tuple(_point(planned, subset) for subset in asked)


def _point(planned: PlannedCell, subset: Subset) -> PlannedCell:
    task, variant = planned.task.card, subsets.named(planned.variant, subset)
    refused = subsets.refusal(variant, subset, task.id, len(task.labels))
    return structs.replace(
        planned,
        cell=structs.replace(planned.cell, variant=variant.id),
        variant=variant,
        subset=subset,
        refusal=planned.refusal or refused,
    )


def _variants(entry: Entry, catalog: Catalog) -> list[tuple[Found[ModelCard], Variant]]:
    """Expand `model` to all its variants and `model@variant` to that one."""
    pairs: list[tuple[Found[ModelCard], Variant]] = []
    for name in entry.models:
        model_id, at, variant_id = name.partition("@")
        model = catalog.model(model_id)
        if at:
            pairs.append((model, catalog.variant(model_id, variant_id)))
        else:
            pairs += [(model, variant) for variant in model.card.variants]
    return pairs


def _serves(planned: PlannedCell) -> bool:
    """Tell whether the model's card has the variant for the task: by its name, or by its kind."""
    model, task, own = planned.model.card, planned.task.card, planned.variant.answers
    if own and task.answers not in own:
        return False
    fits = task.modality in model.modalities and task.answers in (own or model.answers)
    return task.id in model.tasks or ("*" in model.tasks and fits)


def _check(suite: Suite, where: str) -> None:
    for index, entry in enumerate(suite.entries):
        if entry.memory_limit is not None:
            _check_size(entry.memory_limit, f"{where}.entries[{index}].memory_limit")
        _check_curve(entry, f"{where}.entries[{index}]")
        devices.check(entry.device, f"{where}.entries[{index}].device")


def _check_curve(entry: Entry, where: str) -> None:
    if entry.draws > 1 and not entry.labels:
        raise CardError(f"{where}.draws: expected labels beside it, such as labels = [8, 32]")
    if entry.labels and (entry.loads or entry.timing or entry.dependability):
        raise CardError(
            f"{where}.labels: of a learning curve only accuracy is measured; put loads, timing and "
            "dependability into an entry of their own"
        )


def _check_size(text: str, where: str) -> None:
    try:
        parse_size(text)
    except SizeError as error:
        raise CardError(f"{where}: {error}") from error


def _quickened(suite: Suite) -> Suite:
    """Shorten a suite: at most 40 sampled items, short windows, no load shapes, nothing twice."""
    timing = structs.replace(suite.timing, min_calls=100, min_seconds=1.0, max_seconds=10.0)
    entries = tuple(
        structs.replace(
            entry,
            sample=min(entry.sample, 40) if entry.sample else None,
            timing=None,
            loads=(),
            dependability=None,
        )
        for entry in suite.entries
    )
    metering = Metering(windows=1, window_seconds=5.0, idle_seconds=2.0)
    return structs.replace(suite, timing=timing, metering=metering, entries=entries)
