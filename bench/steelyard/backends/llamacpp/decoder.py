"""Classify with llama.cpp: every label's log-likelihood after the prompt, the prefix run once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from steelyard.api import Answer, PromptTokens, SessionSpec
from steelyard.backends.llamacpp.generation import greedy
from steelyard.backends.llamacpp.network import AT_ONCE, Network, most_sequences
from steelyard.backends.llamacpp.prefix import Prefix
from steelyard.backends.llamacpp.settings import count, settings
from steelyard.backends.ort import labels
from steelyard.backends.ort.labels import Scale, Tree
from steelyard.backends.ort.prefix import Inputs
from steelyard.backends.ort.tokens import answer_tokens, end_of_turn, prompt_of, tokenizer_at
from steelyard.errors import Refusal

MODEL, TOKENIZER = "model.gguf", "tokenizer.json"
OWN_OPTIONS = ("together",)
# By how much a label may differ when run alone: rounding (fp16 cache), not another sum.
ABSOLUTE, RELATIVE = 0.25, 0.02

Floats = NDArray[np.float64]


class DecoderSession:
    """Scores labels after a prompt. The tokens that all prompts begin with are run once, at open.

    Then a text's own tokens are run, and after them the labels' tokens as a tree, at most
    `together` labels at a time, which is no more than llama.cpp has sequences for.
    """

    def __init__(self, network: Network, tokenizer: Tokenizer, spec: SessionSpec) -> None:
        self._network = network
        prompt = prompt_of(spec)
        self._ids = tuple(label.id for label in spec.labels)
        self._answers = answer_tokens(tokenizer, prompt, Path(spec.artifact))
        self._end = end_of_turn(tokenizer, Path(spec.artifact))
        self._trees = trees(self._answers, _together(spec))
        self._scale = Scale(
            lengths=self.label_lengths(),
            mean=prompt.normalisation == "mean",
            priors=prompt.priors,
        )
        self._prefix = Prefix(network, tokenizer, prompt)

    def encode(self, text: str) -> Inputs:
        """Tokenise the whole prompt; what is held of it need not be run again."""
        return self._prefix.encode(text)

    def infer(self, inputs: Inputs) -> Floats:
        """Return the summed log-probability of every label."""
        self._prefix.hold(inputs.start)
        tokens, end = inputs.tokens.tolist(), inputs.start + len(inputs.tokens)
        rows = self._network.run(inputs.start, tokens, self._trees[0])
        found = [labels.sums(self._trees[0], rows)]
        for tree in self._trees[1:]:
            nodes = self._network.run(end, (), tree)
            found.append(labels.sums(tree, np.concatenate([rows[:1], nodes])))
        return np.concatenate(found).astype(np.float64)

    def decode(self, outputs: Floats) -> Answer:
        """Name the label with the best score; all scores are in the task's order."""
        scores = tuple(self._scale.score(i, float(total)) for i, total in enumerate(outputs))
        return Answer(label=self._ids[int(np.argmax(scores))], scores=scores)

    def label_log_likelihoods(self, text: str) -> tuple[float, ...]:
        """Return the summed token log-likelihood of every label, without priors."""
        return tuple(float(total) for total in self.infer(self.encode(text)))

    def label_lengths(self) -> tuple[int, ...]:
        """Return how many tokens a label's score is summed over, the end of the turn included."""
        return tuple(len(answer) for answer in self._answers)

    def prompt_tokens(self, text: str) -> PromptTokens:
        """Return how long the prompt of a text is, and how much of it is held."""
        return self._prefix.sizes(text)

    def generate(self, text: str, max_new_tokens: int) -> Iterator[int]:
        """Yield the most probable token again and again, until the turn ends or it is enough."""
        inputs = self.encode(text)
        self._prefix.hold(inputs.start)
        yield from greedy(self._network, inputs, self._end, max_new_tokens)

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return self._network.facts

    def check(self) -> None:
        """Score a label in the plainest way too; raise Refusal where that says something else.

        A model with a state instead of attention cannot be asked for labels side by side.
        """
        inputs = self.encode("a")
        label = int(np.argmax(self.label_lengths()))
        found = float(self.infer(inputs)[label])
        alone = self._alone(inputs, self._answers[label])
        if not abs(found - alone) <= ABSOLUTE + RELATIVE * abs(alone):
            raise Refusal(
                f"labels side by side score {found:.4g} where one label alone scores {alone:.4g}: "
                "llama.cpp cannot ask this architecture so"
            )

    def close(self) -> None:
        """Free the model."""
        self._network.close()

    def _alone(self, inputs: Inputs, answer: Sequence[int]) -> float:
        """Return a label's sum, one token after the other."""
        self._prefix.hold(inputs.start)
        rows = self._network.run(inputs.start, inputs.tokens.tolist())
        end, total = inputs.start + len(inputs.tokens), 0.0
        for step, token in enumerate(answer):
            place = np.array([0]), np.array([token])
            total += float(labels.log_probabilities(rows, *place)[0])
            rows = self._network.run(end + step, [token])
        return total


def trees(answers: Sequence[Sequence[int]], together: int) -> tuple[Tree, ...]:
    """Divide labels, in their order, into trees of at most `together` labels."""
    starts = range(0, len(answers), together)
    return tuple(labels.grow(answers[start : start + together]) for start in starts)


def open_decoder(spec: SessionSpec) -> DecoderSession:
    """Open the artefact of the recipe `gguf-llamacpp`."""
    folder = Path(spec.artifact)
    asked = settings(spec, OWN_OPTIONS)
    tokenizer = tokenizer_at(folder / TOKENIZER)
    sequences = 1 + min(_together(spec), len(spec.labels))
    session = DecoderSession(Network(folder / MODEL, asked, sequences), tokenizer, spec)
    session.check()
    return session


def _together(spec: SessionSpec) -> int:
    return min(count(spec, "together", AT_ONCE), most_sequences() - 1)
