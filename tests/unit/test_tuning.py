"""Tuning sets what is asked, sets it back, and refuses what it cannot set back."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.tuned_board import (
    CPUFREQ,
    GOVERNORS,
    GPU,
    NO_TURBO,
    ORIGINALS,
    PREFERENCES,
    TUNED,
    WISHES,
    Mortal,
    board,
    call,
    place,
    untouched,
    values,
)

from steelyard import tuning
from steelyard.cli import tune
from steelyard.errors import Refusal
from steelyard.tuning import Setting, Tuning, Wishes
from steelyard.tuning_journal import JOURNAL, Disk


def test_on_sets_what_is_asked_and_off_sets_it_back(tmp_path: Path) -> None:
    root = board(tmp_path)

    result = tuning.on(place(root), WISHES)

    preferences = dict.fromkeys(PREFERENCES, "performance")
    assert values(root) == {**ORIGINALS, **TUNED, **preferences}
    assert result.on
    assert result.settings[0] == Setting(
        path=GOVERNORS[0], original="schedutil", wanted="performance", present="performance"
    )
    assert tuning.off(place(root)) == Tuning(on=False, notes=("6 settings are as they were",))
    assert untouched(root)
    assert not (root / JOURNAL).exists()


def test_without_options_only_the_governors_are_tuned(tmp_path: Path) -> None:
    root = board(tmp_path)

    tuning.on(place(root), Wishes())

    now = values(root)
    changed = {path for path in ORIGINALS if now[path] != ORIGINALS[path]}
    assert changed == {*GOVERNORS, *PREFERENCES}


def test_tuning_twice_keeps_the_first_originals(tmp_path: Path) -> None:
    root = board(tmp_path)
    tuning.on(place(root), WISHES)
    tuning.on(place(root), Wishes())

    assert values(root)[NO_TURBO] == "0"

    tuning.off(place(root))

    assert untouched(root)


@pytest.mark.parametrize("refused", list(TUNED))
def test_a_setting_that_the_kernel_refuses_has_the_others_set_back(
    tmp_path: Path, refused: str
) -> None:
    root = board(tmp_path)
    disk = Mortal(root)
    disk.refused = {refused}

    with pytest.raises(Refusal, match=f"/{refused}: cannot be set .* not permitted; all settings"):
        tuning.on(place(root, disk), WISHES)

    assert untouched(root)
    assert not (root / JOURNAL).exists()


def test_without_root_nothing_is_tuned_and_the_command_is_named(tmp_path: Path) -> None:
    root = board(tmp_path)

    for command in ("on", "off"):
        with pytest.raises(Refusal) as caught:
            call(command, place(root, user=1000))
        assert str(caught.value) == (
            "only root may tune this machine\ntry: sudo python -m steelyard tune on --no-turbo"
        )

    assert untouched(root)
    assert not (root / JOURNAL).exists()


def test_status_of_a_tuned_machine_shows_each_setting_as_it_is_now(tmp_path: Path) -> None:
    root = board(tmp_path)
    tuning.on(place(root), WISHES)
    (root / GOVERNORS[1]).write_text("ondemand\n")

    result = tuning.status(place(root))

    assert result.on
    assert {s.path: s.present for s in result.settings}[GOVERNORS[1]] == "ondemand"
    assert (root / JOURNAL).exists()


def test_a_machine_without_cpufreq_is_refused(tmp_path: Path) -> None:
    (tmp_path / tuning.BOOT_ID).parent.mkdir(parents=True)
    (tmp_path / tuning.BOOT_ID).write_text("boot-one\n")

    with pytest.raises(Refusal, match="no cpufreq; a virtual machine hides it"):
        tuning.on(place(tmp_path), Wishes())


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (NO_TURBO, "--no-turbo: neither"),
        (f"{GPU}/device/of_node/name", "--gpu-clock: no Jetson GPU"),
        (GOVERNORS[1], None),
    ],
)
def test_a_wish_that_this_machine_cannot_meet_is_refused_before_anything_changes(
    tmp_path: Path, missing: str, said: str | None
) -> None:
    root = board(tmp_path)
    tuning.on(place(root), Wishes())
    before = values(root)
    if said is None:
        (root / f"{CPUFREQ}/policy4/scaling_available_governors").write_text("powersave\n")
        said = "no governor 'performance' here, only: powersave"
    else:
        (root / missing).unlink()
        before = {path: value for path, value in before.items() if path != missing}

    with pytest.raises(Refusal, match=said):
        tuning.on(place(root), WISHES)

    assert {path: (root / path).read_text().strip() for path in before} == before


def test_boost_is_the_turbo_of_machines_without_intel_pstate(tmp_path: Path) -> None:
    boost = f"{CPUFREQ}/boost"
    root = board(tmp_path, **{boost: "1"})
    (root / NO_TURBO).unlink()

    tuning.on(place(root), Wishes(no_turbo=True))
    assert (root / boost).read_text() == "0"
    tuning.off(place(root))

    assert (root / boost).read_text() == "1"


def test_a_machine_that_is_as_wanted_gets_no_journal(tmp_path: Path) -> None:
    root = board(tmp_path, **TUNED)

    result = tuning.on(place(root), WISHES)

    assert result == Tuning(on=False, notes=("all settings are as wanted already",))
    assert not (root / JOURNAL).exists()


def test_off_where_nothing_is_tuned_writes_nothing(tmp_path: Path) -> None:
    root = board(tmp_path)

    assert tuning.off(place(root)) == Tuning(on=False, notes=("nothing is tuned",))
    assert not (root / "var").exists()


def test_the_command_prints_each_setting_and_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = board(tmp_path)
    monkeypatch.setattr(tune, "here", lambda *_: place(root))

    tuned = CliRunner().invoke(tune.command, ["on", "--no-turbo"])
    back = CliRunner().invoke(tune.command, ["off"])

    lines = [line.split() for line in tuned.output.splitlines()]
    assert lines[:2] == [
        ["tuning", "is", "on"],
        [f"/{GOVERNORS[0]}", "performance", "was", "schedutil"],
    ]
    assert lines[-1] == [f"/{NO_TURBO}", "1", "was", "0"]
    assert len(lines) == 6
    assert back.output == "5 settings are as they were\ntuning is off\n"


def test_the_command_names_itself_with_its_options_for_root() -> None:
    said = tune.here("on", "--gpu-clock").as_root

    assert said == shlex.join(
        ["sudo", sys.executable, "-m", "steelyard", "tune", "on", "--gpu-clock"]
    )


def test_a_shorter_setting_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    (tmp_path / "governor").write_text("performance\n")

    Disk(tmp_path).set("governor", "schedutil")

    assert (tmp_path / "governor").read_text() == "schedutil"


def test_a_setting_that_is_not_there_is_never_created(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Disk(tmp_path).set("nothing", "1")

    assert list(tmp_path.iterdir()) == []
