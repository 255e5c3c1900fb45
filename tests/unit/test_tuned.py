"""A run that tunes for itself leaves nothing tuned, however it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.builders import header, record
from tests.unit.tuned_board import (
    GOVERNORS,
    NO_TURBO,
    Killed,
    Mortal,
    board,
    place,
    reboot,
    untouched,
    values,
)

from steelyard import store, tuned, tuning, tuning_journal
from steelyard.errors import Refusal
from steelyard.record import TunedSetting
from steelyard.store import Journal
from steelyard.tuning import Tuning, Wishes
from steelyard.tuning_journal import JOURNAL

GOVERNOR = TunedSetting(path=GOVERNORS[0], original="schedutil", value="performance")


def steps_until_the_run(root: Path) -> int:
    disk = Mortal(board(root))
    with tuned.for_run(place(root, disk), Wishes()):
        return disk.steps


def killed_while_measuring(root: Path) -> Path:
    """Leave what such a run leaves: its lock is free, its settings are not back."""
    last = steps_until_the_run(root)
    board(root)
    with pytest.raises(Killed), tuned.for_run(place(root, Mortal(root, last)), Wishes()):
        pass
    return root


def test_a_run_is_tuned_and_set_back_after_it(tmp_path: Path) -> None:
    root = board(tmp_path)

    with tuned.for_run(place(root), Wishes()) as state:
        assert values(root)[GOVERNORS[0]] == "performance"
        assert tuned.kept(state)[0] == GOVERNOR

    assert untouched(root)
    assert not (root / JOURNAL).exists()


@pytest.mark.parametrize("end", [KeyboardInterrupt, ValueError, SystemExit])
def test_a_run_that_is_interrupted_or_fails_is_set_back_too(
    tmp_path: Path, end: type[BaseException]
) -> None:
    root = board(tmp_path)

    with pytest.raises(end), tuned.for_run(place(root), Wishes()):
        raise end

    assert untouched(root)


def test_a_run_killed_at_any_step_leaves_nothing_tuned_after_the_next_look(
    tmp_path: Path,
) -> None:
    for last in range(steps_until_the_run(tmp_path)):
        root = board(tmp_path)
        with pytest.raises(Killed), tuned.for_run(place(root, Mortal(root, last)), Wishes()):
            pass

        tuning.status(place(root))

        assert untouched(root), f"killed before step {last}"


def test_a_run_killed_while_it_measures_is_made_good_by_the_next_one(tmp_path: Path) -> None:
    root = killed_while_measuring(tmp_path)
    assert not untouched(root)

    with tuned.for_run(place(root), Wishes()) as state:
        assert "a run that was killed had left 4 settings tuned" in state.notes[0]
        assert tuned.kept(state)[0] == GOVERNOR  # the original, not what the dead run had set

    assert untouched(root)


def test_without_root_a_killed_runs_settings_are_told_and_left(tmp_path: Path) -> None:
    root = killed_while_measuring(tmp_path)
    before = values(root)

    state = tuning.status(place(root, user=1000))

    assert "a run was killed half way; set its changes back with: sudo" in state.notes[0]
    assert values(root) == before


def test_a_run_under_way_is_not_mistaken_for_a_killed_one(tmp_path: Path) -> None:
    root = board(tmp_path)

    with tuned.for_run(place(root), Wishes()):
        assert tuning.status(place(root)).on
        assert values(root)[GOVERNORS[0]] == "performance"


def test_what_was_tuned_before_the_run_stays_tuned_after_it(tmp_path: Path) -> None:
    root = board(tmp_path)
    tuning.on(place(root), Wishes(no_turbo=True))

    with tuned.for_run(place(root), Wishes()) as state:
        assert state.notes == ("tuned already by 'steelyard tune on', and left so",)

    assert values(root)[NO_TURBO] == "1"
    tuning.off(place(root))
    assert untouched(root)


def test_two_tuned_runs_at_once_are_refused(tmp_path: Path) -> None:
    root = board(tmp_path)

    with tuned.for_run(place(root), Wishes()):
        second = tuned.for_run(place(root), Wishes())
        with pytest.raises(Refusal, match="another 'steelyard run --tune' is under way"):
            second.__enter__()
        assert values(root)[GOVERNORS[0]] == "performance"

    assert untouched(root)


def test_without_root_nothing_is_touched_and_the_command_is_named(tmp_path: Path) -> None:
    root = board(tmp_path)

    with (
        pytest.raises(Refusal, match="only root may tune this machine\ntry: sudo"),
        tuned.for_run(place(root, user=1000), Wishes()),
    ):
        pass

    assert not (root / "var").exists()


def test_a_machine_with_nothing_to_tune_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with (
        pytest.raises(Refusal, match="no CPU clock to tune"),
        tuned.for_run(place(tmp_path), Wishes()),
    ):
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_reboot_sets_back_what_a_killed_run_has_left(tmp_path: Path) -> None:
    root = killed_while_measuring(tmp_path)
    reboot(root)

    assert tuning.status(place(root)) == Tuning(
        on=False, notes=("a reboot has set back what was tuned; its journal is dropped",)
    )


def test_a_journal_without_a_word_of_runs_is_that_of_tune_on(tmp_path: Path) -> None:
    root = board(tmp_path)
    tuning.on(place(root), Wishes())
    journal = (root / JOURNAL).read_text()
    (root / JOURNAL).write_text(journal.replace(',"for_run":false', ""))

    read = tuning_journal.read(root)
    assert read is not None
    assert not read.for_run
    assert tuning.status(place(root)).on


def test_run_files_keep_what_was_tuned(tmp_path: Path) -> None:
    Journal.start(tmp_path, header(tuned=(GOVERNOR,))).append(record()).close()

    (run,) = store.read_runs(tmp_path)
    assert run.tuned == (GOVERNOR,)
