"""A decoder in llama.cpp: tokens after held ones, a tree of labels beside each other after them.

A token is held once and belongs to sequences: those of the prompt to all of them, a node of the
tree to those of the labels that go through it. A token sees the earlier ones of its sequence, so
that a node sees its prompt and its ancestors. Forgetting is removing tokens from sequences.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from msgspec import Struct

from steelyard.backends.llamacpp.settings import FLASH, TYPES, Settings, heard, listen
from steelyard.backends.ort import labels
from steelyard.backends.ort.labels import ROOT, FloatArray, Tree
from steelyard.errors import Refusal, WorkerError

# Tokens a call: attention takes memory by what is run at once, and a longer call gains nothing.
AT_ONCE = 512
NOTHING = labels.grow([])


class Placed(Struct, frozen=True):
    """A token, the place in its sequences that it takes, and the sequences."""

    token: int
    position: int
    sequences: tuple[int, ...]


class Network:
    """An opened GGUF file with `sequences` sequences, of which 0 is the prompt's own."""

    def __init__(self, path: Path, asked: Settings, sequences: int) -> None:
        listen()
        self._model: Any = _loaded(path)
        vocabulary: Any = llama_cpp.llama_model_get_vocab(self._model)
        self.vocabulary = int(llama_cpp.llama_vocab_n_tokens(vocabulary))
        longest = int(llama_cpp.llama_model_n_ctx_train(self._model))
        self.room = min(asked.context, longest)
        self._every = tuple(range(sequences))
        self._context = self._opened(path, asked)
        self._memory: Any = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(AT_ONCE, 0, sequences)
        self.facts = _facts(self._model, asked)

    def run(self, start: int, tokens: Sequence[int], tree: Tree = NOTHING) -> FloatArray:
        """Run `tokens` after the first `start` held ones, and a tree's nodes after them.

        Returns the last token's logits, then the nodes', (1 + nodes, vocabulary); without tokens
        only the nodes'. The tokens are held then, the nodes until the next run.
        """
        self.forget(start)
        end = start + len(tokens)
        prompt = [
            Placed(token, position, self._every)
            for position, token in enumerate(map(int, tokens), start)
        ]
        nodes = placed(tree, end)
        if end + len(nodes) > self.room:
            raise Refusal(
                f"a prompt of {end} tokens with its answer is longer than the {self.room} that are "
                "held at once; cut texts shorter, use fewer shots, or raise session_options.context"
            )
        # Together: for a few tokens, reading the weights takes longer than computing with them.
        return self._decoded([*prompt, *nodes], [*_last_of(prompt), *(True for _ in nodes)])

    def forget(self, start: int) -> None:
        """Hold no more than the first `start` tokens."""
        for sequence in self._every:
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, start, -1)

    def close(self) -> None:
        """Free everything."""
        if self._model is None:
            return
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)
        self._model = None

    def _opened(self, path: Path, asked: Settings) -> Any:
        given = llama_cpp.llama_context_default_params()
        given.n_ctx = self.room
        given.n_batch = given.n_ubatch = AT_ONCE
        given.n_seq_max = len(self._every)
        given.n_threads = given.n_threads_batch = asked.threads
        given.type_k = given.type_v = TYPES[asked.cache]
        given.flash_attn_type = FLASH[asked.flash_attention]
        # One store for all sequences: what they share is held once.
        given.kv_unified = True
        given.no_perf = True
        context = llama_cpp.llama_init_from_model(self._model, given)
        if context is None:
            raise WorkerError(f"{path}: cannot be run: {heard()}")
        return context

    def _decoded(self, tokens: Sequence[Placed], wanted: Sequence[bool]) -> FloatArray:
        """Run tokens; return the logits of those that are wanted."""
        rows: list[FloatArray] = []
        for first in range(0, len(tokens), AT_ONCE):
            looked_at = wanted[first : first + AT_ONCE]
            self._fill(tokens[first : first + AT_ONCE], looked_at)
            status = llama_cpp.llama_decode(self._context, self._batch)
            if status != 0:
                raise WorkerError(f"llama_decode ended with {status}: {heard()}")
            rows += [self._logits(i) for i, look in enumerate(looked_at) if look]
        return np.stack(rows) if rows else np.empty((0, self.vocabulary), np.float32)

    def _fill(self, tokens: Sequence[Placed], wanted: Sequence[bool]) -> None:
        batch: Any = self._batch
        batch.n_tokens = len(tokens)
        for i, (one, looked_at) in enumerate(zip(tokens, wanted, strict=True)):
            batch.token[i] = one.token
            batch.pos[i] = one.position
            batch.n_seq_id[i] = len(one.sequences)
            for j, sequence in enumerate(one.sequences):
                batch.seq_id[i][j] = sequence
            batch.logits[i] = looked_at

    def _logits(self, index: int) -> FloatArray:
        found = llama_cpp.llama_get_logits_ith(self._context, index)
        # The next run writes over it.
        row: FloatArray = np.ctypeslib.as_array(found, shape=(self.vocabulary,)).copy()
        return row


def placed(tree: Tree, end: int) -> list[Placed]:
    """Return a tree's nodes as tokens after `end` others; label i's sequence is i + 1."""
    through: list[list[int]] = [[] for _ in tree.tokens]
    for label, path in enumerate(tree.paths):
        for step in path:
            if step.place != ROOT:
                through[step.place].append(label + 1)
    return [
        Placed(token, end - 1 + int(depth), tuple(sequences))
        for token, depth, sequences in zip(tree.tokens, labels.depths(tree), through, strict=True)
    ]


def most_sequences() -> int:
    """Return how many sequences llama.cpp was built for."""
    return int(llama_cpp.llama_max_parallel_sequences())


def _last_of(tokens: Sequence[Placed]) -> list[bool]:
    return [position + 1 == len(tokens) for position in range(len(tokens))]


def _loaded(path: Path) -> Any:
    if not path.is_file():
        raise WorkerError(f"{path}: no such file; prepare the artefact again")
    llama_cpp.llama_backend_init()
    given = llama_cpp.llama_model_default_params()
    given.n_gpu_layers = 0
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), given)
    if model is None:
        raise WorkerError(f"{path}: llama.cpp cannot load it: {heard()}")
    return model


def _facts(model: Any, asked: Settings) -> tuple[str, ...]:
    said = ctypes.create_string_buffer(256)
    llama_cpp.llama_model_desc(model, said, len(said))
    flash = "with" if asked.flash_attention else "without"
    library = f"llama.cpp by llama-cpp-python {llama_cpp.__version__}"
    how = f"{asked.threads} threads, cache {asked.cache}, {flash} flash attention"
    built_for = llama_cpp.llama_print_system_info().decode().strip()
    return (f"{library}: cpu, {said.value.decode()}, {how}", built_for)
