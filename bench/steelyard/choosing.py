"""Choose how a generalist is asked: on train items, once, kept in the cache.

Where it scores labels, by their log-likelihoods; where it writes its answers, by the task's score
of what it wrote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import Struct, structs

from steelyard import plugins, prompting
from steelyard.api import Answer, Item, RenderedPrompt, Scorer
from steelyard.card import Prompt
from steelyard.errors import Refusal
from steelyard.job import Answered, Done, Message, Scored
from steelyard.passes import Passes
from steelyard.prepare import data
from steelyard.prepare.cache import Cache
from steelyard.prepare.data import Dataset
from steelyard.progress import Bar, Progress
from steelyard.prompting import Candidate, Chat, ScoredItem, Wanted, WrittenCandidate
from steelyard.record import PromptChoice
from steelyard.spawn import PassFailed

KIND = "prompts"
FILE = "choice.json"
CHAT = "chat.json"


def choose_prompt(
    passes: Passes, dataset: Dataset, cache: Cache, progress: Progress
) -> PromptChoice:
    """Return the best of the card's paraphrases for this model, from the cache or by trying.

    Raises PassFailed where the model could not be asked.
    """
    planned = passes.planned
    trial = _trial(passes, dataset)
    key = _key(passes, trial.candidates, trial.items)
    done = cache.entry(KIND, key)
    if done is not None:
        return msgspec.json.decode((done / FILE).read_bytes(), type=PromptChoice)
    if planned.task.card.answers == "label":
        tried = _try(passes, trial.candidates, trial.items, progress)
        choice = prompting.choose(tried, planned.task.card.labels, planned.variant.shots)
    else:
        choice = _choose_written(passes, trial, progress)
    with cache.build(KIND, key) as out:
        (out / FILE).write_bytes(msgspec.json.encode(choice))
    return choice


def other_prompts(
    passes: Passes, dataset: Dataset, choice: PromptChoice, progress: Progress
) -> dict[int, RenderedPrompt]:
    """Return the paraphrases that were not chosen, each ready to ask with, by its place.

    Priors belong to a wording: they are found anew, by the chosen method and on the same train
    items, so that another wording is not asked with the chosen one's. Raises PassFailed.
    """
    trial = _trial(passes, dataset)
    places = [place for place in range(len(trial.candidates)) if place != choice.paraphrase]
    others = [trial.candidates[place] for place in places]
    if choice.calibration == "none":
        ready = [prompting.reworded(one, choice) for one in others]
        return dict(zip(places, ready, strict=True))
    # Contentless inputs need no train item; a pass needs one item at the least.
    needed = trial.items if choice.calibration == "train" else trial.items[:1]
    tried = _try(passes, others, needed, progress)
    return {places[one.paraphrase]: prompting.calibrated(one, choice) for one in tried}


class _Trial(Struct, frozen=True, kw_only=True):
    """Every paraphrase, and the train items that it is tried on."""

    candidates: tuple[RenderedPrompt, ...]
    items: tuple[Item, ...]


def _trial(passes: Passes, dataset: Dataset) -> _Trial:
    planned = passes.planned
    card, shots = planned.task.card, planned.variant.shots
    pool = data.prompt_pool(dataset)
    examples = prompting.draw_shots(pool, shots, planned.seed)
    taken = {example.id for example in examples}
    rest = tuple(item for item in pool if item.id not in taken)
    chat = msgspec.json.decode((passes.artifact.path / CHAT).read_bytes(), type=Chat)
    wanted = Wanted(labels=card.labels, kind=card.answers)
    return _Trial(
        candidates=prompting.render(_prompt(passes), wanted, chat, examples),
        # Balanced, or always naming the commonest label would look like the best way to ask.
        items=data.sample(rest, planned.prompt_items, planned.seed, balanced=True),
    )


def _try(
    passes: Passes, candidates: Sequence[RenderedPrompt], trial: Sequence[Item], progress: Progress
) -> list[Candidate]:
    scored: list[Scored] = []
    what = f"{passes.planned.cell.id}: trying prompts on train items"
    with progress.bar(what, len(candidates) * len(trial), "items") as bar:

        def listen(message: Message) -> None:
            if isinstance(message, Done):
                bar.advance(message.items)
            elif isinstance(message, Scored):
                scored.append(message)

        neutral = _prompt(passes).neutral
        job = passes.job("choose", [tuple(trial)])
        asked = structs.replace(job, candidates=tuple(candidates), neutral=neutral)
        passes.run(asked, listen)
    return [_candidate(message, candidates[message.candidate], trial) for message in scored]


def _choose_written(passes: Passes, trial: _Trial, progress: Progress) -> PromptChoice:
    """Let the model write its answers to the train items under every paraphrase; take the best."""
    planned = passes.planned
    card = planned.task.card
    scorer: Scorer = plugins.load("scorers", card.scorer.name)
    expected = [item.label for item in trial.items]
    tried: list[WrittenCandidate] = []
    what = f"{planned.cell.id}: trying prompts on train items"
    with progress.bar(what, len(trial.candidates) * len(trial.items), "items") as bar:
        for place, prompt in enumerate(trial.candidates):
            answers = _written(structs.replace(passes, prompt=prompt), trial.items, bar)
            scores = scorer.score(answers, expected, card.labels, card.scorer.options)
            tried.append(
                WrittenCandidate(
                    paraphrase=place,
                    prompt=prompt,
                    score=scores[0].value,
                    n=len(answers),
                    unreadable=sum(answer.unreadable for answer in answers),
                )
            )
    better = card.higher_is_better
    shots = planned.variant.shots
    return prompting.choose_written(tried, card.metric, shots, higher_is_better=better)


def _written(passes: Passes, items: Sequence[Item], bar: Bar) -> list[Answer]:
    """Return each item's answer, from a fresh worker; raise PassFailed where one is missing."""
    answers: dict[str, Answer] = {}

    def listen(message: Message) -> None:
        if isinstance(message, Answered):
            answers.update(message.answers)
            bar.advance(len(message.answers))

    passes.run(passes.job("accuracy", [tuple(items)]), listen)
    missing = [item.id for item in items if item.id not in answers]
    if missing:
        raise PassFailed("failed", f"trying prompts: no answer to {missing[0]}")
    return [answers[item.id] for item in items]


def _candidate(message: Scored, prompt: RenderedPrompt, trial: Sequence[Item]) -> Candidate:
    return Candidate(
        paraphrase=message.candidate,
        prompt=prompt,
        items=tuple(
            ScoredItem(expected=item.label, log_likelihoods=row)
            for item, row in zip(trial, message.items, strict=True)
        ),
        neutral=message.neutral,
        lengths=message.lengths,
    )


def _key(passes: Passes, candidates: Sequence[RenderedPrompt], trial: Sequence[Item]) -> str:
    """Hash what decides the choice."""
    planned = passes.planned
    facts = [
        prompting.CALIBRATIONS,
        passes.artifact.ref.sha256,
        planned.variant.session_options,
        candidates,
        trial,
        _prompt(passes).neutral,
        planned.variant.session,
    ]
    card = planned.task.card
    if card.answers != "label":  # then the task's own score decides
        facts += [card.answers, card.labels, msgspec.to_builtins(card.scorer)]
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


def _prompt(passes: Passes) -> Prompt:
    """Return the prompt of the task, which a cell that is asked in words has."""
    prompt = passes.planned.task.card.prompt
    if prompt is None:
        raise Refusal(f"task {passes.planned.cell.task} has no prompt")
    return prompt
