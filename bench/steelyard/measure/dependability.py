"""Ask some items again: the same way, and in the task's other words."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct, structs

from steelyard.api import Answer, Item
from steelyard.choosing import other_prompts
from steelyard.measure.accuracy import ask
from steelyard.measure.work import Work
from steelyard.prepare import data
from steelyard.record import Dependability, Reworded
from steelyard.spawn import PassFailed

NO_WORDS = "asked in no words: a model that takes the text alone has no prompt to reword"
ONE_WORDING = "asked in the only paraphrase that there is: the task's card has no other words"


class Asked(Struct, frozen=True, kw_only=True):
    """The labels that items got: first, again the same way, and in each other paraphrase."""

    first: Mapping[str, str]
    again: Mapping[str, str]
    reworded: Mapping[int, Mapping[str, str]] = {}


def dependability(work: Work) -> None:
    """Keep how answers change where the suite asks for it; a failure here is no cell's outcome."""
    wished = work.planned.dependability
    if wished is None:
        return
    planned = work.planned
    items = data.sample(work.asked, wished.items, planned.seed, balanced=planned.balanced)
    try:
        asked = _ask_again(work, items)
    except PassFailed as failure:
        why = f"{failure.outcome}: {failure.reason}"
        work.found.absent.append(("dependability", why))
        return
    card = planned.task.card
    kind = card.answers
    labels = {label.id for label in card.labels} if kind == "label" else None
    scored = planned.prompted and kind == "label"
    work.found.dependability = count(asked, items, labels, label_scored=scored)


def count(
    asked: Asked, items: tuple[Item, ...], labels: Collection[str] | None, *, label_scored: bool
) -> Dependability:
    """Count what changed, and what named no label of the task, where its answers are labels."""
    rounds = [asked.first, asked.again, *asked.reworded.values()]
    given = [answers[item.id] for answers in rounds for item in items]
    changed = {
        place: {item.id for item in items if answers[item.id] != asked.first[item.id]}
        for place, answers in asked.reworded.items()
    }
    return Dependability(
        n=len(items),
        correct=_correct(asked.first, items),
        repeats_differ=sum(asked.again[item.id] != asked.first[item.id] for item in items),
        answers=len(given),
        outside=0 if labels is None else sum(label not in labels for label in given),
        label_scored=label_scored,
        flipped=len(set().union(*changed.values())) if changed else None,
        reworded=tuple(
            Reworded(paraphrase=place, flips=len(changed[place]), correct=_correct(answers, items))
            for place, answers in asked.reworded.items()
        ),
        no_paraphrases=None if changed else ONE_WORDING if label_scored else NO_WORDS,
    )


def _ask_again(work: Work, items: tuple[Item, ...]) -> Asked:
    """Ask in a fresh process each time: what a process remembers must not help it."""
    progress, name = work.bench.progress, work.planned.cell.id
    again = ask(work.passes, items, progress, f"{name}: the same again")
    reworded: dict[int, Mapping[str, str]] = {}
    dataset, choice = work.found.dataset, work.found.prompt
    if choice is not None and dataset is not None:
        prompts = other_prompts(work.passes, dataset, choice, progress)
        for place, prompt in sorted(prompts.items()):
            passes = structs.replace(work.passes, prompt=prompt)
            what = f"{name}: in paraphrase {place + 1}"
            reworded[place] = _labels(ask(passes, items, progress, what))
    return Asked(first=_labels(work.answers), again=_labels(again), reworded=reworded)


def _labels(answers: Mapping[str, Answer]) -> dict[str, str]:
    return {item: answer.label for item, answer in answers.items()}


def _correct(answers: Mapping[str, str], items: tuple[Item, ...]) -> int:
    return sum(answers[item.id] == item.label for item in items)
