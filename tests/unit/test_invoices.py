"""Generated invoices: sums, check digits, and what is printed where."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.readers.invoice_content import check_digits_fit, iban, invoice
from steelyard.readers.invoice_labels import COUNT, labels
from steelyard.readers.invoice_layouts import LAYOUTS, day, money
from steelyard.readers.invoice_pages import sheets
from steelyard.readers.invoice_printing import HEIGHT, RIGHT, WIDTH, Page, page
from steelyard.readers.invoice_words import WORDS, Language, dealt
from steelyard.readers.sounds import Draws

patient = settings(deadline=None, max_examples=40)
languages = st.sampled_from(("en", "de"))
places = st.integers(0, len(LAYOUTS) - 1)
seeds = st.integers(0, 10**6).map(str)


def width(text: str, size: float, bold: bool) -> float:
    """Stand in for a font: letters of equal width."""
    return len(text) * size * (0.58 if bold else 0.55)


@cache
def made(seed: str, language: Language, place: int) -> Page:
    return page(invoice(seed, language, place, len(LAYOUTS)), place, width)


def values(printed: Page) -> dict[str, set[str]]:
    """Return what is printed as each type."""
    found: dict[str, set[str]] = {}
    for line in printed.printed:
        for run in line.runs:
            if run.field:
                found.setdefault(run.field, set()).add(run.text)
    return found


def test_check_digits_are_iso_13616_s() -> None:
    # The registry's own examples of the United Kingdom and Germany.
    assert check_digits_fit("GB29NWBK60161331926819")
    assert check_digits_fit("DE89370400440532013000")
    assert not check_digits_fit("DE89370400440532013001")


@patient
@given(seeds, languages)
def test_drawn_account_numbers_have_the_length_and_digits_of_their_country(
    seed: str, language: Language
) -> None:
    country, length = ("GB", 22) if language == "en" else ("DE", 22)

    number = iban(Draws(seed), "GB" if country == "GB" else "DE")

    assert len(number) == length
    assert number.startswith(country)
    assert check_digits_fit(number)


@patient
@given(seeds, languages, places)
def test_amounts_add_up(seed: str, language: Language, place: int) -> None:
    drawn = invoice(seed, language, place, len(LAYOUTS))

    assert drawn.net == sum(line.quantity * line.price for line in drawn.lines) > 0
    assert drawn.total == drawn.net + drawn.tax
    assert abs(drawn.tax - drawn.net * drawn.tax_percent / 100) <= 0.5
    assert (drawn.due - drawn.date).days == drawn.days > 0


@patient
@given(seeds, languages, places)
def test_the_same_seed_gives_the_same_invoice(seed: str, language: Language, place: int) -> None:
    assert invoice(seed, language, place, 12) == invoice(seed, language, place, 12)


def test_amounts_and_dates_are_written_as_each_language_does() -> None:
    date = invoice("x", "en", 0, 12).date.replace(2024, 3, 5)

    assert (money(123450, "en"), money(123450, "de")) == ("1,234.50", "1.234,50")
    assert (money(5, "en"), money(100_000_000, "de")) == ("0.05", "1.000.000,00")
    assert day(date, "long", "de") == "5. März 2024"
    assert day(date, "dashes", "en") == "05-Mar-2024"
    assert day(date, "short", "en") == "05/03/2024"
    assert day(date, "iso", "de") == "2024-03-05"


@patient
@given(seeds, languages, places)
def test_every_field_is_printed_with_its_value(seed: str, language: Language, place: int) -> None:
    drawn, found = invoice(seed, language, place, len(LAYOUTS)), values(made(seed, language, place))

    assert found["INVOICE_NUMBER"] == {drawn.number}
    assert found["SUPPLIER"] == {drawn.supplier.name}
    assert found["CUSTOMER"] == {drawn.customer.name}
    assert found["TOTAL"] == {money(drawn.total, language)}
    assert found["NET_TOTAL"] == {money(drawn.net, language)}
    assert found["TAX"] == {money(drawn.tax, language)}
    assert {number.replace(" ", "") for number in found["IBAN"]} == {drawn.iban}
    assert len(found["INVOICE_DATE"]) == len(found["CURRENCY"]) == 1
    assert ("DUE_DATE" in found) == (LAYOUTS[place].due != "days")


@patient
@given(seeds, languages, places)
def test_nothing_is_printed_beyond_the_page_or_twice_in_one_place(
    seed: str, language: Language, place: int
) -> None:
    corners = []
    for line in made(seed, language, place).printed:
        assert line.x > 0
        assert line.x + width(line.text, line.size, line.bold) < WIDTH
        assert 0 < line.y + line.size < HEIGHT
        corners.append((line.x, line.y))

    assert len(set(corners)) == len(corners)
    assert RIGHT < WIDTH


def test_layouts_differ_in_typeface_and_name() -> None:
    assert len({layout.name for layout in LAYOUTS}) == len(LAYOUTS) == COUNT
    assert len({layout.typeface.regular for layout in LAYOUTS}) == COUNT


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_firm_or_street_stands_in_two_layouts(language: Language) -> None:
    words = WORDS[language]

    for whole in (words.surnames, words.streets, words.towns):
        shares = [dealt(whole, share, COUNT) for share in range(COUNT)]
        assert len(set(whole)) == len(whole)
        assert sorted(str(word) for share in shares for word in share) == sorted(map(str, whole))
        assert all(shares)


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_layout_has_words_for_every_label(language: Language) -> None:
    for place in range(COUNT):
        words = labels(language, place)
        assert (
            words.tax.count("{}") == words.pay_by.count("{}") == words.pay_within.count("{}") == 1
        )
        assert words.number
        assert words.total


def test_a_layout_s_sheets_take_languages_and_scans_by_turns() -> None:
    drawn = list(sheets("x", 6))

    assert len(drawn) == 6 * COUNT == len({sheet.name for sheet in drawn})
    first = [(sheet.invoice.language, sheet.level) for sheet in drawn[:6]]
    assert len(set(first)) == 6
