"""Asking again with a real worker: a constant answers the same way twice."""

from __future__ import annotations

from pathlib import Path

from tests import toy

from steelyard import store


def test_a_suite_that_asks_gets_counts_in_the_record(tmp_path: Path) -> None:
    toy.project(tmp_path)
    path = tmp_path / "bench.toml"
    path.write_text(path.read_text() + "dependability = { items = 2 }\n")

    done = toy.call(tmp_path, "run", "--cards", "cards")

    assert done.returncode == 0, done.stderr
    (run,) = store.read_runs(store.latest_run(tmp_path / "results/local"))
    found = run.records[0].dependability
    assert found is not None
    assert (found.n, found.repeats_differ, found.outside, found.answers) == (2, 0, 0, 4)
    assert found.flipped is None
    assert "asked in no words" in (found.no_paraphrases or "")
