"""What an invoice says, drawn from a seed: who, whom, when, what, how much."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from msgspec import Struct

from steelyard.readers.invoice_words import WORDS, Language, Words, dealt
from steelyard.readers.sounds import Draws

Currency = Literal["EUR", "GBP"]
TAX_PERCENT: dict[Language, tuple[int, ...]] = {"en": (20, 20, 20, 5), "de": (19, 19, 19, 7)}
DAYS = (7, 10, 14, 14, 30, 30, 45, 60)
FIRST_DAY = dt.date(2021, 1, 4)
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


class Party(Struct, frozen=True, kw_only=True):
    """A firm and where it is."""

    name: str
    street: str
    town: str


class Line(Struct, frozen=True, kw_only=True):
    """Goods at a price; `price` and `amount` in hundredths."""

    goods: str
    quantity: int
    price: int

    @property
    def amount(self) -> int:
        """Return what the line costs."""
        return self.quantity * self.price


class Invoice(Struct, frozen=True, kw_only=True):
    """An invoice, however it will be printed. Amounts are in hundredths of `currency`."""

    language: Language
    number: str
    order: str
    customer_number: str
    date: dt.date
    days: int
    supplier: Party
    customer: Party
    lines: tuple[Line, ...]
    tax_percent: int
    currency: Currency
    iban: str
    tax_id: str
    phone: str
    closing: str

    @property
    def due(self) -> dt.date:
        """Return the day by which it is to be paid."""
        return self.date + dt.timedelta(days=self.days)

    @property
    def net(self) -> int:
        """Return the sum of the lines."""
        return sum(line.amount for line in self.lines)

    @property
    def tax(self) -> int:
        """Return the tax, rounded half up."""
        return (self.net * self.tax_percent + 50) // 100

    @property
    def total(self) -> int:
        """Return what is to be paid."""
        return self.net + self.tax


def invoice(seed: str, language: Language, share: int, shares: int) -> Invoice:
    """Draw an invoice with names from the `share`-th of `shares` parts of the words."""
    draws, words = Draws(seed), WORDS[language]
    day = FIRST_DAY + dt.timedelta(days=draws.below(5 * 365))
    return Invoice(
        language=language,
        number=_number(draws, day),
        order=f"{draws.below(900_000) + 100_000}",
        customer_number=f"{draws.below(90_000) + 10_000}",
        date=day,
        days=DAYS[draws.below(len(DAYS))],
        supplier=_party(draws, words, language, (share, shares)),
        customer=_party(draws, words, language, (share, shares)),
        lines=_lines(draws, words),
        tax_percent=TAX_PERCENT[language][draws.below(4)],
        currency="GBP" if language == "en" and draws.below(4) else "EUR",
        iban=iban(draws, "GB" if language == "en" else "DE"),
        tax_id=f"{'GB' if language == 'en' else 'DE'}{draws.below(900_000_000) + 100_000_000}",
        phone=f"0{draws.below(900) + 100} {draws.below(900_000) + 100_000}",
        closing=words.closings[draws.below(len(words.closings))],
    )


def iban(draws: Draws, country: Literal["GB", "DE"]) -> str:
    """Draw an account number with valid check digits (ISO 13616, ISO 7064 mod 97-10)."""
    bank = "".join(LETTERS[draws.below(len(LETTERS))] for _ in range(4)) if country == "GB" else ""
    digits = 14 if country == "GB" else 18
    account = bank + str(draws.below(10**digits)).zfill(digits)
    return f"{country}{98 - _remainder(account + country + '00'):02d}{account}"


def check_digits_fit(number: str) -> bool:
    """Tell whether the check digits of an IBAN without blanks are right."""
    return _remainder(number[4:] + number[:4]) == 1


def _remainder(text: str) -> int:
    """Return the remainder by 97, letters counted from A = 10."""
    return int("".join(str(int(letter, 36)) for letter in text)) % 97


def _number(draws: Draws, day: dt.date) -> str:
    """Return an invoice number in one of the forms that firms use."""
    running, form = draws.below(90_000) + 10_000, draws.below(7)
    forms = (
        f"{day.year}-{running:05d}",
        f"RE{running}",
        f"INV-{running}",
        f"{day:%y%m}/{running % 1000:03d}",
        f"{running}{draws.below(90) + 10}",
        f"{LETTERS[draws.below(len(LETTERS))]}-{day.year}/{running % 10_000:04d}",
        f"{day:%Y%m%d}-{running % 100:02d}",
    )
    return forms[form]


def _party(draws: Draws, words: Words, language: Language, part: tuple[int, int]) -> Party:
    def one(of: tuple[str, ...]) -> str:
        return of[draws.below(len(of))]

    name = f"{one(dealt(words.surnames, *part))} {one(words.trades)} {one(words.forms)}"
    towns = dealt(words.towns, *part)
    town, code = towns[draws.below(len(towns))]
    street, house = one(dealt(words.streets, *part)), draws.below(180) + 1
    if language == "de":
        return Party(name=name, street=f"{street} {house}", town=f"{code} {town}")
    inward = f"{draws.below(9) + 1}{LETTERS[draws.below(20)]}{LETTERS[draws.below(20)]}"
    return Party(name=name, street=f"{house} {street}", town=f"{town} {code} {inward}")


def _lines(draws: Draws, words: Words) -> tuple[Line, ...]:
    lines = []
    for _ in range(draws.below(6) + 1):
        goods = words.goods[draws.below(len(words.goods))]
        price = (draws.below(400) + 1) * (5, 25, 99, 250)[draws.below(4)]
        lines.append(Line(goods=goods, quantity=draws.below(24) + 1, price=price))
    return tuple(lines)
