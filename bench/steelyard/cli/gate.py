"""`steelyard gate`: whether a candidate is slower, larger, hungrier or less accurate."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

import click
import msgspec
from msgspec import Struct

from steelyard import host, plan
from steelyard.cli.options import cards_option, offline_option
from steelyard.cli.output import say_written
from steelyard.cli.progress import Talking
from steelyard.cli.quantities import number
from steelyard.errors import OptionError
from steelyard.gate import auditing, gating, repeating, running, sequence, words
from steelyard.gate.arms import Arm, parse
from steelyard.gate.auditing import Audit
from steelyard.gate.environments import Site
from steelyard.gate.gating import Terms
from steelyard.gate.matrix import Asked
from steelyard.gate.running import Order
from steelyard.gate.sequence import FEWEST, Looks
from steelyard.gate.types import QUANTITIES, CellResult, Quantity, Result, Status
from steelyard.measure import Bench
from steelyard.prepare.cache import Cache

STATUS: dict[Status, int] = {"ok": 0, "regression": 1, "absent": 3, "inconclusive": 4}
MOST_MARGIN = 10.0

Form = Literal["text", "json"]
Arms = tuple[Arm, Arm]


def margin(text: str) -> float:
    """Return a margin, 0.05 or 5%, as a share; raise click.BadParameter for what is none."""
    value = number(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 < value <= MOST_MARGIN:
        raise click.BadParameter(f"{text!r} is no margin; write a share or per cent, such as 5%")
    return value


@click.command(
    "gate",
    epilog="Examples:  steelyard gate --model minilm-head@int8 --baseline rev:main -k spam/   |   "
    "steelyard gate --baseline minilm-head@fp32 --candidate minilm-head@int8 -k spam/   |   "
    "steelyard gate --model minilm-head@int8 --baseline env:old/bin/python   |   "
    "steelyard gate --model minilm-head@int8 --candidate '?spinning=true' --fast   |   "
    "steelyard gate --model minilm-head@int8 -k spam/ --aa -o audit.json",
)
@click.argument("suite", required=False, type=click.Path(path_type=Path))
@click.option(
    "--baseline",
    metavar="ARM",
    help="What is gone by: MODEL@VARIANT, with ?option=value, path:DIR, env:PYTHON, rev:REF, or "
    "'MODEL@VARIANT in rev:REF'.  [default: --model]",
)
@click.option("--candidate", metavar="ARM", help="What is judged.  [default: --model, here]")
@click.option("--model", metavar="MODEL", help="The model of arms that name none.")
@click.option(
    "-k", "patterns", multiple=True, metavar="TEXT", help="Only cells whose id contains TEXT."
)
@click.option("--device", metavar="DEVICE", help="Where it runs: cpu-1t.  [default: the suite's]")
@click.option(
    "--quantity",
    "quantities",
    multiple=True,
    type=click.Choice(get_args(Quantity)),
    help="What to gate; several: each of them.  [default: all that this machine can measure]",
)
@click.option(
    "--margin", type=margin, metavar="SHARE",
    help="The slow-down to find or exclude.  [default: 3% on a board of its own, else 5%]",
)  # fmt: skip
@click.option(
    "--blocks", type=click.IntRange(min=FEWEST, max=300), metavar="N",
    help="Most pairs of processes, looked at three times.  [default: 40]",
)  # fmt: skip
@click.option("--fast", is_flag=True, help="A quick check: both arms in each of five processes.")
@click.option(
    "--audit", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Plan the blocks by what --aa found of this device.",
)  # fmt: skip
@click.option("--aa", is_flag=True, help="Audit the gate: the candidate against itself.")
@click.option(
    "--trials", type=click.IntRange(min=1, max=1000), default=20, show_default=True,
    help="How often --aa does so.",
)  # fmt: skip
@click.option(
    "--format", "-f", "form", type=click.Choice(get_args(Form)), default="text", show_default=True
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False),
    help="Write the result as JSON too.",
)  # fmt: skip
@click.option("--verbose", "-v", is_flag=True, help="Also say every pass, and how long it took.")
@cards_option
@offline_option
def command(
    suite: Path | None,
    baseline: str | None,
    candidate: str | None,
    model: str | None,
    patterns: tuple[str, ...],
    device: str | None,
    quantities: tuple[Quantity, ...],
    margin: float | None,
    blocks: int | None,
    fast: bool,
    audit: Path | None,
    aa: bool,
    trials: int,
    form: Form,
    output: Path | None,
    verbose: bool,
    cards: tuple[Path, ...],
    offline: bool,
) -> int:
    """Set a candidate against a baseline in interleaved fresh processes, and judge.

    ok (exit code 0): a change for the worse of the margin or more is excluded. Regression (1): it
    is shown to be beyond what is tolerated. Inconclusive (4): the planned blocks show neither.
    Could not be measured, or an arm cannot be had (3): that is no pass.

    SUITE says which tasks and items: bench.toml in this folder, or else the shipped one. Latency is
    the median of end-to-end calls; accuracy is on the same items; energy only from a sensor. A
    revision is one of this folder's repository: its environment is built once and kept.
    """
    progress = Talking(verbose=verbose)
    _check_output(output)
    arms = _arms(baseline, candidate, model, aa=aa)
    terms = Terms(
        host=host.identify(),
        mode="fast" if fast else "blocks",
        quantities=quantities or QUANTITIES,
        named=frozenset(quantities),
        margin=margin,
    )
    looks = _looks(blocks, audit, running.machine(terms.host))
    asked = Asked(
        suite=plan.load_suite(suite or _own_suite()), cards=cards, patterns=patterns, device=device
    )
    order = Order(
        baseline=arms[0], candidate=arms[1], asked=asked, terms=gating.with_looks(terms, looks)
    )
    cache = Cache.default()
    cache.check()
    bench = Bench(cache=cache, progress=progress, offline=offline)
    site = Site(cache=cache, progress=progress, offline=offline)
    if aa:
        return _audit(order, bench, site, trials, _Shown(form=form, output=output))
    result = running.run(order, bench, site)
    _show(result, words.told(result), _Shown(form=form, output=output))
    for said in words.regressions(result):
        progress.say(f"regression: {said}")
    return STATUS[result.status]


class _Shown(Struct, frozen=True, kw_only=True):
    form: Form
    output: Path | None


def _audit(order: Order, bench: Bench, site: Site, count: int, shown: _Shown) -> int:
    def heard(trial: int, cells: tuple[CellResult, ...]) -> None:
        said = ", ".join(f"{cell.cell} {words.SHOWN[cell.status]}" for cell in cells)
        bench.progress.say(f"trial {trial} of {count}: {said}")

    found = repeating.audit(order, bench, site, count, heard)
    _show(found, words.audited(found), shown)
    return 0 if all(cell.alarm_rate is not None for cell in found.cells) else STATUS["absent"]


def _arms(baseline: str | None, candidate: str | None, model: str | None, *, aa: bool) -> Arms:
    """Return both arms; the one that is not named is --model, here."""
    if aa and baseline is not None:
        raise OptionError("--aa sets one arm against itself: name it by --candidate or --model")
    ours = candidate or model
    theirs = ours if aa else baseline or model
    if ours is None or theirs is None:
        raise OptionError("name both arms by --baseline and --candidate, or one and --model")
    if ours == theirs and not aa:
        raise OptionError(f"both arms are {ours}; --aa sets an arm against itself")
    return parse(theirs, model), parse(ours, model)


def _looks(blocks: int | None, audit: Path | None, machine: str) -> Looks | None:
    if blocks is not None and audit is not None:
        raise OptionError("--blocks and --audit both plan the blocks; give one of them")
    if audit is not None:
        return auditing.looks_by(auditing.read(audit), machine)
    return None if blocks is None else sequence.spaced(blocks)


def _check_output(output: Path | None) -> None:
    """Refuse before anything slow what could not be written after it."""
    if output is not None and not os.access(output.absolute().parent, os.W_OK):
        raise OptionError(f"--output {output}: its folder is not there or cannot be written")


def _show(found: Result | Audit, text: Iterator[str], shown: _Shown) -> None:
    encoded = msgspec.json.format(msgspec.json.encode(found, order="deterministic"), indent=2)
    if shown.output is not None:
        part = shown.output.with_name(f"{shown.output.name}.part")
        part.write_bytes(encoded + b"\n")
        part.replace(shown.output)
        say_written(shown.output)
    click.echo(encoded.decode() if shown.form == "json" else "\n".join(text))


def _own_suite() -> Path | None:
    """Return the project's bench.toml where there is one in the present folder."""
    own = Path("bench.toml")
    return own if own.is_file() else None
