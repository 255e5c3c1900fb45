"""Cells as pytest items: `pytest --benchmark` measures what a bench.toml lists.

pytest loads this module in every session, so until the flag is given it imports nothing heavy and
collects nothing. Samples go on to pytest-benchmark where it is installed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from steelyard import pytest_feed, pytest_gate, pytest_table

if TYPE_CHECKING:
    from _pytest._code import ExceptionInfo

    from steelyard.gate.types import CellResult
    from steelyard.measure import Bench, Result
    from steelyard.plan import PlannedCell
    from steelyard.record import Record

SUITE_FILE = "bench.toml"
_RESULTS = pytest.StashKey[list["Result"]]()
_SUITE_SEEN = pytest.StashKey[bool]()
_UNDECIDED = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --benchmark; pytest matches it exactly, so pytest-benchmark keeps its --benchmark-*."""
    group = parser.getgroup("steelyard", "steelyard: weigh models")
    group.addoption(
        "--benchmark",
        dest="steelyard_benchmark",
        action="store_true",
        default=False,
        help=f"Measure the cells of the {SUITE_FILE} files found, or of the default suite.",
    )
    group.addoption(
        "--steelyard-suite",
        metavar="SUITE",
        default=None,
        help=f"Measure this suite file, or shipped suite, instead of any {SUITE_FILE}.",
    )
    group.addoption(
        "--steelyard-quick",
        action="store_true",
        default=False,
        help="Ask fewer items and time shorter windows.",
    )
    group.addoption(
        "--steelyard-baseline",
        metavar="REF",
        default=None,
        help="Fail what is worse than rev:REF, env:PYTHON or MODEL@VARIANT; see steelyard gate.",
    )
    group.addoption(
        "--steelyard-cards",
        metavar="DIR",
        action="append",
        default=[],
        help="Also read the cards in DIR/models and DIR/tasks.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse, before anything slow, what cannot be measured."""
    if not config.getoption("steelyard_benchmark"):
        for option in ("suite", "baseline"):
            if config.getoption(f"steelyard_{option}"):
                raise pytest.UsageError(f"--steelyard-{option} measures only with --benchmark")
        return
    baseline: str | None = config.getoption("steelyard_baseline")
    if baseline is not None and (wrong := pytest_gate.check(baseline)):
        raise pytest.UsageError(f"--steelyard-baseline {wrong}")
    if config.getoption("dist", "no") != "no" or "PYTEST_XDIST_WORKER" in os.environ:
        raise pytest.UsageError(
            "--benchmark measures one cell at a time, on a machine that does nothing else; "
            "leave -n out, or add -n 0"
        )
    config.stash[_RESULTS] = []
    config.stash[_SUITE_SEEN] = False
    config.stash[_UNDECIDED] = []


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a bench.toml when the flag is given and no other suite is."""
    config = parent.config
    if file_path.name != SUITE_FILE or not config.getoption("steelyard_benchmark"):
        return None
    if config.getoption("steelyard_suite"):
        return None
    return SuiteFile.from_parent(parent, path=file_path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the suite that no folder walk finds, before others select and mark items."""
    if not config.getoption("steelyard_benchmark") or config.stash[_SUITE_SEEN]:
        return
    named: str | None = config.getoption("steelyard_suite")
    if named is None and config.args_source is pytest.Config.ArgsSource.ARGS:
        return  # Whoever names files wants those.
    items.extend(session.genitems(_suite_node(session, named)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print accuracy, latency and memory together, beside pytest-benchmark's own table."""
    results = terminalreporter.config.stash.get(_RESULTS, [])
    if results:
        terminalreporter.section("steelyard", sep="-")
        shown = pytest_table.table(results, colour=terminalreporter.hasmarkup)
        terminalreporter.write(shown)
    for note in terminalreporter.config.stash.get(_UNDECIDED, []):
        terminalreporter.write_line(f"undecided: {note}", yellow=True)


class SuiteFile(pytest.File):
    """A bench.toml."""

    def collect(self) -> Iterator[CellItem]:
        # Not where the node is made: pytest makes nodes of siblings of what it was asked for.
        self.config.stash[_SUITE_SEEN] = True
        return _items(self, self.path)


class ShippedSuite(pytest.Collector):
    """A suite that comes with steelyard; its ids begin with its name."""

    def collect(self) -> Iterator[CellItem]:
        return _items(self, None if self.name == "default" else Path(self.name))


class CellItem(pytest.Item):
    """One cell to measure."""

    def __init__(self, *, planned: PlannedCell, suite: Path | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.planned = planned
        self.suite = suite
        # pytest-benchmark takes the items that ask for its fixture to be benchmarks: this is what
        # --benchmark-only keeps and --benchmark-skip skips.
        self.fixturenames = ["benchmark"]
        if planned.refusal is not None:
            self.add_marker(pytest.mark.skip(reason=planned.refusal))

    def runtest(self) -> None:
        result = _run_cell(self.planned)
        self.config.stash[_RESULTS].append(result)
        record = result.record
        self.user_properties += [(k, str(v)) for k, v in pytest_feed.facts(record).items()]
        baseline: str | None = self.config.getoption("steelyard_baseline")
        broken = record.broken("latency")
        if record.outcome == "refused" or (broken and baseline is None):
            # What an invalid window holds must not reach a comparison.
            raise _skipped(f"{record.outcome}: {record.reason or 'no reason was recorded'}")
        if not record.answered:
            raise CellFailed(record)
        if not broken:
            pytest_feed.feed(self, record)
        if baseline is not None:
            self._compare(baseline)

    def _compare(self, baseline: str) -> None:
        """Fail where the cell is worse than the baseline, or could not be compared."""
        cell = self.planned.cell.id
        found = _judge(self.config, self.planned, baseline, self.suite)
        self.user_properties += list(pytest_gate.facts(found).items())
        if note := pytest_gate.undecided(cell, baseline, found):
            self.config.stash[_UNDECIDED].append(note)
        if said := pytest_gate.failure(cell, baseline, found):
            raise Worse(said)

    def repr_failure(self, excinfo: ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the reason alone: our own stack is of no use to who reads a benchmark's result."""
        from steelyard.errors import SteelyardError

        if isinstance(excinfo.value, CellFailed | Worse | SteelyardError):
            return _Said(self, str(excinfo.value))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.config.rootpath / self.nodeid.partition("::")[0], 0, self.name


def _skipped(reason: str) -> BaseException:
    skipped: Any = pytest.skip.Exception(reason)
    # As pytest's own marks do, to name the suite's file and not this one.
    skipped._use_item_location = True  # noqa: SLF001
    return skipped  # type: ignore[no-any-return]


class CellFailed(Exception):  # noqa: N818 - an outcome, not an error of the code
    """A cell that was not measured, with its outcome and reason."""

    def __init__(self, record: Record) -> None:
        outcome = record.outcome.replace("_", " ")
        super().__init__(f"{outcome}: {record.reason or 'no reason was recorded'}")


class Worse(Exception):  # noqa: N818 - an outcome, not an error of the code
    """A cell that is worse than its baseline, or could not be set against it."""


class _Said:
    """A failure's text, in the shape that pytest's reports and short summary ask for."""

    def __init__(self, item: CellItem, message: str) -> None:
        path, line, _ = item.reportinfo()
        self.message = message
        self.reprcrash = SimpleNamespace(path=str(path), lineno=line + 1, message=message)

    def __str__(self) -> str:
        return self.message

    def toterminal(self, tw: Any) -> None:
        """Write the text to a pytest terminal writer."""
        tw.line(self.message, red=True)


def _suite_node(session: pytest.Session, named: str | None) -> SuiteFile | ShippedSuite:
    path = session.config.invocation_params.dir / named if named else session.path / SUITE_FILE
    if path.is_file():
        return SuiteFile.from_parent(session, path=path)
    name = named or "default"
    return ShippedSuite.from_parent(session, name=name, nodeid=name)


def _items(parent: SuiteFile | ShippedSuite, path: Path | None) -> Iterator[CellItem]:
    from steelyard.errors import SteelyardError

    try:
        planned = _plan(parent.config, path)
    except SteelyardError as error:
        raise parent.CollectError(str(error)) from error
    for cell in planned:
        yield CellItem.from_parent(parent, name=cell.cell.id, planned=cell, suite=path)


def _plan(config: pytest.Config, path: Path | None) -> tuple[PlannedCell, ...]:
    from steelyard import catalog, host, plan

    suite = plan.load_suite(path, quick=_quick(config))
    return plan.cells(suite, catalog.load(_cards(config)), host.cores())


def _quick(config: pytest.Config) -> bool:
    # --benchmark-disable asks to see benchmarks work, not to have them measured.
    return bool(
        config.getoption("steelyard_quick") or config.getoption("benchmark_disable", default=0)
    )


def _cards(config: pytest.Config) -> tuple[Path, ...]:
    folders: list[str] = config.getoption("steelyard_cards") or []
    return tuple(map(Path, folders))


def _judge(
    config: pytest.Config, planned: PlannedCell, baseline: str, suite: Path | None
) -> tuple[CellResult, ...]:
    """Set one cell against the baseline. The only place where this plugin meets the gate."""
    from steelyard import plan

    quick = _quick(config)
    against = pytest_gate.Against(baseline, _bench(), config.rootpath, _cards(config), fast=quick)
    return against.judge(planned, plan.load_suite(suite, quick=quick))


def _run_cell(planned: PlannedCell) -> Result:
    """Measure one cell. The only place where this plugin meets the runner."""
    from steelyard.measure import measure_cell

    return measure_cell(planned, _bench())


@cache
def _bench() -> Bench:
    """Return what all cells of the session share, the temperature of the first start with it."""
    from steelyard.measure import Bench
    from steelyard.prepare.cache import Cache
    from steelyard.progress import Silent

    return Bench(cache=Cache.default(), progress=Silent())
