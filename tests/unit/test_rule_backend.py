"""Spans by regular expressions."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard import catalog
from steelyard.api import Label, SessionSpec
from steelyard.backends.rules import Rule, RuleBackend, Rules, RuleSession, compiled
from steelyard.errors import WorkerError
from steelyard.notation import parse_spans

SHIPPED = catalog.shipped_root() / "models" / "field-rules"
FIELDS = ("INVOICE_NUMBER", "INVOICE_DATE", "DUE_DATE", "SUPPLIER", "CUSTOMER", "NET_TOTAL", "TAX",
          "TOTAL", "CURRENCY", "IBAN")  # fmt: skip

LETTER = """Jäger Verlag GmbH
Hauptstraße 7
Jäger Verlag GmbH, Hauptstraße 7
An Rechnungs-Nr. V-2024/0336
Kühn Sanitär e. K. Datum 27. April 2024
Fällig am 27. Mai 2024
Nettobetrag 8.212,05 EUR
USt. (19 %) 1.560,29 EUR
Endbetrag 9.772,34 EUR
IBAN: DE58 5254 0470 5324 3039 80"""


def session(*rules: Rule, **parts: str) -> RuleSession:
    return RuleSession(compiled(Rules(parts=parts, rules=rules), "rules.json"))


def said(opened: RuleSession, text: str) -> list[tuple[str, str]]:
    """Return types and words of what a session answers."""
    answer = opened.decode(opened.infer(opened.encode(text)))
    return [(kind, text[start:end]) for start, end, kind in parse_spans(answer.label)]


def spec(folder: Path, *labels: str, **options: str) -> SessionSpec:
    named = tuple(Label(id=name, words=name.lower()) for name in labels)
    return SessionSpec(
        artifact=str(folder), session="spans", threads=1, labels=named, options=dict(options)
    )


def test_a_rule_names_the_stretch_of_its_group() -> None:
    opened = session(Rule(type="TOTAL", pattern=r"Total (?P<value>{money})"), money=r"\d+\.\d\d")

    assert said(opened, "Total 5.00, Total 6.50") == [("TOTAL", "5.00"), ("TOTAL", "6.50")]


def test_the_first_match_alone_is_taken_where_a_rule_says_so() -> None:
    opened = session(Rule(type="T", pattern=r"(?P<value>\d)", only_first=True))

    assert said(opened, "1 2 3") == [("T", "1")]


def test_earlier_rules_keep_their_characters_and_later_ones_look_further() -> None:
    first = Rule(type="A", pattern=r"(?P<value>\d\d)", only_first=True)
    second = Rule(type="B", pattern=r"(?P<value>\d\d)", only_first=True)

    assert said(session(first, second), "11 22") == [("A", "11"), ("B", "22")]


def test_the_shipped_rules_read_a_plain_letter() -> None:
    found = said(RuleBackend().open(spec(SHIPPED, *FIELDS)), LETTER)

    assert set(found) == {
        ("SUPPLIER", "Jäger Verlag GmbH"), ("CUSTOMER", "Kühn Sanitär e. K."),
        ("INVOICE_NUMBER", "V-2024/0336"), ("INVOICE_DATE", "27. April 2024"),
        ("DUE_DATE", "27. Mai 2024"), ("NET_TOTAL", "8.212,05"), ("TAX", "1.560,29"),
        ("TOTAL", "9.772,34"), ("CURRENCY", "EUR"), ("IBAN", "DE58 5254 0470 5324 3039 80"),
    }  # fmt: skip
    assert [words for kind, words in found if kind == "SUPPLIER"] == ["Jäger Verlag GmbH"] * 2


def test_patterns_that_cannot_be_are_refused_with_their_place(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"rules\[0\]\.pattern: "):
        session(Rule(type="A", pattern="(?P<value>"))
    with pytest.raises(WorkerError, match=r"rules\[0\]\.pattern: has no group"):
        session(Rule(type="A", pattern="x"))
    with pytest.raises(WorkerError, match=r"rules\.json: .*prepare the artefact again"):
        RuleBackend().open(spec(tmp_path, "A"))
    with pytest.raises(WorkerError, match="no labels of the task"):
        RuleBackend().open(spec(SHIPPED, "TOTAL"))


def test_options_are_refused(tmp_path: Path) -> None:
    assert "no session options" in str(RuleBackend().refuse(spec(tmp_path, "A", case="no")))
