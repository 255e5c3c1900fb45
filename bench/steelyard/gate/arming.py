"""Get both arms of a cell ready: artefact prepared, items drawn, a worker of its own each."""

from __future__ import annotations

from datetime import datetime, timezone

from msgspec import Struct, structs

from steelyard import plugins, prompting
from steelyard.choosing import choose_prompt
from steelyard.gate.matrix import Matched
from steelyard.measure import Bench, prepare_cell
from steelyard.measure.accuracy import draw
from steelyard.measure.findings import Findings
from steelyard.measure.work import Work
from steelyard.passes import Passes
from steelyard.plan import PlannedCell
from steelyard.prepare import items
from steelyard.record import Record


class Ready(Struct, frozen=True, kw_only=True):
    """A cell with both arms ready for passes."""

    name: str
    baseline: Work
    candidate: Work


def ready(matched: Matched, benches: tuple[Bench, Bench]) -> Ready:
    """Prepare both arms; raise Refusal, SourceError, PrepareError or PassFailed."""
    return Ready(
        name=matched.name,
        baseline=begin(matched.baseline, benches[0]),
        candidate=begin(matched.candidate, benches[1]),
    )


def begin(planned: PlannedCell, bench: Bench) -> Work:
    """Return what the passes of an arm share, nothing measured yet."""
    artifact = prepare_cell(planned, bench)
    dataset = items.load(planned.task, bench.cache, bench.progress, offline=bench.offline)
    found = Findings(planned)
    found.dataset, found.artifact = dataset, artifact
    asked, found.sample = draw(planned, dataset)
    passes = Passes(
        planned=planned,
        artifact=artifact,
        backend=plugins.locate("backends", planned.variant.backend),
        worker=bench.worker,
        arrays=dataset.arrays,
    )
    card = planned.task.card
    if planned.prompted and card.prompt is not None:
        found.prompt = choose_prompt(passes, dataset, bench.cache, bench.progress)
        passes = structs.replace(passes, prompt=prompting.chosen_prompt(found.prompt, card.labels))
    return Work(bench=bench, passes=passes, asked=asked, found=found)


def afresh(work: Work) -> Work:
    """Return an arm whose findings are empty but for what was prepared."""
    known = work.found
    found = Findings(work.planned)
    found.dataset, found.artifact, found.sample = known.dataset, known.artifact, known.sample
    found.prompt = known.prompt
    return structs.replace(work, found=found, answers={})


def record(work: Work) -> Record:
    """Return what was found as a record."""
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return work.found.record("ok", None, started, 0.0)
