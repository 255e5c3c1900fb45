"""A prompt whose beginning, which all texts share, is run once and stays held."""

from __future__ import annotations

from tokenizers import Tokenizer

from steelyard.api import PromptTokens, RenderedPrompt
from steelyard.backends.llamacpp.network import Network
from steelyard.backends.ort.prefix import Inputs
from steelyard.backends.ort.tokens import PromptReader, common
from steelyard.errors import WorkerError


class Prefix:
    """The tokens that every prompt begins with, held by a network.

    A prompt that parts from them earlier, as with an odd first character, is run from there and
    they are run again for the next: the network holds one prompt at a time.
    """

    def __init__(self, network: Network, tokenizer: Tokenizer, prompt: RenderedPrompt) -> None:
        """Run the tokens: work that is done once, when a session is opened."""
        size = tokenizer.get_vocab_size(with_added_tokens=True)
        if size > network.vocabulary:
            raise WorkerError(
                f"its tokenizer has {size} tokens, its weights {network.vocabulary}: "
                "these files do not belong together"
            )
        self._network = network
        self._reader = PromptReader(tokenizer, prompt)
        self._tokens = self._reader.shared()
        network.run(0, self._tokens.tolist())
        self._held = len(self._tokens)

    def encode(self, text: str) -> Inputs:
        """Tokenise the whole prompt; what is held of it need not be run again."""
        tokens = self._reader.tokens(text)
        start = common(self._tokens, tokens[:-1])
        return Inputs(start=start, tokens=tokens[start:])

    def sizes(self, text: str) -> PromptTokens:
        """Return how long the prompt of a text is, and how much of it is held."""
        inputs = self.encode(text)
        return PromptTokens(total=inputs.start + len(inputs.tokens), cached=inputs.start)

    def hold(self, length: int) -> None:
        """Have the first `length` tokens held, those that were forgotten run again."""
        if length > self._held:
            self._network.run(self._held, self._tokens[self._held : length].tolist())
        self._held = length
