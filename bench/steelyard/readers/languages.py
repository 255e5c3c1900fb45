"""Read language identification: learn from declarations of human rights, test interface texts.

Train and test differ in kind on purpose: a language must be known, not a register.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.gettext import share_of_letters, shown, translations
from steelyard.readers.rows import Row, Shared, decode_options, items_of, named_path, read_text

# A full stop needs a blank behind it, its wide relative of Chinese and Japanese (U+3002, U+FF01,
# U+FF1F, U+FF1B) does not. U+0589 is Armenian, U+0964 Indic, U+061F and U+061B are Arabic.
_SENTENCE_END = re.compile(
    r"(?<=[.!?;:\u0589\u0964\u061f\u061b])\s+|(?<=[\u3002\uff01\uff1f\uff1b])"
)


class LanguageOptions(Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files stand for which label.

    `declarations` maps label ids to files below `udhr`, `locales` to gettext locales below
    `catalogues`; `source` is the label whose texts are the catalogues' originals. At most
    `per_language` interface texts a language are kept, chosen by hash.
    """

    train: str
    test: str
    udhr: str
    declarations: dict[str, str]
    locales: dict[str, str]
    source: str = "en"
    min_chars: int = 15
    min_letters: float = 0.6
    per_language: int = 100
    seed: int = 0


class Languages:
    """Reader `gettext-and-udhr`."""

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return sentences of declarations as train items and interface texts as test items."""
        how = decode_options(options, LanguageOptions)
        wanted = {label.id for label in labels}
        if wanted != set(how.declarations) or wanted != set(how.locales):
            raise PrepareError("reader.options: declarations and locales name every label, once")
        udhr = named_path(paths, how.train) / how.udhr
        rows = [*_declared(udhr, how), *_interface(named_path(paths, how.test), how)]
        return items_of(rows, labels, how, f"{how.train}, {how.test}")


def _declared(folder: Path, how: LanguageOptions) -> Iterator[Row]:
    """Yield the sentences of every declaration."""
    for label, name in how.declarations.items():
        path = folder / f"{name}.html"
        if not path.is_file():
            raise PrepareError(f"{how.train}: no declaration {name!r} for label {label!r}")
        parser = _Paragraphs()
        parser.feed(read_text(path, path.name, "utf-8"))
        sentences = _sentences(parser.found, how.min_chars)
        for number, text in enumerate(dict.fromkeys(sentences), start=1):
            yield Row(
                where=f"{path.name}: sentence {number}",
                text=text,
                label=label,
                id=f"{how.prefix}-train-{label}-{number:04d}",
                part="train",
            )


def _sentences(paragraphs: Sequence[str], min_chars: int) -> Iterator[str]:
    """Yield the sentences of paragraphs, those too short left out."""
    for paragraph in paragraphs:
        for piece in _SENTENCE_END.split(" ".join(paragraph.split())):
            if len(piece.strip()) >= min_chars:
                yield piece.strip()


def _interface(folder: Path, how: LanguageOptions) -> Iterator[Row]:
    """Yield the chosen interface texts; one that several languages share is nobody's."""
    texts = {label: _texts(folder, label, locale, how) for label, locale in how.locales.items()}
    owners = Counter(text for found in texts.values() for text in found)
    for label, found in texts.items():
        own = sorted(
            (text for text in found if owners[text] == 1), key=lambda text: _rank(how, text)
        )
        if not own:
            raise PrepareError(f"{how.test}: no texts for label {label!r}")
        for number, text in enumerate(own[: how.per_language], start=1):
            yield Row(
                where=f"{how.test}: {how.locales[label]}",
                text=text,
                label=label,
                id=f"{how.prefix}-test-{label}-{number:04d}",
                part="test",
            )


def _texts(folder: Path, label: str, locale: str, how: LanguageOptions) -> set[str]:
    """Return the usable texts of one language from all its catalogues."""
    found = set()
    for path in sorted(folder.glob(f"**/locale/{locale}/LC_MESSAGES/*.po")):
        name = path.relative_to(folder).as_posix()
        for original, translated in translations(read_text(path, name, "utf-8"), name):
            message = original if label == how.source else translated
            if label != how.source and translated == original:
                continue
            text = shown(message)
            usable = share_of_letters(text, message) >= how.min_letters
            if len(text) >= how.min_chars and usable:
                found.add(text)
    return found


def _rank(how: LanguageOptions, text: str) -> bytes:
    """Return what decides which texts are kept."""
    return sha256(f"{how.seed}:{text}".encode()).digest()


class _Paragraphs(HTMLParser):
    """Collects the text of paragraphs: titles and headings are alike in many languages."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag == "p":
            self._inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data
