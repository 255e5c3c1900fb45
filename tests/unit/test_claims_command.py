from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec import structs
from tests.unit.claiming import LARGE, SMALL, load, run

from steelyard import store
from steelyard.claims.types import ClaimResult, Ledger, Standing
from steelyard.cli.claims import command
from steelyard.errors import CardError, PricesError
from steelyard.record import RunFile
from steelyard.record_file import encode
from steelyard.report import ledger

HOSTILE = "huge\x1b[31m</script>|`x`"


def kept(folder: Path, whole: RunFile) -> Path:
    """Write a run with its predictions, as a run leaves them."""
    records = tuple(
        structs.replace(one, predictions_sha256=store.write_predictions(folder, load(one)))
        for one in whole.records
    )
    (folder / "cpu-1t.json").write_bytes(encode(structs.replace(whole, records=records)))
    return folder


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments], catch_exceptions=False)


def test_the_first_lines_say_what_holds_against_whom_and_what_was_not_tested(
    tmp_path: Path,
) -> None:
    done = call(kept(tmp_path, run([SMALL, LARGE])))

    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Of 8 claims: 2 supported, ")
    assert "not tested" in lines[0]
    assert lines[1].startswith("Tested against huge (1 billion parameters)")
    assert "SUPPORTED   Small specialised models are faster." in lines
    assert "\x1b" not in done.stdout


def test_json_and_markdown_say_the_same(tmp_path: Path) -> None:
    folder = kept(tmp_path, run([SMALL, LARGE]))

    told = json.loads(call(folder, "-f", "json").stdout)
    text = call(folder, "-f", "markdown").stdout

    for claim in told["claims"]:
        assert f"#### {claim['id']}: {claim['standing']}" in text
        assert claim["rule"]


def test_claims_tested_on_unlike_records_say_each_how_far_they_reach() -> None:
    def claim(name: str, scope: str, standing: Standing = "supported") -> ClaimResult:
        return ClaimResult(id=name, statement=name, standing=standing, reason="r", scope=scope,
                           metric="m", rule="r", unit="times")  # fmt: skip

    one = claim("faster", "against a")
    three = (one, claim("efficient", "against a"), claim("cheaper", "against b"))
    unlike = ledger.standings(Ledger(claims=three))
    alike = ledger.standings(Ledger(claims=(one, claim("energy", "against c", "not tested"))))

    assert "Tested against a (faster, efficient)." in unlike
    assert "Tested against b (cheaper)." in unlike
    assert alike.splitlines()[2] == "Tested against a."


def test_a_hostile_name_steers_neither_terminal_nor_markdown(tmp_path: Path) -> None:
    folder = kept(tmp_path, run([SMALL, structs.replace(LARGE, name=HOSTILE)]))

    plain = call(folder).stdout
    text = call(folder, "-f", "markdown").stdout

    assert "\x1b" not in plain
    assert "\x1b" not in text
    assert "</script>" not in text


def test_own_claims_take_the_place_of_the_shipped(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'schema = 1\n[[claims]]\nid = "quick"\nstatement = "Quick."\ndocuments = ["me"]\n'
        'metric = "p50"\ntest = "speed"\nthreshold = 200\nunit = "times"\n'
        'rule = "Over {threshold}."\n'
    )
    runs = tmp_path / "runs"
    runs.mkdir()

    done = call(kept(runs, run([SMALL, LARGE])), "--claims", own)

    # 100 times is less than 200.
    assert "REFUTED     Quick." in done.stdout.splitlines()
    assert "Rule: Over 200." not in done.stdout
    assert "Rule: Over 200." in call(tmp_path / "runs", "--claims", own, "--evidence").stdout


def test_missing_files_are_one_line(tmp_path: Path) -> None:
    folder = kept(tmp_path, run([SMALL, LARGE]))

    with pytest.raises(CardError, match="No such file"):
        call(folder, "--claims", tmp_path / "none.toml")
    with pytest.raises(PricesError):
        call(folder, "--prices", tmp_path / "none.toml")
    assert call(tmp_path / "nowhere").exit_code == 2
