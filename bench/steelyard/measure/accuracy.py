"""Ask the test items, score the answers, keep the predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from steelyard import plugins
from steelyard.api import Answer, Item
from steelyard.errors import PrepareError
from steelyard.host import processor
from steelyard.job import Answered, Loaded, Message
from steelyard.measure import recalling
from steelyard.measure.work import Work
from steelyard.passes import Passes
from steelyard.plan import PlannedCell
from steelyard.prepare import data
from steelyard.prepare.data import Dataset
from steelyard.progress import Progress
from steelyard.record import Prediction, Sample
from steelyard.spawn import PassFailed


def draw(planned: PlannedCell, dataset: Dataset) -> tuple[tuple[Item, ...], Sample]:
    """Return the test items to ask, all or the planned sample, and which they are."""
    pick = data.prompted_test_items if planned.prompted else data.test_items
    whole = pick(dataset)
    asked = whole
    if planned.sample is not None and planned.sample < len(whole):
        asked = data.sample(whole, planned.sample, planned.seed, balanced=planned.balanced)
    seed = planned.seed if len(asked) < len(whole) else None
    return asked, Sample(n=len(asked), of=len(data.test_items(dataset)), seed=seed)


def accuracy(work: Work) -> dict[str, Answer]:
    """Return the answer to every item asked; raise PassFailed where one is missing."""
    known = _recalled(work)
    answers = known.recall(work.asked) if known else {}
    work.found.recalled = len(answers)
    unknown = [item for item in work.asked if item.id not in answers]
    if unknown:
        what = f"{work.planned.cell.id}: accuracy"
        answers |= ask(work.passes, unknown, work.bench.progress, what, work.found.loaded)
    if known and unknown:
        with suppress(PrepareError):  # a cache that is only to be read keeps nothing
            known.keep(unknown, answers)
    _score(work, answers)
    return answers


def _recalled(work: Work) -> recalling.Memory | None:
    """Return where earlier answers are kept; None where they are not to be used.

    Two accelerators of one name need not compute alike: what runs elsewhere is asked anew.
    """
    if work.bench.fresh or work.planned.processor != "cpu":
        return None
    said = work.bench.machine.read("proc/cpuinfo") or ""
    return recalling.memory(work.passes, work.bench.cache, processor.kind(said))


def ask(
    passes: Passes,
    asked: Sequence[Item],
    progress: Progress,
    what: str,
    heard: Callable[[Loaded], None] | None = None,
) -> dict[str, Answer]:
    """Return the answer to each item, from a fresh worker; raise PassFailed where one is missing.

    `heard` is told how long loading took.
    """
    answers: dict[str, Answer] = {}
    with progress.bar(what, len(asked), "items") as bar:

        def listen(message: Message) -> None:
            if isinstance(message, Answered):
                answers.update(message.answers)
                bar.advance(len(message.answers))
            elif isinstance(message, Loaded) and heard is not None:
                heard(message)

        passes.run(passes.job("accuracy", passes.by_fold(asked)), listen)
    missing = [item.id for item in asked if item.id not in answers]
    if missing:
        raise PassFailed("failed", f"accuracy pass: no answer to {missing[0]}")
    return answers


def _score(work: Work, answers: dict[str, Answer]) -> None:
    card = work.planned.task.card
    keep_scores = len(card.labels) == 2  # what a threshold metric needs
    work.found.predictions = tuple(
        Prediction(
            id=item.id,
            expected=item.label,
            answer=answers[item.id].label,
            scores=answers[item.id].scores if keep_scores else None,
            group=item.group,
        )
        for item in work.asked
    )
    scorer = plugins.load("scorers", card.scorer.name)
    given = [answers[item.id] for item in work.asked]
    unreadable = sum(answer.unreadable for answer in given)
    if unreadable:
        work.found.warn(
            f"{unreadable} of {len(given)} written answers are no {card.answers}: "
            "they count as empty ones"
        )
    expected = [item.label for item in work.asked]
    work.found.scores = tuple(scorer.score(given, expected, card.labels, card.scorer.options))
