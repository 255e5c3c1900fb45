"""How a generalist is asked: prompts rendered, and the best of them chosen on train items."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec import Struct, structs

from steelyard import written
from steelyard.api import Item, Label, RenderedPrompt
from steelyard.card import AnswerKind, Prompt
from steelyard.errors import PrepareError
from steelyard.record import Calibration, Normalisation, PromptChoice

NORMALISATIONS: tuple[Normalisation, ...] = ("sum", "mean")
CALIBRATIONS: tuple[Calibration, ...] = ("none", "neutral", "train")


class Chat(Struct, frozen=True, kw_only=True):
    """The publisher's chat template as literal text: what stands around each turn."""

    opening: str
    user: tuple[str, str]
    assistant: tuple[str, str]


class ScoredItem(Struct, frozen=True, kw_only=True):
    """The raw summed log-likelihood of each label for one train item."""

    expected: str
    log_likelihoods: tuple[float, ...]


class Candidate(Struct, frozen=True, kw_only=True):
    """One paraphrase with what a model answered under it. `neutral` are the contentless inputs."""

    paraphrase: int
    prompt: RenderedPrompt
    items: tuple[ScoredItem, ...]
    neutral: tuple[tuple[float, ...], ...]
    lengths: tuple[int, ...]


class Wanted(Struct, frozen=True, kw_only=True):
    """What a task wants of each item: answers of this kind, with these labels or types."""

    labels: tuple[Label, ...]
    kind: AnswerKind = "label"

    @property
    def scored(self) -> tuple[str, ...]:
        """The words of which one is scored; none where the answer is written freely."""
        return tuple(label.words for label in self.labels) if self.kind == "label" else ()


def render(
    prompt: Prompt, wanted: Wanted, chat: Chat, shots: Sequence[Item]
) -> tuple[RenderedPrompt, ...]:
    """Return every paraphrase as prefix and suffix, with `shots` as earlier turns of the chat.

    The first turn says the whole instruction; later ones only the paragraph with the text.
    """
    return tuple(_render(text, prompt, wanted, chat, shots) for text in prompt.paraphrases)


def _render(
    paraphrase: str, prompt: Prompt, wanted: Wanted, chat: Chat, shots: Sequence[Item]
) -> RenderedPrompt:
    first, between, after = _pieces(paraphrase, wanted.labels)
    later = between[between.rfind("\n\n") + 2 :] if "\n\n" in between else between.lstrip()
    turns = [chat.opening]
    lead = first
    for shot in shots:
        text = shot.text[: prompt.max_chars]
        answer = written.write(shot.label, shot.text, wanted.labels, wanted.kind)
        turns += [chat.user[0], lead, text, after, chat.user[1]]
        turns += [chat.assistant[0], answer, chat.assistant[1]]
        lead = later
    return RenderedPrompt(
        prefix="".join([*turns, chat.user[0], lead]),
        suffix=after + chat.user[1] + chat.assistant[0],
        answers=wanted.scored,
        max_chars=prompt.max_chars,
    )


def _pieces(paraphrase: str, labels: Sequence[Label]) -> tuple[str, str, str]:
    """Return what stands before the text, the part of it after the labels, what stands after it."""
    before, _, after = paraphrase.partition("{text}")
    if "{labels}" not in before:
        return before, before, after
    instruction, _, between = before.partition("{labels}")
    return instruction + ", ".join(label.words for label in labels) + between, between, after


def draw_shots(pool: Sequence[Item], n: int, seed: int) -> tuple[Item, ...]:
    """Return `n` labelled examples in a seeded order, their labels as different as they can be."""
    ranked = sorted(pool, key=lambda item: _rank(seed, item.id))
    by_label: dict[str, list[Item]] = {}
    for item in ranked:
        by_label.setdefault(item.label, []).append(item)
    drawn: list[Item] = []
    while len(drawn) < n and any(by_label.values()):
        drawn += [items.pop(0) for items in by_label.values() if items]
    if len(drawn) < n:
        raise PrepareError(f"{n} examples were asked for, the train items have {len(drawn)}")
    return tuple(drawn[:n])


def choose(candidates: Sequence[Candidate], labels: Sequence[Label], shots: int) -> PromptChoice:
    """Return the paraphrase, normalisation and calibration with the most train items right.

    A tie goes to the earlier one in the order: paraphrase, then plain before calibrated.
    """
    ids = [label.id for label in labels]
    tried: list[tuple[PromptChoice, str]] = []
    for candidate in candidates:
        for normalisation in NORMALISATIONS:
            for calibration in CALIBRATIONS:
                choice = _judge(candidate, ids, shots, normalisation, calibration)
                name = f"paraphrase {candidate.paraphrase + 1}, {normalisation}, {calibration}"
                tried.append((choice, name))
    best = max(tried, key=lambda pair: pair[0].accuracy)[0]
    return structs.replace(best, candidates=tuple((name, c.accuracy) for c, name in tried))


class WrittenCandidate(Struct, frozen=True, kw_only=True):
    """One paraphrase, the task's score of what a model wrote under it, and of how many items.

    `unreadable` answers were no answers of the task's kind: they are empty ones in the score.
    """

    paraphrase: int
    prompt: RenderedPrompt
    score: float
    n: int
    unreadable: int


def choose_written(
    candidates: Sequence[WrittenCandidate], metric: str, shots: int, *, higher_is_better: bool
) -> PromptChoice:
    """Return the paraphrase whose written answers to the train items score best.

    A tie goes to the earlier one. Nothing is calibrated: no label is scored.
    """
    sign = 1 if higher_is_better else -1
    best = max(candidates, key=lambda candidate: sign * candidate.score)
    return PromptChoice(
        paraphrase=best.paraphrase,
        calibration="none",
        shots=shots,
        accuracy=best.score,
        metric=metric,
        n=best.n,
        unreadable=best.unreadable,
        candidates=tuple((f"paraphrase {c.paraphrase + 1}, written", c.score) for c in candidates),
        prefix=best.prompt.prefix,
        suffix=best.prompt.suffix,
        max_chars=best.prompt.max_chars,
    )


def _judge(
    candidate: Candidate,
    ids: Sequence[str],
    shots: int,
    normalisation: Normalisation,
    calibration: Calibration,
) -> PromptChoice:
    lengths = candidate.lengths
    priors = _priors(_inputs(candidate, calibration), lengths, normalisation)
    right = 0
    for item in candidate.items:
        scores = normalised(item.log_likelihoods, lengths, normalisation, priors)
        right += ids[max(range(len(ids)), key=scores.__getitem__)] == item.expected
    return PromptChoice(
        paraphrase=candidate.paraphrase,
        normalisation=normalisation,
        calibration=calibration,
        shots=shots,
        accuracy=right / len(candidate.items),
        n=len(candidate.items),
        candidates=(),
        prefix=candidate.prompt.prefix,
        suffix=candidate.prompt.suffix,
        max_chars=candidate.prompt.max_chars,
        priors=priors,
    )


def normalised(
    sums: Sequence[float], lengths: Sequence[int], normalisation: str, priors: Sequence[float]
) -> tuple[float, ...]:
    """Return one score a label: the sum or the mean over tokens, less the label's prior."""
    scores = (
        [total / length for total, length in zip(sums, lengths, strict=True)]
        if normalisation == "mean"
        else list(sums)
    )
    if not priors:
        return tuple(scores)
    return tuple(score - prior for score, prior in zip(scores, priors, strict=True))


def _inputs(candidate: Candidate, calibration: Calibration) -> Sequence[Sequence[float]]:
    """Return the scores from which priors come.

    `neutral`: those of contentless inputs (Zhao et al., 2102.09690). `train`: those of the train
    items, which hold each label equally often, so that their mean is what a label scores whatever
    the text (Zhou et al., 2309.17249).
    """
    if calibration == "neutral":
        return candidate.neutral
    return [item.log_likelihoods for item in candidate.items] if calibration == "train" else ()


def _priors(
    inputs: Sequence[Sequence[float]], lengths: Sequence[int], normalisation: str
) -> tuple[float, ...]:
    rows = [normalised(sums, lengths, normalisation, ()) for sums in inputs]
    return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))


def calibrated(candidate: Candidate, choice: PromptChoice) -> RenderedPrompt:
    """Return another candidate's prompt, its labels scored by the method that was chosen."""
    how = _normalisation(choice)
    priors = _priors(_inputs(candidate, choice.calibration), candidate.lengths, how)
    return structs.replace(candidate.prompt, normalisation=how, priors=priors)


def reworded(prompt: RenderedPrompt, choice: PromptChoice) -> RenderedPrompt:
    """Return another prompt, answered as the chosen one is where nothing is calibrated."""
    return structs.replace(prompt, normalisation=_normalisation(choice))


def chosen_prompt(choice: PromptChoice, labels: Sequence[Label]) -> RenderedPrompt:
    """Return the prompt that a choice stands for, ready for a worker."""
    return RenderedPrompt(
        prefix=choice.prefix,
        suffix=choice.suffix,
        answers=tuple(label.words for label in labels) if choice.normalisation else (),
        max_chars=choice.max_chars,
        normalisation=_normalisation(choice),
        priors=choice.priors,
    )


def _normalisation(choice: PromptChoice) -> Normalisation:
    """Return how labels are scored; where answers are written none is, and it does not matter."""
    return choice.normalisation or "sum"


def _rank(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()
