"""What goes wrong at the command line ends in one clear line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests import toy
from tests.unit.builders import header, record

from steelyard import catalog, cost, plan, plugins
from steelyard.cli import cells, options, report
from steelyard.errors import OptionError, PricesError
from steelyard.prepare import items
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent
from steelyard.report.units import in_one_line
from steelyard.store import Journal


class Talk(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no room", "no room"),
        ("", ""),
        ("no room\ntry: free some", "no room. Try: free some"),
        (
            "toys.csv: no source gave it\n  npm a 1.0: not asked, offline\n  hub b: no\ntry: go on",
            "toys.csv: no source gave it (npm a 1.0: not asked, offline; hub b: no). Try: go on",
        ),
    ],
)
def test_a_message_of_several_lines_keeps_its_parts_apart_on_one(text: str, said: str) -> None:
    assert in_one_line(text) == said


def test_without_a_named_run_it_is_said_which_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    older = Journal.start(cells.LOCAL / "20260101T000000Z-toy", header()).append(record())

    assert cells.newest_unless(()) == (older.folder,)
    assert capsys.readouterr().err == "results/local/20260101T000000Z-toy (newest run)\n"

    Journal.start(cells.LOCAL / "20260201T000000Z-toy", header())
    assert cells.newest_unless(()) == (older.folder,)
    assert "(newest run with answers)" in capsys.readouterr().err
    assert cells.newest_unless((tmp_path,)) == (tmp_path,)
    assert capsys.readouterr().err == ""


def test_a_file_that_was_written_is_named_with_its_size(tmp_path: Path) -> None:
    journal = Journal.start(tmp_path / "run", header()).append(record())
    journal.close()
    out = tmp_path / "table.csv"

    done = CliRunner().invoke(
        report.command,
        [str(journal.folder), "-f", "csv", "-o", str(out)],
        catch_exceptions=False,
    )

    assert done.exit_code == 0
    assert done.stdout == ""
    assert f"written: {out} (" in done.stderr


def test_a_size_that_is_none_is_refused_with_its_option() -> None:
    suite = plan.load_suite(None, quick=True)

    with pytest.raises(OptionError, match=r"^--memory-limit: '5x' is no size"):
        options._limited(suite, "5x")


def test_a_folder_is_no_file_of_prices(tmp_path: Path) -> None:
    with pytest.raises(PricesError, match=r": is a folder; name a file$"):
        cost.load_prices(tmp_path)


def test_a_readers_key_follows_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    module = tmp_path / "someones_reader.py"
    module.write_text("class Reader: ...\n")
    first = plugins.source_sha256("someones_reader:Reader")
    module.write_text("class Reader: version = 2\n")
    plugins.source_sha256.cache_clear()

    assert plugins.source_sha256("someones_reader:Reader") != first


def test_a_data_set_is_read_again_where_its_readers_source_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = catalog.load([toy.project(tmp_path) / "cards"]).task("toy-00")
    cache, talk = Cache(tmp_path / "cache"), Talk()

    items.load(task, cache, talk)
    items.load(task, cache, talk)
    assert talk.lines == ["reading toy-00"]
    monkeypatch.setattr(plugins, "source_sha256", lambda _: "of another reader")
    items.load(task, cache, talk)

    assert talk.lines == ["reading toy-00", "reading toy-00"]


def test_all_of_our_readers_share_what_they_are_made_of() -> None:
    ours = {
        plugins.source_sha256(plugins.locate("readers", name)) for name in ("folders", "delimited")
    }
    (one,) = ours
    assert len(one) == hashlib.sha256().digest_size * 2
