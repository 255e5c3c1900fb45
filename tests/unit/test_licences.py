from __future__ import annotations

import csv
import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from tests.unit.builders import MODEL_CARD, TASK_CARD

from steelyard import catalog
from steelyard.card import ModelCard, TaskCard
from steelyard.cli.licences import command
from steelyard.errors import UnknownNameError
from steelyard.report import licences
from steelyard.report.licences import restriction

PACKAGE = """
[[files]]
name = "weights.bin"
sha256 = "1111111111111111111111111111111111111111111111111111111111111111"
licence = "CC BY-NC-SA 4.0"
size_bytes = 7

[[files.sources]]
kind = "hub"
repo = "org/name"
revision = "0123456789abcdef0123456789abcdef01234567"
path = "w.bin"

[[files.sources]]
kind = "package"
registry = "pypi-wheel"
parts = [
  { package = "one", version = "1.0", sha256 = "@2" },
  { package = "two", version = "1.0", sha256 = "@3" },
]
""".replace("@2", "2" * 64).replace("@3", "3" * 64)


def task(text: str = TASK_CARD) -> TaskCard:
    return catalog.decode(text.encode(), TaskCard, "card")


def model(text: str = MODEL_CARD) -> ModelCard:
    return catalog.decode(text.encode(), ModelCard, "card")


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("CC BY-NC-SA 4.0", "non-commercial"),
        ("CC-BY-NC-SA-4.0: not for commercial use", "non-commercial"),
        ("Free for noncommercial use", "non-commercial"),
        ("Reuters-21578: research use; not to be redistributed", "research"),
        ("for research purposes", "research"),
        ("Apache-2.0", None),
        ("NCSA", None),
        ("PLAID: open, to be cited (Research Triangle, 2014)", None),
    ],
)
def test_a_restriction_is_what_a_licence_says(licence: str, expected: str | None) -> None:
    assert restriction(licence) == expected


def test_a_file_is_listed_with_its_origins_in_the_order_they_are_tried() -> None:
    (found,) = licences.terms([], [model(MODEL_CARD + PACKAGE)], {})

    assert found.file == "weights.bin"
    assert found.origins == (
        "hub org/name@0123456789ab w.bin",
        "pypi-wheel one 1.0 and 1 more parts",
    )
    assert (found.restricted_to, found.size_bytes, found.here) == ("non-commercial", 7, False)


def test_a_model_that_is_trained_here_has_no_fetched_weights() -> None:
    (found,) = licences.terms([], [model()], {})

    assert (found.file, found.origins) == (None, (licences.TRAINED,))


def test_a_model_that_is_refused_is_not_said_to_be_made_here() -> None:
    refused = msgspec.structs.replace(model(), refusal="it is on a hub only")

    (found,) = licences.terms([], [refused], {})

    assert found.origins == ("not fetched: its cells are refused",)


def test_what_lies_beside_a_card_is_said_to_be_here() -> None:
    listed = licences.terms([task()], [], {"task toy": ("toys.csv", "samples/one.txt")})

    assert [(one.file, one.here) for one in listed] == [
        ("toys.csv", True),
        ("samples/one.txt", True),
    ]
    assert licences.terms([task()], [], {})[0].here is False


def test_a_restriction_that_only_the_card_names_holds_for_its_files() -> None:
    whole = TASK_CARD.replace('licence = "CC0-1.0"', 'licence = "CC BY-NC 4.0"', 1)

    (found,) = licences.terms([task(whole)], [], {})

    assert (found.licence, found.restricted_to) == ("CC0-1.0", "non-commercial")


def test_csv_has_a_line_a_file_and_no_formula() -> None:
    listed = licences.terms([], [model(MODEL_CARD + PACKAGE.replace("CC BY", "=CC BY"))], {})

    rows = list(csv.DictReader(licences.csv_text(listed).splitlines()))

    assert [row["card"] for row in rows] == ["tiny"]
    assert rows[0]["licence"].startswith("'=")
    assert rows[0]["here"] == "no"
    assert rows[0]["origins"].count("; ") == 1


def test_json_is_the_listing() -> None:
    listed = licences.terms([task()], [model()], {})

    told = json.loads(licences.json_text(listed))

    assert told["schema"] == licences.SCHEMA
    assert [one["card"] for one in told["sources"]] == ["toy", "tiny"]


def test_the_lead_says_what_is_restricted() -> None:
    (sheet,) = licences.sheets(licences.terms([], [model(MODEL_CARD + PACKAGE)], {}))

    assert sheet.lead == (
        "1 file of 1 card; restricted in use, of 1: tiny; in this repository: none."
    )


def call(*arguments: str) -> str:
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False).output


def test_every_shipped_card_is_listed() -> None:
    told = json.loads(call("-f", "json"))

    found = catalog.load()
    assert {one["card"] for one in told["sources"]} == {*found.tasks, *found.models}
    assert all(one["licence"] for one in told["sources"])


def test_nothing_restricted_lies_in_the_repository() -> None:
    told = json.loads(call("--restricted", "-f", "json"))

    assert told["sources"]
    assert not [one for one in told["sources"] if one["here"]]


def test_some_cards_may_be_asked_for() -> None:
    text = call("routing-r8", "majority")

    assert "Reuters" in text
    assert licences.TRAINED in text
    assert "spam" not in text


def test_a_name_that_no_card_has_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no task or model 'nothing'"):
        call("nothing")


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_what_people_read_says_what_the_columns_mean(form: str) -> None:
    text = " ".join(call("-f", form, "majority").split())

    assert "restricted" in text
    assert "terms go with the artefact" in text


def test_cards_of_one_s_own_are_listed_with_what_lies_beside_them(tmp_path: Path) -> None:
    home = tmp_path / "tasks" / "toy"
    home.mkdir(parents=True)
    (home / "card.toml").write_text(TASK_CARD)
    (home / "toys.csv").write_text("a,b\n")

    told = json.loads(call("--cards", str(tmp_path), "toy", "-f", "json"))

    assert [(one["file"], one["here"]) for one in told["sources"]] == [("toys.csv", True)]


def test_help_shows_examples() -> None:
    assert "steelyard licences --restricted" in call("--help")
