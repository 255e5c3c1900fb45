"""Read language identification: learn from declarations of human rights, test interface texts.

Train and test differ in kind on purpose: a language must be known, not a register.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.gettext import share_of_letters, shown, translations
from steelyard.readers.markup import paragraphs
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
        found = paragraphs(read_text(path, path.name, "utf-8"))
        sentences = _sentences(found, how.min_chars)
        for number, text in enumerate(dict.fromkeys(sentences), start=1):
            yield Row(
                where=f"{path.name}: sentence {number}",
                text=text,
                label=label,
                id=f"{how.prefix}-train-{label}-{number:04d}",
                part="train",
            )


def _sentences(texts: Sequence[str], min_chars: int) -> Iterator[str]:
    """Yield the sentences of paragraphs, those too short left out."""
    for text in texts:
        for piece in _SENTENCE_END.split(text):
            if len(piece.strip()) >= min_chars:
                yield piece.strip()


def _interface(folder: Path, how: LanguageOptions) -> Iterator[Row]:
    """Yield the chosen interface texts; one that several languages share is nobody's."""
    catalogues = _catalogues(folder)
    texts = {
        label: _texts(folder, catalogues.get(locale, []), label == how.source, how)
        for label, locale in how.locales.items()
    }
    owners = Counter(text for found in texts.values() for text in found)
    for label, found in texts.items():
        own = sorted((text for text in found if owners[text] == 1), key=lambda one: _rank(how, one))
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


def _catalogues(folder: Path) -> dict[str, list[Path]]:
    """Return the catalogues `.../locale/<locale>/LC_MESSAGES/*.po` by locale."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.po")):
        found.setdefault(path.parts[-3], []).append(path)
    return found


def _texts(
    folder: Path, catalogues: Sequence[Path], source: bool, how: LanguageOptions
) -> set[str]:
    """Return the usable texts of one language; of the `source` language the originals."""
    found = set()
    for path in catalogues:
        name = path.relative_to(folder).as_posix()
        for original, translated in translations(read_text(path, name, "utf-8"), name):
            if not source and translated == original:
                continue
            message = original if source else translated
            text = shown(message)
            usable = share_of_letters(text, message) >= how.min_letters
            if len(text) >= how.min_chars and usable:
                found.add(text)
    return found


def _rank(how: LanguageOptions, text: str) -> bytes:
    """Return what decides which texts are kept."""
    return sha256(f"{how.seed}:{text}".encode()).digest()
