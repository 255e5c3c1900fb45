"""What a card may say of fine-tuning an encoder, and what is noted of it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.recipes import options

FEWEST_EPOCHS = 2


class Settings(Struct, frozen=True, kw_only=True):
    """The card's options, read and checked.

    At most `epochs` rounds over the items, fewer where they would pass more than `tokens` tokens:
    that bounds the time of a fold whatever the length of its texts. A `held_out`th part of the
    items decides which round is kept; after `patience` rounds without a better one it stops.
    `threads` is fixed since sums, and so bytes, depend on it.
    """

    batch: int
    epochs: int
    held_out: int
    head_rate: float
    max_length: int
    max_train: int
    pairs: bool
    patience: int
    rate: float
    seed: int
    threads: int
    tokens: int


DEFAULTS = Settings(
    batch=16,
    epochs=8,
    held_out=8,
    head_rate=1e-3,
    max_length=128,
    max_train=1000,
    pairs=False,
    patience=2,
    rate=1e-4,
    seed=0,
    threads=2,
    tokens=120_000,
)
KNOWN = Settings.__struct_fields__
# The smallest value that makes sense of those that are counts.
LEAST = {
    "batch": 1,
    "epochs": 1,
    "held_out": 2,
    "max_length": 4,
    "max_train": 2,
    "patience": 1,
    "threads": 1,
    "tokens": 1,
}


class Learned(Struct, frozen=True, kw_only=True):
    """What `learned.json` says of a fold."""

    parameters: int
    labelled_items: int
    note: str


def settings_of(given: Mapping[str, Option]) -> Settings:
    """Read the options over the defaults; raise PrepareError for one of a wrong type or size."""
    found = {name: options.read(given, name, getattr(DEFAULTS, name)) for name in KNOWN}
    for name, least in LEAST.items():
        if found[name] < least:
            raise PrepareError(f"options.{name}: expected at least {least}, got {found[name]}")
    return Settings(**found)


def planned_epochs(tokens: int, settings: Settings) -> int:
    """Return how many rounds over items of so many tokens the settings allow."""
    affordable = max(FEWEST_EPOCHS, settings.tokens // max(1, tokens))
    return min(settings.epochs, affordable)


def rate_at(step: int, steps: int) -> float:
    """Return the share of the learning rate at a step: a tenth to rise, then straight to zero."""
    warm = max(1, steps // 10)
    if step < warm:
        return (step + 1) / warm
    return max(0.0, (steps - step) / max(1, steps - warm))


def batches(lengths: list[int], order: list[int], size: int) -> list[list[int]]:
    """Cut a shuffled order into batches of texts of like length, so that little is filled up.

    Neighbours of sixteen batches are sorted by length; the longest item leads its batch.
    """
    window = 16 * size
    cut: list[list[int]] = []
    for start in range(0, len(order), window):
        near = sorted(order[start : start + window], key=lambda index: -lengths[index])
        cut += [near[at : at + size] for at in range(0, len(near), size)]
    return cut
