"""How twelve layouts word what stands before a value, in two languages."""

from __future__ import annotations

from msgspec import Struct

from steelyard.readers.invoice_words import Language

COUNT = 12


class Labels(Struct, frozen=True, kw_only=True):
    """What one layout calls things. `pay_by` and `pay_within` have a place for the day or days."""

    title: str
    number: str
    date: str
    due: str
    order: str
    customer_number: str
    customer: str
    net: str
    tax: str
    total: str
    iban: str
    pay_by: str
    pay_within: str
    columns: tuple[str, str, str, str]


def labels(language: Language, layout: int) -> Labels:
    """Return the words of a layout, by its place from 0 to 11."""
    table = _ENGLISH if language == "en" else _GERMAN
    words = {name: row[layout] for name, row in table.items()}
    columns = (_ENGLISH_COLUMNS if language == "en" else _GERMAN_COLUMNS)[layout % 3]
    return Labels(columns=columns, **words)


_ENGLISH_COLUMNS = (
    ("Description", "Qty", "Price", "Amount"),
    ("Item", "Quantity", "Unit price", "Total"),
    ("Goods and services", "Units", "Each", "Sum"),
)
_GERMAN_COLUMNS = (
    ("Bezeichnung", "Menge", "Preis", "Betrag"),
    ("Artikel", "Anzahl", "Einzelpreis", "Gesamt"),
    ("Leistung", "Menge", "je Einheit", "Summe"),
)

_ENGLISH: dict[str, tuple[str, ...]] = {
    "title": (
        "INVOICE", "Invoice", "TAX INVOICE", "Sales invoice", "Invoice", "Bill", "INVOICE",
        "Invoice", "Statement of charges", "VAT Invoice", "Invoice", "INVOICE",
    ),
    "number": (
        "Invoice number", "Invoice No.", "Invoice #", "Inv. no.", "Document no.", "Bill no.",
        "No.", "Invoice No", "Our reference", "Invoice number", "Number", "Invoice ID",
    ),
    "date": (
        "Invoice date", "Date", "Date of issue", "Inv. date", "Document date", "Billed on", "Date",
        "Issued", "Dated", "Tax point", "Date of invoice", "Invoice date",
    ),
    "due": (
        "Due date", "Payment due", "Due", "Pay by", "Payable by", "Due on", "Due date",
        "Payment date", "To be paid by", "Latest payment", "Due by", "Date due",
    ),
    "order": (
        "Order number", "Your order", "PO #", "Order ref.", "Purchase order", "Order", "P.O. no.",
        "Order no", "Your reference", "Order number", "Order", "PO number",
    ),
    "customer_number": (
        "Customer number", "Account", "Customer #", "Cust. no.", "Account no.", "Client",
        "Customer", "Customer no", "Client number", "Account number", "Customer code", "Client ID",
    ),
    "customer": (
        "Bill to:", "To", "Billed to", "Customer", "Sold to:", "", "Invoice to", "", "Client:",
        "Recipient", "", "BILL TO",
    ),
    "net": (
        "Subtotal", "Net total", "Net amount", "Total excl. VAT", "Sum", "Total net", "Subtotal",
        "Net", "Value of goods", "Total before tax", "Net value", "SUBTOTAL",
    ),
    "tax": (
        "VAT {}%", "VAT ({} %)", "plus {}% VAT", "VAT at {}%", "Tax {} %", "{}% VAT", "VAT {} %",
        "VAT {}%", "Value added tax {}%", "Tax ({}%)", "VAT @ {}%", "VAT {}%",
    ),
    "total": (
        "Total", "Grand total", "Total due", "Total incl. VAT", "Amount payable", "To pay",
        "TOTAL", "Invoice total", "Balance due", "Total including tax", "Gross", "AMOUNT DUE",
    ),
    "iban": (
        "IBAN", "IBAN:", "IBAN", "Account (IBAN)", "IBAN:", "Pay to IBAN", "IBAN", "IBAN No.",
        "Bank account", "IBAN", "IBAN:", "IBAN",
    ),
    "pay_by": (
        "Please pay by {}.", "Payment is due on {}.", "Kindly settle by {}.", "Payable by {}.",
        "We ask for payment by {}.", "Please transfer the sum by {}.", "Due for payment: {}.",
        "Please remit by {}.", "Settlement is expected by {}.", "To be paid until {}.",
        "Payment by {}, please.", "Please pay not later than {}.",
    ),
    "pay_within": (
        "Payable within {} days.", "Terms: {} days net.", "Net {} days.", "Payment: {} days.",
        "Payable {} days after date.", "Please pay within {} days.", "{} days net.",
        "Terms of payment: {} days.", "Settlement within {} days.", "Due in {} days.",
        "{} days from date of invoice.", "TERMS: NET {}",
    ),
}  # fmt: skip

_GERMAN: dict[str, tuple[str, ...]] = {
    "title": (
        "RECHNUNG", "Rechnung", "RECHNUNG", "Rechnung", "Beleg", "Faktura", "RECHNUNG",
        "Rechnung", "Abrechnung", "Rechnung", "Rechnung", "RECHNUNG",
    ),
    "number": (
        "Rechnungsnummer", "Rechnungs-Nr.", "Rechnung Nr.", "Rg.-Nr.", "Belegnummer", "Faktura-Nr.",
        "Nr.", "Rechnungsnr.", "Unser Zeichen", "Rechnungsnummer", "Nummer", "Rechnung-ID",
    ),
    "date": (
        "Rechnungsdatum", "Datum", "Ausgestellt am", "Rg.-Datum", "Belegdatum", "Vom", "Datum",
        "Ausstellungsdatum", "Ort und Tag", "Rechnungsdatum", "Datum der Rechnung",
        "Rechnungsdatum",
    ),
    "due": (
        "Zahlbar bis", "Fällig am", "Fälligkeit", "Zahlungsziel", "Fällig zum", "Zahlung bis",
        "Fällig", "Zahltermin", "Zu zahlen bis", "Fälligkeitsdatum", "Fällig bis", "Zahlbar bis",
    ),
    "order": (
        "Bestellnummer", "Ihre Bestellung", "Auftrag", "Best.-Nr.", "Auftragsnummer", "Auftrag Nr.",
        "Bestell-Nr.", "Auftragsnr.", "Ihr Zeichen", "Bestellnummer", "Bestellung", "Auftrag-ID",
    ),
    "customer_number": (
        "Kundennummer", "Kunde", "Kunden-Nr.", "Kd.-Nr.", "Konto", "Kunde Nr.", "Kunden-Nr.",
        "Kundennr.", "Debitor", "Kundennummer", "Kundencode", "Kunden-ID",
    ),
    "customer": (
        "An:", "An", "Rechnung an", "Kunde", "Empfänger:", "", "Herrn / Frau / Firma", "",
        "Auftraggeber:", "Rechnungsempfänger", "", "AN",
    ),
    "net": (
        "Zwischensumme", "Nettobetrag", "Summe netto", "Gesamt ohne MwSt.", "Summe", "Netto",
        "Zwischensumme", "Netto", "Warenwert", "Summe vor Steuer", "Nettowert", "ZWISCHENSUMME",
    ),
    "tax": (
        "MwSt. {}%", "USt. ({} %)", "zzgl. {}% MwSt.", "MwSt. {} %", "Steuer {} %", "{}% USt.",
        "MwSt. {} %", "MwSt. {}%", "Umsatzsteuer {}%", "Steuer ({}%)", "USt. {}%", "MWST {}%",
    ),
    "total": (
        "Gesamtbetrag", "Endbetrag", "Zu zahlen", "Gesamt inkl. MwSt.", "Zahlbetrag",
        "Rechnungsbetrag", "GESAMT", "Rechnungssumme", "Offener Betrag", "Summe mit Steuer",
        "Brutto", "GESAMTBETRAG",
    ),
    "iban": (
        "IBAN", "IBAN:", "IBAN", "Konto (IBAN)", "IBAN:", "Zahlung an IBAN", "IBAN", "IBAN-Nr.",
        "Bankverbindung", "IBAN", "IBAN:", "IBAN",
    ),
    "pay_by": (
        "Bitte zahlen Sie bis zum {}.", "Die Zahlung ist am {} fällig.",
        "Wir bitten um Ausgleich bis {}.", "Zahlbar bis {}.", "Wir erbitten die Zahlung bis {}.",
        "Bitte überweisen Sie den Betrag bis {}.", "Zur Zahlung fällig: {}.",
        "Bitte begleichen bis {}.", "Den Ausgleich erwarten wir bis {}.", "Zu zahlen bis {}.",
        "Zahlung bitte bis {}.", "Bitte zahlen Sie spätestens am {}.",
    ),
    "pay_within": (
        "Zahlbar innerhalb von {} Tagen.", "Ziel: {} Tage netto.", "Netto {} Tage.",
        "Zahlung: {} Tage.", "Zahlbar {} Tage nach Datum.", "Bitte zahlen Sie in {} Tagen.",
        "{} Tage netto.", "Zahlungsbedingung: {} Tage.", "Ausgleich in {} Tagen.",
        "Fällig in {} Tagen.", "{} Tage ab Rechnungsdatum.", "ZIEL: {} TAGE",
    ),
}  # fmt: skip
