"""Ask a specialist its test items again, where its record kept no scores."""

from __future__ import annotations

from msgspec import Struct

from steelyard import host, plan, plugins
from steelyard.catalog import Catalog
from steelyard.errors import Refusal, StoreError
from steelyard.limits import unconstrained
from steelyard.measure import Bench
from steelyard.measure.accuracy import ask
from steelyard.measure.cell import prepare_cell
from steelyard.passes import Passes
from steelyard.plan import Entry, PlannedCell, Suite
from steelyard.prepare import data, items
from steelyard.record import Prediction, Record
from steelyard.spawn import PassFailed


class Asked(Struct, frozen=True, kw_only=True):
    """All test items answered with scores; `changed` of the recorded answers are other ones now."""

    predictions: tuple[Prediction, ...]
    changed: int


def ask_again(
    record: Record, recorded: tuple[Prediction, ...], found: Catalog, bench: Bench
) -> Asked:
    """Return the answers of the record's own artefact to every test item of its task.

    Raises StoreError where data or artefact are not those of the record, Refusal where it cannot
    be run here.
    """
    planned = _planned(record, found)
    dataset = items.load(planned.task, bench.cache, bench.progress, offline=bench.offline)
    if dataset.sha256 != record.data_sha256:
        raise StoreError(f"{record.cell.id}: the task's data are not those of the record")
    artifact = prepare_cell(planned, bench)
    if record.artifact is None or artifact.ref.sha256 != record.artifact.sha256:
        raise StoreError(
            f"{record.cell.id}: the artefact made here is not the record's; run the cell again, or "
            "copy the cache it was run with"
        )
    backend = plugins.locate("backends", planned.variant.backend)
    passes = Passes(
        planned=planned,
        artifact=artifact,
        backend=backend,
        worker=bench.worker,
        arrays=dataset.arrays,
    )
    asked = data.test_items(dataset)
    try:
        answers = ask(passes, asked, bench.progress, f"{record.cell.id}: scores")
    except PassFailed as failure:
        raise Refusal(f"{record.cell.id}: could not be asked again: {failure.reason}") from failure
    fresh = tuple(
        Prediction(
            id=item.id,
            expected=item.label,
            answer=answers[item.id].label,
            scores=answers[item.id].scores,
            group=item.group,
        )
        for item in asked
    )
    return Asked(predictions=fresh, changed=sum(answers[p.id].label != p.answer for p in recorded))


def _planned(record: Record, found: Catalog) -> PlannedCell:
    cell = record.cell
    entry = Entry(
        models=(cell.name,),
        device=unconstrained(cell.device, record.memory_limit),
    )
    suite = Suite(schema=1, name="cascade", tasks=(cell.task,), entries=(entry,))
    planned = plan.cells(suite, found, host.cores())
    if not planned:
        raise Refusal(f"{cell.id}: its model's card does not serve the task any more")
    if planned[0].refusal is not None:
        raise Refusal(f"{cell.id}: {planned[0].refusal}")
    return planned[0]
