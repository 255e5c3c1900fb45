"""Set an invoice in a layout: what is printed where, and which of it is a field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from steelyard.readers.invoice_content import Invoice, Party
from steelyard.readers.invoice_labels import Labels, labels
from steelyard.readers.invoice_layouts import (
    LAYOUTS,
    SIGNS,
    Block,
    Side,
    account,
    day,
    money,
)

WIDTH, HEIGHT = 595.0, 842.0  # A4 in points
LEFT, RIGHT, TOP = 52.0, 543.0, 46.0
MIDDLE = 330.0
# Where the columns of goods end, quantity, price and amount; descriptions begin at LEFT.
COLUMNS = (380.0, 460.0, RIGHT)

# Width in points of a text: text, size, bold.
Measure = Callable[[str, float, bool], float]


class Run(Struct, frozen=True, kw_only=True):
    """A stretch of a printed line; `field` is the type of the value it is, if it is one."""

    text: str
    field: str | None = None


class Printed(Struct, frozen=True, kw_only=True):
    """One printed line: its left edge and top in points, and what stands there."""

    x: float
    y: float
    size: float
    bold: bool
    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        """Return the line as one string."""
        return "".join(run.text for run in self.runs)


class Page(Struct, frozen=True, kw_only=True):
    """What is printed, and the heights of the ruled lines, in points."""

    printed: tuple[Printed, ...]
    rules: tuple[float, ...]


def page(invoice: Invoice, place: int, measure: Measure) -> Page:
    """Set an invoice in the layout number `place`."""
    setter = _Setter(invoice, place, measure)
    for block in LAYOUTS[place].blocks:
        setter.put(block)
    return Page(printed=tuple(setter.printed), rules=tuple(setter.rules))


class _Setter:
    """Goes down the page, block by block."""

    def __init__(self, invoice: Invoice, place: int, measure: Measure) -> None:
        self._invoice, self._layout, self._measure = invoice, LAYOUTS[place], measure
        self._words: Labels = labels(invoice.language, place)
        self._y = TOP
        self.printed: list[Printed] = []
        self.rules: list[float] = []

    def put(self, block: Block) -> None:
        """Print one block and leave a gap below it."""
        blocks: dict[Block, Callable[[], None]] = {
            "heading": self._heading, "sender": self._sender, "customer": self._customer,
            "title": self._title, "facts": self._facts, "goods": self._goods,
            "totals": self._totals, "payment": self._payment, "closing": self._closing,
            "footer": self._footer,
        }  # fmt: skip
        blocks[block]()
        self._y += 1.1 * self._layout.size

    def _line(
        self, runs: Iterable[Run], side: Side = "left", *, x: float | None = None, more: float = 0
    ) -> None:
        """Print a line and go below it; `x` is its left edge, or its right one for "right"."""
        self._at(runs, side, x=x, more=more)
        self._y += 1.45 * (self._layout.size + more)

    def _at(
        self, runs: Iterable[Run], side: Side = "left", *, x: float | None = None, more: float = 0
    ) -> None:
        """Print a line and stay; lines that are `more` points larger are bold."""
        kept, size, bold = tuple(runs), self._layout.size + more, more > 0
        width = self._measure("".join(run.text for run in kept), size, bold)
        edge = (
            {"left": LEFT, "centre": (LEFT + RIGHT) / 2, "right": RIGHT}[side] if x is None else x
        )
        left = edge - {"left": 0.0, "centre": width / 2, "right": width}[side]
        self.printed.append(Printed(x=left, y=self._y, size=size, bold=bold, runs=kept))

    def _rule(self) -> None:
        if self._layout.rules:
            self.rules.append(self._y - 0.2 * self._layout.size)

    def _heading(self) -> None:
        supplier, side = self._invoice.supplier, self._layout.heading
        self._line([Run(text=supplier.name, field="SUPPLIER")], side, more=4)
        self._line([Run(text=supplier.street)], side)
        self._line([Run(text=supplier.town)], side)

    def _sender(self) -> None:
        supplier = self._invoice.supplier
        rest = f", {supplier.street}, {supplier.town}"
        self._line([Run(text=supplier.name, field="SUPPLIER"), Run(text=rest)], more=-1)

    def _customer(self) -> None:
        beside = self._layout.beside
        start = self._y
        if self._words.customer:
            self._line([Run(text=self._words.customer)])
        self._address(self._invoice.customer)
        if beside:
            below, self._y = self._y, start
            self._pairs(MIDDLE)
            self._y = max(below, self._y)

    def _address(self, party: Party) -> None:
        self._line([Run(text=party.name, field="CUSTOMER")])
        self._line([Run(text=party.street)])
        self._line([Run(text=party.town)])

    def _title(self) -> None:
        self._line([Run(text=self._words.title)], more=6)

    def _facts(self) -> None:
        """Print number, date and the like, unless they stand beside the customer."""
        if self._layout.beside:
            return
        if self._layout.facts == "row":
            self._row()
        elif self._layout.facts == "sentence":
            self._sentence()
        else:
            self._pairs(LEFT)

    def _known(self) -> list[tuple[str, Run]]:
        """Return the facts with their labels, in the layout's order."""
        words, invoice = self._words, self._invoice
        pairs = [
            (words.number, Run(text=invoice.number, field="INVOICE_NUMBER")),
            (words.date, self._day("INVOICE_DATE")),
            (words.order, Run(text=invoice.order)),
            (words.customer_number, Run(text=invoice.customer_number)),
        ]
        if self._layout.due == "facts":
            pairs.insert(2, (words.due, self._day("DUE_DATE")))
        return pairs

    def _day(self, field: str) -> Run:
        invoice = self._invoice
        date = invoice.due if field == "DUE_DATE" else invoice.date
        style = self._layout.dates[invoice.language]
        return Run(text=day(date, style, invoice.language), field=field)

    def _pairs(self, x: float) -> None:
        """Print a fact a line: after a colon, or in a column of its own."""
        for label, value in self._known():
            if self._layout.facts == "columns":
                self._at([Run(text=label)], x=x)
                self._line([value], x=x + 11.5 * self._layout.size)
            else:
                self._line([Run(text=f"{label}: "), value], x=x)

    def _row(self) -> None:
        """Print labels in a row and values below them."""
        known = self._known()
        step = (RIGHT - LEFT) / len(known)
        for shown in ([Run(text=label) for label, _ in known], [value for _, value in known]):
            for place, run in enumerate(shown):
                self._at([run], x=LEFT + place * step)
            self._y += 1.45 * self._layout.size

    def _sentence(self) -> None:
        """Print number and date in one line, the rest in another."""
        (number, first), (date, second), *rest = self._known()
        self._line([Run(text=f"{number} "), first, Run(text=f", {date} "), second])
        self._line([Run(text=", ".join(f"{label} {value.text}" for label, value in rest))])

    def _goods(self) -> None:
        self._rule()
        self._goods_line(self._words.columns)
        self._rule()
        language = self._invoice.language
        for line in self._invoice.lines:
            price, amount = money(line.price, language), money(line.amount, language)
            self._goods_line((line.goods, str(line.quantity), price, amount))
        self._rule()

    def _goods_line(self, cells: Sequence[str]) -> None:
        self._at([Run(text=cells[0])])
        for text, edge in zip(cells[1:], COLUMNS, strict=True):
            self._at([Run(text=text)], "right", x=edge)
        self._y += 1.45 * self._layout.size

    def _totals(self) -> None:
        invoice, words = self._invoice, self._words
        if self._layout.money == "plain":
            said = "All amounts in " if invoice.language == "en" else "Alle Beträge in "
            self._line([Run(text=said), Run(text=invoice.currency, field="CURRENCY")])
        self._sum(words.net, "NET_TOTAL", invoice.net)
        self._sum(words.tax.format(invoice.tax_percent), "TAX", invoice.tax)
        self._rule()
        self._sum(words.total, "TOTAL", invoice.total, more=1)

    def _sum(self, label: str, field: str, value: int, more: float = 0) -> None:
        value_runs = self._money(value, field)
        if self._layout.totals == "left":
            self._line([Run(text=f"{label}: "), *value_runs], more=more)
            return
        self._at([Run(text=label)], x=MIDDLE, more=more)
        self._line(value_runs, "right", x=RIGHT, more=more)

    def _money(self, value: int, field: str) -> tuple[Run, ...]:
        """Return an amount with its currency, as the layout writes it."""
        currency = self._invoice.currency
        amount = Run(text=money(value, self._invoice.language), field=field)
        code = Run(text=currency, field="CURRENCY")
        match self._layout.money:
            case "before":
                return code, Run(text=" "), amount
            case "after":
                return amount, Run(text=" "), code
            case "sign" if self._invoice.language == "en":
                return Run(text=SIGNS[currency], field="CURRENCY"), amount
            case "sign":
                return amount, Run(text=" "), Run(text=SIGNS[currency], field="CURRENCY")
            case _:
                return (amount,)

    def _payment(self) -> None:
        invoice, words = self._invoice, self._words
        if self._layout.due == "sentence":
            before, after = words.pay_by.split("{}")
            self._line([Run(text=before), self._day("DUE_DATE"), Run(text=after)])
        elif self._layout.due == "days":
            self._line([Run(text=words.pay_within.format(invoice.days))])
        number = account(invoice, solid=self._layout.solid_iban)
        self._line([Run(text=f"{words.iban} "), Run(text=number, field="IBAN")])

    def _closing(self) -> None:
        self._line([Run(text=self._invoice.closing)])

    def _footer(self) -> None:
        invoice = self._invoice
        tax_id = "VAT no." if invoice.language == "en" else "USt-IdNr."
        rest = f", Tel. {invoice.phone}, {tax_id} {invoice.tax_id}"
        self._line([Run(text=invoice.supplier.name, field="SUPPLIER"), Run(text=rest)], more=-1)
