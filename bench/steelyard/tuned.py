"""Tune for one run, only when asked, and set back after it, however it ends."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from msgspec import structs

from steelyard import tuning, tuning_journal
from steelyard.record import TunedSetting
from steelyard.tuning import Place, Tuning, Wishes


@contextmanager
def for_run(place: Place, wishes: Wishes) -> Generator[Tuning, None, None]:
    """Tune while the block lasts; what `tune on` has tuned before is left as it is.

    A killed run leaves its journal: the next `run` or `tune` as root sets back what it names.
    Raises Refusal as `tuning.on` does, and where another run has tuned for itself.
    """
    tuning.require_root(place)
    tuning.wanted_changes(place.machine, wishes)  # Refuse before anything is written.
    # Before the lock is ours, or a dead run's settings would pass for those of one that lasts.
    before = tuning.status(place)
    with tuning_journal.running(place.disk):
        if before.on:
            note = "tuned already by 'steelyard tune on', and left so"
            yield structs.replace(before, notes=(*before.notes, note))
            return
        try:
            begun = tuning.on(place, wishes, for_run=True)
            yield structs.replace(begun, notes=(*before.notes, *begun.notes))
        finally:
            tuning.off(place)


def kept(state: Tuning) -> tuple[TunedSetting, ...]:
    """Return what is tuned, for the records of a run."""
    return tuple(
        TunedSetting(path=setting.path, original=setting.original, value=setting.present)
        for setting in state.settings
        if setting.present is not None and setting.present != setting.original
    )
