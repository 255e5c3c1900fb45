"""Classify with a decoder: every label's log-likelihood after the prompt, the prefix run once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime as ort
from msgspec import Struct
from tokenizers import Tokenizer

from steelyard.api import Answer, PromptTokens, SessionSpec
from steelyard.backends.ort import labels
from steelyard.backends.ort.generation import Cache, greedy
from steelyard.backends.ort.labels import FloatArray, IntArray, Scale, Tree
from steelyard.backends.ort.options import open_session, option, runs_on
from steelyard.backends.ort.prefix import Inputs, Prefix
from steelyard.backends.ort.tokens import answer_tokens, end_of_turn, prompt_of, tokenizer_at

MODEL, TOKENIZER = "model.onnx", "tokenizer.json"
OWN_OPTIONS = ("one_pass_tokens", "batch")


class Outputs(Struct, frozen=True, kw_only=True):
    """The best label, and every label's score where all were worked out."""

    best: int
    scores: tuple[float, ...] | None


class Network:
    """The ONNX graph of a decoder: tokens and a cache in, logits and a longer cache out."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self.runs_on = runs_on(session)
        self._past = [i for i in session.get_inputs() if i.name.startswith("past.")]
        self._present = [o.name for o in session.get_outputs() if o.name != "logits"]

    def empty(self) -> Cache:
        """Return the cache of no tokens."""
        shapes = [(1, i.shape[1], 0, i.shape[3]) for i in self._past]
        return tuple(np.zeros(shape, dtype=np.float32) for shape in shapes)

    def extend(self, cache: Cache, tokens: IntArray) -> tuple[FloatArray, Cache]:
        """Run `tokens` after the cached ones; return the last one's logits and the longer cache."""
        nothing = labels.grow([])
        feed = self._feed(cache, tokens, nothing)
        first, *present = self._run(["logits", *self._present], feed)
        return first[0], tuple(present)

    def logits(self, cache: Cache, tokens: IntArray, tree: Tree) -> FloatArray:
        """Run `tokens` and a tree's nodes after them; return the last token's logits, then theirs.

        Without tokens there are only the nodes' rows.
        """
        feed = self._feed(cache, tokens, tree)
        rows: FloatArray = self._run(["logits"], feed)[0][0]
        return rows

    def _run(self, wanted: list[str], feed: dict[str, np.ndarray]) -> list[FloatArray]:
        return cast("list[FloatArray]", self._session.run(wanted, feed))

    def _feed(self, cache: Cache, tokens: IntArray, tree: Tree) -> dict[str, np.ndarray]:
        past, prompt = cache[0].shape[2], len(tokens)
        nodes = np.asarray(tree.tokens, dtype=np.int64)
        places = np.arange(past, past + prompt, dtype=np.int64)
        last = past + prompt - 1
        feed: dict[str, np.ndarray] = {
            "input_ids": np.concatenate([tokens, nodes])[None],
            "position_ids": np.concatenate([places, last + labels.depths(tree)])[None],
            "attention_bias": labels.attention_bias(past, prompt, tree),
            "logit_positions": np.arange(max(prompt - 1, 0), prompt + len(nodes)),
        }
        feed.update((i.name, half) for i, half in zip(self._past, cache, strict=True))
        return feed


class DecoderSession:
    """Scores labels after a prompt. The tokens that all prompts begin with are run once, at open.

    The labels' tokens are run beside each other after the prompt, in the same call where they are
    no more than `one_pass_tokens`, else the most promising `batch` labels at a time until none
    left can win.
    """

    def __init__(self, network: Network, tokenizer: Tokenizer, spec: SessionSpec) -> None:
        self._network = network
        prompt = prompt_of(spec)
        self._ids = tuple(label.id for label in spec.labels)
        self._answers = answer_tokens(tokenizer, prompt, Path(spec.artifact))
        self._end = end_of_turn(tokenizer, Path(spec.artifact))
        self._tree = labels.grow(self._answers)
        self._scale = Scale(
            lengths=self.label_lengths(),
            mean=prompt.normalisation == "mean",
            priors=prompt.priors,
        )
        self._limit = option(spec, "one_pass_tokens", 24)
        self._batch = option(spec, "batch", 16)
        self._prefix = Prefix(network, tokenizer, prompt)

    def encode(self, text: str) -> Inputs:
        """Tokenise the whole prompt; what the cache holds of it need not be run again."""
        return self._prefix.encode(text)

    def infer(self, inputs: Inputs) -> Outputs:
        """Return the best label; every label's score too where one call gives them all."""
        cache = self._prefix.cache(inputs.start)
        if len(self._tree.tokens) <= self._limit:
            totals = self._one_pass(cache, inputs.tokens)
            scores = tuple(self._scale.score(i, total) for i, total in enumerate(totals))
            return Outputs(best=int(np.argmax(scores)), scores=scores)
        return self._search(cache, inputs.tokens)

    def decode(self, outputs: Outputs) -> Answer:
        """Name the label."""
        return Answer(label=self._ids[outputs.best], scores=outputs.scores)

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return self._network.runs_on

    def label_log_likelihoods(self, text: str) -> tuple[float, ...]:
        """Return the summed token log-likelihood of every label, without priors."""
        inputs = self.encode(text)
        cache = self._prefix.cache(inputs.start)
        if len(self._tree.tokens) <= self._limit:
            return self._one_pass(cache, inputs.tokens)
        root, longer = self._network.extend(cache, inputs.tokens)
        totals: list[float] = []
        for start in range(0, len(self._answers), self._batch):
            asked = range(start, min(start + self._batch, len(self._answers)))
            totals += self._totals(root, longer, asked)
        return tuple(totals)

    def label_lengths(self) -> tuple[int, ...]:
        """Return how many tokens a label's score is summed over, the end of the turn included."""
        return tuple(len(answer) for answer in self._answers)

    def prompt_tokens(self, text: str) -> PromptTokens:
        """Return how long the prompt of a text is, and how much of it the cache holds."""
        inputs = self.encode(text)
        return PromptTokens(total=inputs.start + len(inputs.tokens), cached=inputs.start)

    def generate(self, text: str, max_new_tokens: int) -> Iterator[int]:
        """Yield the most probable token again and again, until the turn ends or it is enough."""
        inputs = self.encode(text)
        cache = self._prefix.cache(inputs.start)
        yield from greedy(self._network, cache, inputs.tokens, self._end, max_new_tokens)

    def close(self) -> None:
        """Drop the cache; onnxruntime frees the rest with the session."""
        self._prefix.drop()

    def _one_pass(self, cache: Cache, tokens: IntArray) -> tuple[float, ...]:
        logits = self._network.logits(cache, tokens, self._tree)
        return tuple(float(total) for total in labels.sums(self._tree, logits))

    def _search(self, cache: Cache, tokens: IntArray) -> Outputs:
        root, longer = self._network.extend(cache, tokens)
        scale = self._scale
        firsts = labels.sums(self._tree, root)
        bounds = [scale.score(i, float(first)) for i, first in enumerate(firsts)]

        def score(asked: Sequence[int]) -> list[float]:
            totals = self._totals(root, longer, asked)
            return [scale.score(i, total) for i, total in zip(asked, totals, strict=True)]

        return Outputs(best=labels.search(bounds, score, self._batch).best, scores=None)

    def _totals(self, root: FloatArray, cache: Cache, asked: Sequence[int]) -> list[float]:
        tree = labels.grow([self._answers[label] for label in asked])
        if not tree.tokens:
            return [float(total) for total in labels.sums(tree, root)]
        nowhere = np.empty(0, dtype=np.int64)
        logits = np.concatenate([root, self._network.logits(cache, nowhere, tree)])
        return [float(total) for total in labels.sums(tree, logits)]


def open_decoder(spec: SessionSpec) -> DecoderSession:
    """Open the artefact of the recipe `gguf-decoder`."""
    folder = Path(spec.artifact)
    tokenizer = tokenizer_at(folder / TOKENIZER)
    network = Network(open_session(folder / MODEL, spec, OWN_OPTIONS))
    return DecoderSession(network, tokenizer, spec)
