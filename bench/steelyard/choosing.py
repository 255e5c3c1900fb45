"""Choose how a generalist is asked: on train items, once, kept in the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import Struct, structs

from steelyard import prompting
from steelyard.api import Item, RenderedPrompt
from steelyard.card import Prompt
from steelyard.errors import Refusal
from steelyard.job import Done, Message, Scored
from steelyard.passes import Passes
from steelyard.prepare import data
from steelyard.prepare.cache import Cache
from steelyard.prepare.data import Dataset
from steelyard.progress import Progress
from steelyard.prompting import Candidate, Chat, ScoredItem
from steelyard.record import PromptChoice

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
    tried = _try(passes, trial.candidates, trial.items, progress)
    choice = prompting.choose(tried, planned.task.card.labels, planned.variant.shots)
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
        ready = [structs.replace(one, normalisation=choice.normalisation) for one in others]
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
    return _Trial(
        candidates=prompting.render(_prompt(passes), card.labels, chat, examples),
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
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


def _prompt(passes: Passes) -> Prompt:
    """Return the prompt of the task, which a cell that is asked in words has."""
    prompt = passes.planned.task.card.prompt
    if prompt is None:
        raise Refusal(f"task {passes.planned.cell.task} has no prompt")
    return prompt
