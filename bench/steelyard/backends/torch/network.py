"""A decoder on torch: batches of prompts after held keys and values, labels side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray
from transformers import DynamicCache

from steelyard.backends.ort.labels import IntArray, Tree
from steelyard.backends.torch.device import Place
from steelyard.backends.torch.layout import BoolArray, Rest, lay_out

Floats = NDArray[np.float64]


class Held(Struct, frozen=True, kw_only=True):
    """Keys and values of tokens that were run before, and which of them each row may see.

    `layers` has a pair a layer, each (rows, heads, K, width) or one row for all; `seen` is (B, K).
    """

    layers: tuple[tuple[Any, Any], ...]
    seen: BoolArray


class Ran(Struct, frozen=True, kw_only=True):
    """What a run gave: logits (B, looked at, vocabulary) on the device, and what is held now."""

    logits: Any
    held: Held


class Network:
    """A loaded causal language model."""

    def __init__(self, model: Any, place: Place) -> None:
        self._model = model
        self._device = place.device
        self._hidden = torch.finfo(place.dtype).min
        self._dtype = place.dtype
        config = model.config.get_text_config()
        reach = (getattr(config, name, None) for name in ("sliding_window", _LONGEST))
        # Beyond a sliding window a token no longer sees the first ones, which our mask shows it.
        self.room = min((int(length) for length in reach if length), default=None)

    @torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is not checked
    def plain(self, tokens: Sequence[int], last: int) -> float:
        """Return the log-probability of the `last` tokens, by one run without cache or mask."""
        ids = torch.tensor([list(tokens)], device=self._device)
        logits = self._model(input_ids=ids, use_cache=False, logits_to_keep=last + 1).logits[0]
        steps = torch.log_softmax(logits[:-1].float(), dim=-1)
        return float(steps.gather(1, ids[0, -last:, None]).sum())

    @torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is not checked
    def hold(self, tokens: IntArray) -> Held:
        """Return the keys and values of a prompt's beginning."""
        nothing = Held(layers=(), seen=np.zeros((1, 0), np.bool_))
        if not len(tokens):
            return nothing
        ids = torch.from_numpy(tokens)[None].to(self._device)
        cache = DynamicCache()
        self._model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return Held(layers=_layers(cache), seen=np.ones((1, len(tokens)), np.bool_))

    @torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is not checked
    def run(self, held: Held, rests: Sequence[Rest], tree: Tree) -> Ran:
        """Run the rests of prompts, each followed by a tree's nodes.

        The logits are of each prompt's last token, then of the nodes; without any prompt's token
        only of the nodes.
        """
        batch = lay_out(rests, held.seen, tree)
        cache = self._cache(held, len(rests))
        seen = torch.from_numpy(batch.seen).to(self._device)
        bias = torch.zeros(seen.shape, dtype=self._dtype, device=self._device)
        bias.masked_fill_(~seen, self._hidden)
        width = batch.tokens.shape[1]
        wanted = torch.arange(max(batch.prompt - 1, 0), width, device=self._device)
        logits = self._model(
            input_ids=torch.from_numpy(batch.tokens).to(self._device),
            attention_mask=bias[:, None],
            position_ids=torch.from_numpy(batch.positions).to(self._device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=wanted,
        ).logits
        now = np.concatenate([held.seen, batch.real], axis=1)
        return Ran(logits=logits, held=Held(layers=_layers(cache), seen=now))

    def _cache(self, held: Held, rows: int) -> DynamicCache:
        cache = DynamicCache()
        for index, (keys, values) in enumerate(held.layers):
            cache.update(
                keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer_idx=index
            )
        return cache


_LONGEST = "max_position_embeddings"


@torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is not checked
def sums(tree: Tree, logits: Any) -> Floats:
    """Return each row's summed log-probability of each label, (B, labels), on the host.

    `logits` are the prompt's last token's, then the nodes'. Added up in double precision and in a
    fixed order: a GPU's own sums are in any order.
    """
    steps = [(label, step) for label, path in enumerate(tree.paths) for step in path]
    places = torch.tensor([step.place + 1 for _, step in steps], device=logits.device)
    tokens = torch.tensor([step.token for _, step in steps], device=logits.device)
    # Row by row: in full precision the logits of a whole batch may not fit.
    whole = torch.stack([torch.logsumexp(row.float(), dim=-1) for row in logits])
    picked = logits[:, places, tokens].float() - whole[:, places]
    values = picked.cpu().numpy().astype(np.float64)
    totals = np.zeros((len(tree.paths), len(values)))
    np.add.at(totals, np.array([label for label, _ in steps]), values.T)
    return np.ascontiguousarray(totals.T)


def _layers(cache: Any) -> tuple[tuple[Any, Any], ...]:
    return tuple((layer.keys, layer.values) for layer in cache.layers)
