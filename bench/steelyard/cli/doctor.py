"""`steelyard doctor`: what this device can measure, and what to change first."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence

import click
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.text import Text

from steelyard.host import check_energy, doctor
from steelyard.host.finding import Finding, Status, Topic
from steelyard.host.machine import Machine

WIDTH = 100
STYLES: dict[Status, str] = {"good": "green", "advice": "yellow", "missing": "red"}
INDENT = " " * 23


class Examination(Struct, frozen=True, kw_only=True):
    """What `--json` prints. `lacking` names the needed topics in which something is missing."""

    can_measure: bool
    lacking: tuple[Topic, ...]
    findings: tuple[Finding, ...]


@click.command(
    "doctor", epilog="Examples:  steelyard doctor   |   steelyard doctor --json | jq .can_measure"
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Look this device over: what it can measure, and what to change first. Changes nothing.

    good: nothing to do. advice: it works, better once the advice is taken. missing: this device
    cannot do it.

    Exit code 0 where accuracy, latency and memory can be measured, with or without advice; 3
    where they cannot: a 32-bit system, an emulator, no readings of memory. Missing energy,
    temperature or throttle readings leave the code at 0: tables then say that they are absent.
    """
    machine = Machine()
    findings = doctor.examine(machine, check_energy.ask_meters(machine))
    lacking = doctor.lacking(findings)
    if as_json:
        found = Examination(can_measure=not lacking, lacking=lacking, findings=findings)
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        Console(file=sys.stdout, highlight=False).print(page(findings), soft_wrap=True)
    ctx.exit(3 if lacking else 0)


def page(findings: Sequence[Finding]) -> Text:
    """Return the findings as a page of WIDTH columns, and what follows from them as its end."""
    text = Text()
    before = ""
    for finding in findings:
        name = "" if finding.topic == before else finding.topic
        before = finding.topic
        first, *others = _lines(finding)
        text.append(f"{name:<14}").append(f"{finding.status:<9}", style=STYLES[finding.status])
        text.append(f"{first}\n")
        text.append("".join(f"{INDENT}{line}\n" for line in others))
    return text.append("\n" + textwrap.fill(verdict(findings), WIDTH))


def verdict(findings: Sequence[Finding]) -> str:
    """Say in one or two sentences what this device can measure, and what it cannot."""
    lacking = doctor.lacking(findings)
    if lacking:
        return f"This device cannot measure; see what is missing under: {', '.join(lacking)}."
    said = "This device can measure accuracy, latency and memory"
    if any(found.topic == "energy" and found.status == "good" for found in findings):
        said = "This device can measure accuracy, latency, memory and energy"
    absent = dict.fromkeys(found.topic for found in findings if found.status == "missing")
    if absent:
        said += f"; not: {', '.join(absent)}"
    advice = sum(found.status == "advice" for found in findings)
    return f"{said}. Pieces of advice: {advice}." if advice else f"{said}."


def _lines(finding: Finding) -> Iterator[str]:
    width = WIDTH - len(INDENT)
    yield from textwrap.wrap(finding.what, width, break_on_hyphens=False)
    if finding.advice:
        yield from textwrap.wrap(
            f"-> {finding.advice}",
            width,
            subsequent_indent="   ",
            break_on_hyphens=False,
            break_long_words=False,
        )
