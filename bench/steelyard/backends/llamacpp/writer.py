"""Answer in words with llama.cpp: greedy generation, read back into the task's notation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from tokenizers import Tokenizer

from steelyard import written
from steelyard.api import Answer, PromptTokens, SessionSpec
from steelyard.backends.llamacpp.decoder import MODEL, TOKENIZER
from steelyard.backends.llamacpp.generation import greedy
from steelyard.backends.llamacpp.network import Network
from steelyard.backends.llamacpp.prefix import Prefix
from steelyard.backends.llamacpp.settings import count, settings
from steelyard.backends.ort.prefix import Inputs
from steelyard.backends.ort.tokens import end_of_turn, prompt_of, tokenizer_at
from steelyard.card import AnswerKind
from steelyard.errors import WorkerError

OWN_OPTIONS = ("max_new_tokens",)
# A line written so often is a loop, which greedy generation does not leave.
LOOP = 4


class Asked(Struct, frozen=True, kw_only=True):
    """A text, and what of its prompt is still to be run."""

    text: str
    inputs: Inputs


class Said(Struct, frozen=True, kw_only=True):
    """A text, and the tokens written in answer to it."""

    text: str
    tokens: tuple[int, ...]


class WriterSession:
    """Writes answers: spans, numbers or text, as steelyard.written reads them.

    It stops where onnxruntime's session of that name stops: at the end of the turn, after
    `max_new_tokens`, in a loop of lines, and where the answer is a text, after its first line.
    """

    def __init__(self, network: Network, tokenizer: Tokenizer, spec: SessionSpec) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._kind: AnswerKind = spec.answers
        self._labels = spec.labels
        self._limit = count(spec, "max_new_tokens", 1024)
        self._end = end_of_turn(tokenizer, Path(spec.artifact))
        self._prefix = Prefix(network, tokenizer, prompt_of(spec))

    def encode(self, text: str) -> Asked:
        """Tokenise the whole prompt; what is held of it need not be run again."""
        return Asked(text=text, inputs=self._prefix.encode(text))

    def infer(self, inputs: Asked) -> Said:
        """Write until the answer is over."""
        tokens: list[int] = []
        for token in self._tokens(inputs.inputs, self._limit):
            if token == self._end:
                break
            tokens.append(token)
            if "\n" in self._tokenizer.decode([token]) and self._is_over(tokens):
                break
        return Said(text=inputs.text, tokens=tuple(tokens))

    def decode(self, outputs: Said) -> Answer:
        """Read the answer; one that cannot be read is an empty one, and says so."""
        said = self._tokenizer.decode(list(outputs.tokens))
        answer = written.read(said, outputs.text, self._labels, self._kind)
        if answer is None:
            return Answer(label=written.empty(self._kind), unreadable=True)
        return Answer(label=answer)

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return self._network.facts

    def prompt_tokens(self, text: str) -> PromptTokens:
        """Return how long the prompt of a text is, and how much of it is held."""
        return self._prefix.sizes(text)

    def generate(self, text: str, max_new_tokens: int) -> Iterator[int]:
        """Yield the most probable token again and again, until the turn ends or it is enough."""
        yield from self._tokens(self._prefix.encode(text), max_new_tokens)

    def close(self) -> None:
        """Free the model."""
        self._network.close()

    def _tokens(self, inputs: Inputs, limit: int) -> Iterator[int]:
        self._prefix.hold(inputs.start)
        yield from greedy(self._network, inputs, self._end, limit)

    def _is_over(self, tokens: list[int]) -> bool:
        """Tell, at the end of a line, whether nothing more is to be read."""
        lines = [line.strip() for line in self._tokenizer.decode(tokens).splitlines()]
        said = [line for line in lines if line]
        if self._kind == "text":
            return bool(said)
        return self._kind == "spans" and max(Counter(said).values(), default=0) >= LOOP


def open_writer(spec: SessionSpec) -> WriterSession:
    """Open the artefact of the recipe `gguf-llamacpp`."""
    if spec.answers == "label":
        raise WorkerError(
            "session 'writer' writes spans, numbers or text; give the variant "
            'answers = ["spans", "numbers", "text"] in the model\'s card'
        )
    folder = Path(spec.artifact)
    tokenizer = tokenizer_at(folder / TOKENIZER)
    network = Network(folder / MODEL, settings(spec, OWN_OPTIONS), sequences=1)
    return WriterSession(network, tokenizer, spec)
