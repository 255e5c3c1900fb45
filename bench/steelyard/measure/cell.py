"""One cell: prepare, then a fresh worker a pass; whatever happens ends as a record."""

from __future__ import annotations

import time
from datetime import datetime, timezone

from msgspec import Struct, structs

from steelyard import plugins, prompting
from steelyard.choosing import choose_prompt
from steelyard.errors import Refusal, SteelyardError
from steelyard.measure.accuracy import accuracy, draw
from steelyard.measure.dependability import dependability
from steelyard.measure.energy import energy
from steelyard.measure.findings import Findings
from steelyard.measure.latency import latency
from steelyard.measure.loads import loads
from steelyard.measure.memory import memory
from steelyard.measure.work import Bench, Work
from steelyard.passes import Passes
from steelyard.plan import PlannedCell
from steelyard.prepare import artifacts, data, drawing, items
from steelyard.prepare.artifacts import Artifact, Workshop
from steelyard.record import Outcome, Prediction, Record
from steelyard.spawn import PassFailed
from steelyard.subsets import ACCURACY_ONLY


class Result(Struct, frozen=True, kw_only=True):
    """A cell's record, not yet naming its predictions, and the predictions."""

    record: Record
    predictions: tuple[Prediction, ...] = ()


def measure_cell(planned: PlannedCell, bench: Bench) -> Result:
    """Measure one cell. A fault becomes the record's outcome; only an interrupt is raised."""
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    clock = time.monotonic()
    found = Findings(planned)
    outcome: Outcome = "ok"
    reason: str | None = None
    try:
        _measure(found, bench)
    except PassFailed as failure:
        outcome, reason = failure.outcome, failure.reason
    except Refusal as refusal:
        outcome, reason = "refused", str(refusal)
    except SteelyardError as error:
        outcome, reason = "failed", str(error)
    if found.invalid and outcome != "invalid":
        found.warn(f"and no valid window: {'; '.join(found.invalid)}")
    record = found.record(outcome, reason, started, time.monotonic() - clock)
    return Result(record=record, predictions=found.predictions)


def prepare_cell(planned: PlannedCell, bench: Bench) -> Artifact:
    """Fetch and build all that a cell needs, without running it."""
    if planned.refusal is not None:
        raise Refusal(planned.refusal)
    dataset = items.load(planned.task, bench.cache, bench.progress, offline=bench.offline)
    workshop = Workshop(
        cache=bench.cache,
        progress=bench.progress,
        threads=planned.build_threads,
        offline=bench.offline,
        arrays=dataset.arrays,
        inherit=bench.bundled,
    )
    training = data.training_set(planned.task.card, dataset)
    if planned.subset is not None:
        training = drawing.restrict(training, planned.subset, planned.seed)
    return artifacts.artifact(planned.model, planned.variant, training, workshop)


def _measure(found: Findings, bench: Bench) -> None:
    """Do all passes, in the order in which later ones need earlier ones."""
    if found.planned.refusal is not None:
        raise Refusal(found.planned.refusal)
    work = _begin(found, bench)
    work = structs.replace(work, answers=accuracy(work))
    if found.planned.subset is not None:
        found.only_accuracy(ACCURACY_ONLY)
        return
    latency(work)
    loads(work)
    memory(work)
    energy(work)
    dependability(work)
    if found.invalid:
        raise PassFailed("invalid", "; ".join(found.invalid))


def _begin(found: Findings, bench: Bench) -> Work:
    """Prepare the cell, draw the items, choose the prompt."""
    planned = found.planned
    backend = plugins.locate("backends", planned.variant.backend)
    dataset = items.load(planned.task, bench.cache, bench.progress, offline=bench.offline)
    found.dataset, found.artifact = dataset, prepare_cell(planned, bench)
    asked, found.sample = draw(planned, dataset)
    passes = Passes(
        planned=planned,
        artifact=found.artifact,
        backend=backend,
        worker=bench.worker,
        arrays=dataset.arrays,
    )
    card = planned.task.card
    if planned.prompted and card.prompt is not None:
        found.prompt = choose_prompt(passes, dataset, bench.cache, bench.progress)
        passes = structs.replace(passes, prompt=prompting.chosen_prompt(found.prompt, card.labels))
        limit = card.prompt.max_chars
        cut = sum(len(item.text) > limit for item in asked)
        if cut:
            found.warn(f"{cut} of {len(asked)} texts cut to {limit} characters")
    return Work(bench=bench, passes=passes, asked=asked, found=found)
