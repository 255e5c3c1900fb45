"""Classify with a decoder on torch: every label's log-likelihood, batched, the prefix run once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer

from steelyard.api import Answer, PromptTokens, SessionSpec
from steelyard.backends.ort import labels
from steelyard.backends.ort.labels import Scale, Tree
from steelyard.backends.ort.tokens import (
    PromptReader,
    answer_tokens,
    common,
    end_of_turn,
    prompt_of,
    tokenizer_at,
)
from steelyard.backends.torch import device, loading
from steelyard.backends.torch.layout import Rest
from steelyard.backends.torch.network import Floats, Held, Network, sums
from steelyard.errors import Refusal

TOKENIZER = "tokenizer.json"
OWN_OPTIONS = ("one_pass_tokens", "together")
# By how much a label may differ from a run without cache and mask: rounding, not another sum.
EXACT, ROUNDED = (1e-2, 1e-4), (0.5, 0.05)


class DecoderSession:
    """Scores labels after a prompt. The tokens that all prompts begin with are run once, at open.

    The labels' tokens are run beside each other after the prompt, in the same call where they are
    no more than `one_pass_tokens`, else some labels at a time after it.
    """

    def __init__(self, network: Network, tokenizer: Tokenizer, spec: SessionSpec) -> None:
        self._network = network
        prompt = prompt_of(spec)
        self._reader = PromptReader(tokenizer, prompt)
        self._ids = tuple(label.id for label in spec.labels)
        self._answers = answer_tokens(tokenizer, prompt, Path(spec.artifact))
        self._end = end_of_turn(tokenizer, Path(spec.artifact))
        limit = device.option(spec, "one_pass_tokens", 512)
        self._trees = trees(self._answers, limit)
        self._one_pass = len(self._trees) == 1 and len(self._trees[0].tokens) <= limit
        self._scale = Scale(
            lengths=self.label_lengths(),
            mean=prompt.normalisation == "mean",
            priors=prompt.priors,
        )
        self._cached = self._reader.shared()
        self._held = network.hold(self._cached)
        # A GPU is idle most of the time with one text; cores are not.
        self.together = device.option(spec, "together", 16 if spec.device == "cuda" else 1)
        self.facts: tuple[str, ...] = ()

    def encode(self, text: str) -> Rest:
        """Tokenise the whole prompt; what is held of it need not be run again.

        Raises Refusal where it is longer than the model sees.
        """
        tokens = self._reader.tokens(text)
        room, longest = self._network.room, max(self.label_lengths())
        if room is not None and len(tokens) + longest > room:
            raise Refusal(
                f"a prompt of {len(tokens)} tokens with its answer is longer than the "
                f"{room} that this model sees at once; cut texts shorter, or use fewer shots"
            )
        start = common(self._cached, tokens[:-1])
        return Rest(start=start, tokens=tokens[start:])

    def infer(self, inputs: Rest) -> Floats:
        """Return the summed log-probability of every label."""
        totals: Floats = self.infer_batch([inputs])[0]
        return totals

    def decode(self, outputs: Floats) -> Answer:
        """Name the label with the best score; all scores are the task's order."""
        scores = tuple(self._scale.score(i, float(total)) for i, total in enumerate(outputs))
        return Answer(label=self._ids[int(np.argmax(scores))], scores=scores)

    def encode_batch(self, texts: Sequence[str]) -> list[Rest]:
        return [self.encode(text) for text in texts]

    def infer_batch(self, inputs: Sequence[Rest]) -> Floats:
        """Return the same for several texts, a row each."""
        held = self._visible(inputs)
        if self._one_pass:
            tree = self._trees[0]
            totals: Floats = sums(tree, self._network.run(held, inputs, tree).logits)
            return totals
        first = self._network.run(held, inputs, labels.grow([]))
        ended = [
            Rest(start=rest.start + len(rest.tokens), tokens=rest.tokens[:0]) for rest in inputs
        ]
        found = []
        for tree in self._trees:
            rows = first.logits
            if tree.tokens:
                rows = torch.cat([rows, self._network.run(first.held, ended, tree).logits], dim=1)
            found.append(sums(tree, rows))
        return np.concatenate(found, axis=1)

    def decode_batch(self, outputs: Floats) -> list[Answer]:
        return [self.decode(row) for row in outputs]

    def label_log_likelihoods(self, text: str) -> tuple[float, ...]:
        """Return the summed token log-likelihood of every label, without priors."""
        return tuple(float(total) for total in self.infer(self.encode(text)))

    def label_lengths(self) -> tuple[int, ...]:
        """Return how many tokens a label's score is summed over, the end of the turn included."""
        return tuple(len(answer) for answer in self._answers)

    def prompt_tokens(self, text: str) -> PromptTokens:
        """Return how long the prompt of a text is, and how much of it is held."""
        rest = self.encode(text)
        return PromptTokens(total=rest.start + len(rest.tokens), cached=rest.start)

    def generate(self, text: str, max_new_tokens: int) -> Iterator[int]:
        """Yield the most probable token again and again, until the turn ends or it is enough."""
        rest = self.encode(text)
        held, nothing = self._visible([rest]), labels.grow([])
        for _ in range(max_new_tokens):
            ran = self._network.run(held, [rest], nothing)
            token = int(ran.logits[0, -1].argmax())
            yield token
            if token == self._end:
                return
            held = ran.held
            start = rest.start + len(rest.tokens)
            rest = Rest(start=start, tokens=np.array([token], dtype=np.int64))

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return self.facts

    def check(self, tolerance: tuple[float, float]) -> None:
        """Score a label in the plainest way too; raise Refusal where that says something else.

        Not every architecture takes a mask and positions of our making, and some ignore them.
        """
        rest = self.encode("a")
        label = int(np.argmax(self.label_lengths()))
        found = float(self.infer(rest)[label])
        whole = [*self._cached[: rest.start].tolist(), *rest.tokens.tolist(), *self._answers[label]]
        expected = self._network.plain(whole, len(self._answers[label]))
        if not abs(found - expected) <= tolerance[0] + tolerance[1] * abs(expected):
            raise Refusal(
                f"labels side by side score {found:.4g} where one label alone scores "
                f"{expected:.4g}: this architecture's attention is not one that can be asked so"
            )

    def close(self) -> None:
        """Drop what is held; torch frees the rest with the session."""
        self._held = Held(layers=(), seen=np.zeros((1, 0), np.bool_))

    def _visible(self, rests: Sequence[Rest]) -> Held:
        """Return what is held, each row seeing the part of it that its prompt begins with."""
        starts = np.array([rest.start for rest in rests])
        seen = np.arange(len(self._cached))[None] < starts[:, None]
        return Held(layers=self._held.layers, seen=seen)


def trees(answers: Sequence[Sequence[int]], limit: int) -> tuple[Tree, ...]:
    """Divide labels, in their order, into trees of at most `limit` nodes, or of one label."""
    found: list[Tree] = []
    taken: list[Sequence[int]] = []
    for answer in answers:
        if taken and len(labels.grow([*taken, answer]).tokens) > limit:
            found.append(labels.grow(taken))
            taken = []
        taken.append(answer)
    return (*found, labels.grow(taken))


def open_decoder(spec: SessionSpec) -> DecoderSession:
    """Open the artefact of the recipe `published` or `gguf-torch`."""
    folder = Path(spec.artifact)
    tokenizer = tokenizer_at(folder / TOKENIZER)
    where = device.place(spec, OWN_OPTIONS)
    model = loading.load(transformers.AutoModelForCausalLM, folder, where)
    tolerance = EXACT if where.dtype == torch.float32 else ROUNDED
    try:
        session = DecoderSession(Network(model, where), tokenizer, spec)
        session.check(tolerance)
    except torch.OutOfMemoryError:
        raise
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise Refusal(
            f"{type(model).__name__} cannot be asked with held keys and values and a mask of "
            f"one's own: {said}"
        ) from error
    session.facts = (*where.facts, f"transformers {transformers.__version__}")
    return session
