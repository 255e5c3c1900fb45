"""The words of which invoices are made: names, streets, towns and goods, in two languages.

Written for this project; towns are real, firms and people are not meant to be. `dealt` gives each
layout words of its own, so that no name is learned on one layout and met again on another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

from msgspec import Struct

Language = Literal["en", "de"]
T = TypeVar("T")


class Words(Struct, frozen=True, kw_only=True):
    """What an invoice of one language is made of; `goods` has a description and a unit each."""

    surnames: tuple[str, ...]
    trades: tuple[str, ...]
    forms: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[tuple[str, str], ...]
    goods: tuple[str, ...]
    months: tuple[str, ...]
    closings: tuple[str, ...]


def dealt(words: Sequence[T], share: int, shares: int) -> tuple[T, ...]:
    """Return every `shares`-th of the words, from the `share`-th on."""
    return tuple(words[share::shares])


ENGLISH = Words(
    surnames=(
        "Abbott", "Ainsley", "Barlow", "Bexley", "Blackwood", "Brennan", "Calder", "Carmichael",
        "Chadwick", "Colby", "Crosby", "Dalton", "Denholm", "Draycott", "Eastwood", "Ellery",
        "Fairfax", "Fenwick", "Garside", "Gilroy", "Greenhalgh", "Hadley", "Hartnell", "Hawthorne",
        "Holroyd", "Ingram", "Jarvis", "Kendrick", "Kirkham", "Langford", "Lockwood", "Lomax",
        "Marlowe", "Mayhew", "Merrick", "Montague", "Nettleton", "Norwood", "Oakley", "Ormerod",
        "Pemberton", "Pickford", "Prescott", "Quinlan", "Radcliffe", "Ramsbottom", "Redfern",
        "Rowntree", "Sefton", "Sheldon", "Sinclair", "Stanhope", "Sutcliffe", "Tattersall",
        "Thackeray", "Thornton", "Underhill", "Vickers", "Wakefield", "Walpole", "Wetherby",
        "Whitlock", "Winslow", "Wolverton", "Wycliffe", "Yardley", "Yeoman", "Zeller", "Ashdown",
        "Birkett", "Corrigan", "Dunmore",
    ),
    trades=(
        "Office Supplies", "Engineering", "Catering", "Logistics", "Print Works", "Electrical",
        "Building Services", "Textiles", "Consulting", "Timber", "Packaging", "Software",
        "Garden Centre", "Motors", "Instruments", "Foods", "Cleaning", "Furniture", "Plumbing",
        "Security", "Translations", "Laboratories", "Tools", "Publishing",
    ),
    forms=("Ltd", "Ltd.", "Limited", "LLP", "plc", "& Sons", "& Co. Ltd", "Group Ltd"),
    streets=(
        "Albion Street", "Baker's Row", "Bridge Road", "Canal Walk", "Castle Hill", "Chapel Lane",
        "Church Street", "Clarence Road", "Cooper Street", "Dock Road", "Elm Grove", "Ferry Lane",
        "Foundry Way", "Garden Terrace", "George Street", "Harbour View", "High Street",
        "Hill Crescent", "Industrial Way", "Jubilee Road", "King Street", "Lime Avenue",
        "London Road", "Manor Court", "Market Place", "Meadow Close", "Mill Lane", "Nelson Street",
        "North Parade", "Orchard Road", "Park Avenue", "Prince's Gate", "Quarry Road",
        "Queen Street", "Railway Terrace", "River Walk", "Spring Gardens", "Station Road",
        "Temple Row", "Trinity Lane", "Union Street", "Victoria Road", "Water Lane",
        "Wellington Street", "West Street", "Windmill Road", "Wharf Street", "York Place",
    ),
    towns=(
        ("Bath", "BA1"), ("Bolton", "BL1"), ("Bradford", "BD1"), ("Bristol", "BS1"),
        ("Cambridge", "CB2"), ("Cardiff", "CF10"), ("Carlisle", "CA1"), ("Chester", "CH1"),
        ("Coventry", "CV1"), ("Derby", "DE1"), ("Dundee", "DD1"), ("Durham", "DH1"),
        ("Edinburgh", "EH1"), ("Exeter", "EX1"), ("Glasgow", "G1"), ("Gloucester", "GL1"),
        ("Hull", "HU1"), ("Ipswich", "IP1"), ("Lancaster", "LA1"), ("Leeds", "LS1"),
        ("Leicester", "LE1"), ("Lincoln", "LN1"), ("Liverpool", "L1"), ("London", "EC2A"),
        ("Manchester", "M1"), ("Newcastle", "NE1"), ("Norwich", "NR1"), ("Nottingham", "NG1"),
        ("Oxford", "OX1"), ("Plymouth", "PL1"), ("Portsmouth", "PO1"), ("Preston", "PR1"),
        ("Reading", "RG1"), ("Sheffield", "S1"), ("Southampton", "SO14"), ("Swansea", "SA1"),
    ),
    goods=(
        "Copy paper A4, 80 g", "Toner cartridge black", "Ring binders 75 mm", "Desk lamp LED",
        "Consulting, senior engineer", "Site inspection", "Travel expenses", "Delivery and packing",
        "Steel bolts M8 x 40", "Cable NYM 3 x 1.5", "Safety gloves size 9", "Oak boards 27 mm",
        "Annual licence, 10 users", "Server maintenance", "Colour brochures, folded",
        "Lunch buffet, cold", "Window cleaning, 3 floors", "Filter set 5 um", "Work bench 2 m",
        "Hydraulic oil HLP 46", "Labels 100 x 50", "Translation per line", "Calibration of scales",
        "Pallet hire per week", "Spare part 4711-B", "Fire extinguisher check", "Network switch",
        "Coffee beans 1 kg", "Waste disposal", "Adhesive tape 50 mm",
    ),
    months=(
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ),
    closings=(
        "Thank you for your business.", "Goods remain our property until paid in full.",
        "Please quote the invoice number with your payment.", "We look forward to your next order.",
    ),
)  # fmt: skip

GERMAN = Words(
    surnames=(
        "Ahrens", "Albrecht", "Bachmann", "Bäumer", "Behrendt", "Böhme", "Brückner", "Claußen",
        "Dietrich", "Dörfler", "Eberhardt", "Engelke", "Faßbender", "Förster", "Friedrichs",
        "Gärtner", "Gerlach", "Göbel", "Großmann", "Hägele", "Hartung", "Heßler", "Hölscher",
        "Hübner", "Jäger", "Jürgens", "Kästner", "Kießling", "Köhler", "Krämer", "Kühn",
        "Langhans", "Lehnert", "Löffler", "Lüders", "Maaß", "Mertens", "Möbius", "Mühlbauer",
        "Nägele", "Neuhaus", "Nölting", "Oberländer", "Ohlsen", "Pfäffle", "Pöhlmann", "Quandt",
        "Rademacher", "Reißner", "Rößler", "Rüdiger", "Sänger", "Schäfer", "Schlüter", "Schönfeld",
        "Schröder", "Seidel", "Stöhr", "Strauß", "Süßmann", "Thiele", "Tönnies", "Uhlig",
        "Vogelsang", "Völker", "Wächter", "Weißkopf", "Wörner", "Wüstenberg", "Zangerl", "Zöllner",
        "Zühlke",
    ),
    trades=(
        "Bürobedarf", "Maschinenbau", "Elektrotechnik", "Spedition", "Druckerei", "Sanitär",
        "Bauunternehmung", "Textilhandel", "Unternehmensberatung", "Holzhandel", "Verpackungen",
        "Softwarehaus", "Gartenbau", "Kfz-Technik", "Messgeräte", "Lebensmittel",
        "Gebäudereinigung", "Möbelwerkstätten", "Heizungsbau", "Sicherheitstechnik",
        "Übersetzungen", "Labortechnik", "Werkzeuge", "Verlag",
    ),
    forms=("GmbH", "GmbH & Co. KG", "AG", "KG", "e. K.", "OHG", "mbH", "& Söhne GmbH"),
    streets=(
        "Ahornweg", "Am Bahnhof", "Am Güterhof", "Bachstraße", "Bahnhofstraße", "Bergstraße",
        "Birkenallee", "Brückenstraße", "Buchenweg", "Burgstraße", "Dammstraße", "Dorfstraße",
        "Eichenweg", "Feldstraße", "Fischergasse", "Gartenstraße", "Gewerbering", "Goethestraße",
        "Grüner Weg", "Hafenstraße", "Hauptstraße", "Heideweg", "Industriestraße", "Jahnstraße",
        "Kaiserstraße", "Kirchplatz", "Königsallee", "Lindenstraße", "Lange Reihe", "Marktplatz",
        "Mozartstraße", "Mühlenweg", "Nordring", "Parkstraße", "Poststraße", "Querstraße",
        "Ringstraße", "Römerstraße", "Rosenweg", "Schillerstraße", "Schloßstraße", "Schulstraße",
        "Seestraße", "Südring", "Talstraße", "Uferweg", "Waldstraße", "Ziegelhütte",
    ),
    towns=(
        ("Aachen", "52062"), ("Augsburg", "86150"), ("Bamberg", "96047"), ("Bielefeld", "33602"),
        ("Bochum", "44787"), ("Braunschweig", "38100"), ("Bremen", "28195"), ("Chemnitz", "09111"),
        ("Darmstadt", "64283"), ("Dresden", "01067"), ("Düsseldorf", "40213"), ("Erfurt", "99084"),
        ("Essen", "45127"), ("Flensburg", "24937"), ("Freiburg", "79098"), ("Göttingen", "37073"),
        ("Halle", "06108"), ("Hamburg", "20095"), ("Hannover", "30159"), ("Jena", "07743"),
        ("Kassel", "34117"), ("Kiel", "24103"), ("Köln", "50667"), ("Leipzig", "04109"),
        ("Lübeck", "23552"), ("Mainz", "55116"), ("München", "80331"), ("Münster", "48143"),
        ("Nürnberg", "90402"), ("Oldenburg", "26122"), ("Potsdam", "14467"),
        ("Regensburg", "93047"), ("Rostock", "18055"), ("Stuttgart", "70173"), ("Ulm", "89073"),
        ("Würzburg", "97070"),
    ),
    goods=(
        "Kopierpapier A4, 80 g", "Toner schwarz", "Ordner 75 mm", "Schreibtischleuchte LED",
        "Beratung, leitender Ingenieur", "Ortstermin", "Reisekosten", "Versand und Verpackung",
        "Sechskantschrauben M8 x 40", "Leitung NYM 3 x 1,5", "Schutzhandschuhe Größe 9",
        "Eichenbretter 27 mm", "Jahreslizenz, 10 Plätze", "Wartung Server",
        "Broschüren, gefalzt", "Mittagsbuffet, kalt", "Fensterreinigung, 3 Etagen",
        "Filtersatz 5 um", "Werkbank 2 m", "Hydrauliköl HLP 46", "Etiketten 100 x 50",
        "Übersetzung je Zeile", "Eichung von Waagen", "Palettenmiete je Woche",
        "Ersatzteil 4711-B", "Prüfung Feuerlöscher", "Netzwerkverteiler", "Kaffeebohnen 1 kg",
        "Entsorgung", "Klebeband 50 mm",
    ),
    months=(
        "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
        "Oktober", "November", "Dezember",
    ),
    closings=(
        "Wir danken für Ihren Auftrag.",
        "Die Ware bleibt bis zur Bezahlung unser Eigentum.",
        "Bitte geben Sie bei Zahlung die Rechnungsnummer an.",
        "Wir freuen uns auf Ihre nächste Bestellung.",
    ),
)  # fmt: skip

WORDS: dict[Language, Words] = {"en": ENGLISH, "de": GERMAN}
