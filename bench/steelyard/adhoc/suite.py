"""A suite's tasks and items with other models: those that a person named on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import structs

from steelyard.adhoc.card import variant_for
from steelyard.adhoc.making import Desk, card_of
from steelyard.adhoc.reference import parse
from steelyard.card import Role, TaskCard
from steelyard.catalog import Catalog, Found
from steelyard.errors import Refusal
from steelyard.plan import Entry, Suite

SLOW = "cpu-all"


def added(
    suite: Suite, catalog: Catalog, names: Sequence[str], device: str | None, desk: Desk
) -> tuple[Suite, Catalog]:
    """Return the suite with the named models in place of its own, and the catalogue with them.

    A name is a card's (`MODEL` or `MODEL@VARIANT`), or a `hub:` or `path:` reference. Each is asked
    as the suite asks its own models of the same role, on `device` if one is given.
    """
    models = dict(catalog.models)
    entries = []
    for name in names:
        reference = parse(name)
        if reference is None:
            card = catalog.model(name.partition("@")[0]).card
            entry = _entry(suite, catalog, card.role, device)
        else:
            found = card_of(reference, _suites_first(suite, catalog), desk)
            card = found.card
            models[card.id] = found
            _check_served(suite, card.tasks, name)
            entry = _entry(suite, catalog, card.role, device)
            name = f"{card.id}@{variant_for(card, entry.device)}"  # noqa: PLW2901
        entries.append(structs.replace(entry, models=(name,)))
    wider = structs.replace(catalog, models=models)
    return structs.replace(suite, entries=tuple(entries)), wider


def _suites_first(suite: Suite, catalog: Catalog) -> dict[str, Found[TaskCard]]:
    """Return all tasks, those of the suite first: they are what a refusal names."""
    own = {name: catalog.tasks[name] for name in suite.tasks if name in catalog.tasks}
    return {**own, **catalog.tasks}


def _entry(suite: Suite, catalog: Catalog, role: Role, device: str | None) -> Entry:
    """Return how the suite asks models of a role: the first entry that has one."""
    like = next(
        (entry for entry in suite.entries if role in _roles(entry, catalog)),
        Entry(models=("none",), device=SLOW),
    )
    return structs.replace(like, tasks=(), device=device or like.device)


def _roles(entry: Entry, catalog: Catalog) -> Iterator[Role]:
    for name in entry.models:
        model = name.partition("@")[0]
        if model in catalog.models:
            yield catalog.models[model].card.role


def _check_served(suite: Suite, served: Sequence[str], name: str) -> None:
    asked = {task for entry in suite.entries for task in entry.tasks or suite.tasks}
    asked |= set(suite.tasks)
    if "*" not in served and not asked & set(served):
        raise Refusal(
            f"{name}: serves {', '.join(served)}, suite {suite.name!r} has only "
            f"{', '.join(sorted(asked))}"
        )
