"""How a runtime opens a model and answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from steelyard.api.items import Answer
from steelyard.card import AnswerKind, Label, Option


class RenderedPrompt(Struct, frozen=True, kw_only=True):
    """A prompt ready for a worker: `prefix` + text + `suffix`, then one of `answers` is scored.

    `normalisation` says how a label's token log-likelihoods become one score ("sum" or "mean");
    `priors` (one a label, empty for none) are subtracted from it.
    """

    prefix: str
    suffix: str
    answers: tuple[str, ...]
    max_chars: int
    normalisation: str = "sum"
    priors: tuple[float, ...] = ()


class SessionSpec(Struct, frozen=True, kw_only=True):
    """All that a backend needs to open a session. Paths are strings so that it travels as JSON.

    `device` is "cpu", or "cuda" where the plan asks for a GPU: then nothing else will do. `answers`
    is what the task wants of each item.
    """

    artifact: str
    session: str
    threads: int
    labels: tuple[Label, ...]
    options: dict[str, Option]
    prompt: RenderedPrompt | None = None
    device: str = "cpu"
    answers: AnswerKind = "label"


class Session(Protocol):
    """An opened model. The three phases are timed apart.

    `encode` turns what is asked, a text or a numpy array, into inputs; `infer` runs the model and
    returns only when the answer is on the host; `decode` turns outputs into an `Answer`. Inputs and
    outputs are the session's own business. Each call is about its item alone: a model with a state
    begins anew.
    """

    def encode(self, payload: Any, /) -> Any: ...

    def infer(self, inputs: Any) -> Any: ...

    def decode(self, outputs: Any) -> Answer: ...

    def close(self) -> None: ...


class LabelSession(Session, Protocol):
    """A session that scores whole labels by log-likelihood."""

    def label_log_likelihoods(self, text: str) -> tuple[float, ...]:
        """Return the summed token log-likelihood of every label, without priors."""
        ...

    def label_lengths(self) -> tuple[int, ...]:
        """Return how many tokens each label's score is summed over."""
        ...


@runtime_checkable
class BatchSession(Session, Protocol):
    """A session that also answers several items in one call; what the load shape `offline` needs.

    Where the runtime takes one item only, `infer_batch` may call it for one after the other.
    """

    def encode_batch(self, payloads: Sequence[Any], /) -> Any: ...

    def infer_batch(self, inputs: Any) -> Any: ...

    def decode_batch(self, outputs: Any) -> list[Answer]: ...


@runtime_checkable
class TogetherSession(BatchSession, Protocol):
    """A session that is best asked `together` items at once where only the answers matter.

    Only for those whose answers are the same as to single items, but for rounding.
    """

    together: int


@runtime_checkable
class DescribedSession(Session, Protocol):
    """A session that says what it really runs on; it is kept in the record."""

    def describe(self) -> tuple[str, ...]:
        """Name library, device and number format, each with its version where it has one."""
        ...


class PromptTokens(Struct, frozen=True, kw_only=True):
    """How long a prompt is, and how much of it was run before any text came."""

    total: int
    cached: int


@runtime_checkable
class GeneratorSession(Session, Protocol):
    """A session that writes freely; what the load shape `generate` needs."""

    def prompt_tokens(self, text: str) -> PromptTokens:
        """Return the size of the prompt that `generate` runs for a text."""
        ...

    def generate(self, text: str, max_new_tokens: int) -> Iterator[int]:
        """Yield tokens as each is known on the host, greedily, the end-of-turn token as the last.

        Work starts when the first is asked for.
        """
        ...


class Backend(Protocol):
    """A runtime. Constructed without arguments; importing its module must be cheap."""

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say why this machine cannot open it and what to do, or return None."""
        ...

    def open(self, spec: SessionSpec) -> Session:
        """Load the artefact and return a session."""
        ...


@runtime_checkable
class ImportingBackend(Backend, Protocol):
    """A backend that can load its libraries before it opens anything, so that both are timed."""

    def import_runtime(self, spec: SessionSpec) -> None:
        """Import what `open` needs."""
        ...


@runtime_checkable
class DeviceBackend(Backend, Protocol):
    """A backend that runs elsewhere than on the CPU; without `devices` that is all it does."""

    devices: tuple[str, ...]
