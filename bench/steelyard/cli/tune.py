"""`steelyard tune`: set the clocks for measuring, and set them back."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from steelyard import tuning
from steelyard.cli.output import print_columns
from steelyard.host.machine import Machine
from steelyard.tuning import Place, Setting, Tuning, Wishes
from steelyard.tuning_journal import Disk


@click.group("tune", epilog="Examples:  sudo steelyard tune on --no-turbo   |   steelyard tune off")
def command() -> None:
    """Hold the clocks still for measuring; nothing is ever tuned unless `on` is called.

    The original values are on disk before anything is changed. `off` sets them back, also after
    a kill; a reboot sets them back by itself.
    """


@command.command("on")
@click.option("--no-turbo", is_flag=True, help="Also switch turbo or boost off (x86).")
@click.option("--gpu-clock", is_flag=True, help="Also hold the GPU at its highest clock (Jetson).")
def on(no_turbo: bool, gpu_clock: bool) -> None:
    """Set the governor `performance` on every core, and what the options add."""
    wishes = Wishes(no_turbo=no_turbo, gpu_clock=gpu_clock)
    options = [("--no-turbo", no_turbo), ("--gpu-clock", gpu_clock)]
    asked = [name for name, given in options if given]
    _print(tuning.on(here("on", *asked), wishes))


@command.command("off")
def off() -> None:
    """Set everything back to what it was."""
    _print(tuning.off(here("off")))


@command.command("status")
def status() -> None:
    """Show what is tuned; as root, set back what a killed `tune` left half done."""
    _print(tuning.status(here("off")))


def here(*words: str) -> Place:
    """Return this machine, and `words` as the `tune` command that does the same as root."""
    root = Path("/")
    return Place(
        machine=Machine(root=root),
        disk=Disk(root),
        user=os.geteuid(),
        # root's PATH seldom holds a virtual environment's commands: name the interpreter.
        as_root=shlex.join(["sudo", sys.executable, "-m", "steelyard", "tune", *words]),
    )


def _print(result: Tuning) -> None:
    for note in result.notes:
        click.echo(note)
    click.echo(f"tuning is {'on' if result.on else 'off'}")
    print_columns([_line(setting) for setting in result.settings])


def _line(setting: Setting) -> tuple[str, ...]:
    present = setting.present or "not readable"
    return (f"/{setting.path}", present, f"was {setting.original}")
