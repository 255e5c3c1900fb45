"""Points of a learning curve: which subsets of the train items a suite asks for, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, structs

from steelyard import plugins
from steelyard.card import Variant
from steelyard.record import Subset

ALL: Literal["all"] = "all"
Size = Annotated[int, Meta(ge=1, le=10_000_000)] | Literal["all"]
ACCURACY_ONLY = "a point of a learning curve: its accuracy is measured, nothing else"


def asked(variant: str, labels: Sequence[Size], draws: int) -> tuple[Subset, ...]:
    """Return a subset a size and draw, in the order given; of all labels there is only one."""
    return tuple(
        Subset(variant=variant, labels=None if size == ALL else size, draw=draw)
        for size in labels
        for draw in range(1 if size == ALL else draws)
    )


def named(variant: Variant, subset: Subset) -> Variant:
    """Return the variant under the name of its subset: `fp32-8x0`, `fp32-all`.

    It has no parent: quantising and learning from less are two differences, not one.
    """
    size = ALL if subset.labels is None else f"{subset.labels}x{subset.draw}"
    return structs.replace(variant, id=f"{subset.variant}-{size}", parent=None)


def refusal(variant: Variant, subset: Subset, task: str, labels: int) -> str | None:
    """Say why a task of so many labels cannot be learned from a subset, or return None."""
    if not plugins.load("recipes", variant.recipe).trains:
        return f"recipe {variant.recipe!r} learns nothing from labels: it has no learning curve"
    if subset.labels is not None and subset.labels < labels:
        return too_few(subset.labels, task, labels)
    return None


def too_few(size: int, task: str, labels: int) -> str:
    """Say that a subset cannot hold an example of every label."""
    return (
        f"{size} labelled items cannot hold one of each of the {labels} labels of {task}; "
        f"ask for {labels} or more"
    )
