from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from steelyard.errors import StoreError
from steelyard.host import machine
from steelyard.host.machine import Machine, recorded


def recording(folder: Path, commands: str) -> Machine:
    (folder / "tree" / "sys").mkdir(parents=True)
    (folder / "tree" / "sys" / "clock").write_text("600000\n")
    (folder / "commands.toml").write_text(commands)
    return recorded(folder)


def test_a_recording_answers_files_and_commands(tmp_path: Path) -> None:
    device = recording(tmp_path, '"vcgencmd get_throttled" = "throttled=0x0\\n"')

    assert device.read("/sys/clock") == device.read("sys/clock") == "600000\n"
    assert device.ask(("vcgencmd", "get_throttled")) == "throttled=0x0\n"


def test_what_a_recording_does_not_hold_is_absent(tmp_path: Path) -> None:
    device = recording(tmp_path, "")

    assert device.read("sys/none") is None
    assert device.read("sys") is None
    assert device.glob("sys/none*") == ()
    assert device.ask(("vcgencmd", "get_throttled")) is None
    assert device.userland.bits is None


def test_what_glob_finds_can_be_read(tmp_path: Path) -> None:
    device = recording(tmp_path, "")

    found = device.glob("/sys/*")

    assert [device.read(path) for path in found] == ["600000\n"]


def test_glob_sorts(tmp_path: Path) -> None:
    for name in ("b", "c", "a"):
        (tmp_path / name).touch()

    assert [path.name for path in Machine(root=tmp_path).glob("*")] == ["a", "b", "c"]


def test_a_recording_says_what_its_programs_are_told(tmp_path: Path) -> None:
    device = recording(
        tmp_path, '"uname -m" = "aarch64\\n"\n"getconf LONG_BIT" = "32\\n"\n"nproc" = "4\\n"'
    )

    assert (device.userland.machine, device.userland.bits) == ("aarch64", 32)
    assert (device.userland.cores, device.userland.page_size) == (4, None)


def test_a_recording_without_commands_is_a_device_without_them(tmp_path: Path) -> None:
    assert recorded(tmp_path).ask(("true",)) is None


def test_a_damaged_recording_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"commands\.toml"):
        recording(tmp_path, '"nproc" = 4')


def answering(monkeypatch: pytest.MonkeyPatch, answer: Any) -> dict[str, Any]:
    """Stand in for subprocess.run; return what it was called with."""
    seen: dict[str, Any] = {}

    def run(argv: tuple[str, ...], **options: Any) -> Any:
        seen.update(options, argv=argv)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def test_a_command_is_asked_in_the_c_locale_without_a_shell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = subprocess.CompletedProcess(("x",), 0, stdout=b"caf\xe9\n")
    seen = answering(monkeypatch, done)

    assert machine.ask_real(("x", "-y")) == "caf\ufffd\n"
    assert seen["argv"] == ("x", "-y")
    assert seen["env"]["LC_ALL"] == "C"
    assert seen["timeout"] == machine.TIMEOUT_S
    assert "shell" not in seen


@pytest.mark.parametrize(
    "answer",
    [
        FileNotFoundError(2, "No such file"),
        PermissionError(13, "Permission denied"),
        subprocess.TimeoutExpired("x", 5),
        subprocess.CompletedProcess(("x",), 1, stdout=b"half"),
    ],
)
def test_a_command_that_fails_says_nothing(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    answering(monkeypatch, answer)

    assert machine.ask_real(("x",)) is None
