"""Bytes -> lines of text, a piece at a time; what is no text is refused by its place."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import BinaryIO

from steelyard.errors import DataError, OptionError
from steelyard.weigh.rows import MAX_CELL

_PIECE = 1 << 20
# UTF-32's mark begins with UTF-16's: the longer ones are looked for first.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHERS = (
    (b"PK\x03\x04", "is a zip file or an Excel workbook; save it as CSV"),
    (b"PAR1", "is a Parquet file; name it .parquet"),
    (b"\x1f\x8b", "is compressed; unpack it first"),
    (b"BZh", "is compressed; unpack it first"),
    (b"\xfd7zXZ\x00", "is compressed; unpack it first"),
    (b"(\xb5/\xfd", "is compressed; unpack it first"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook; save it as CSV"),
)

Advance = Callable[[int], None]


def check_encoding(encoding: str) -> None:
    """Refuse a name that is no encoding of text."""
    try:
        "".encode(encoding)
    except (LookupError, ValueError) as error:
        raise OptionError(f"--encoding: no text encoding {encoding!r}; try latin-1") from error


def lines(stream: BinaryIO, encoding: str | None, name: str, advance: Advance) -> Iterator[str]:
    r"""Yield the lines of a stream, with their ends, as one `\n` or `\r\n` (or `\r` alone) each.

    Without `encoding` a byte order mark decides, else it is UTF-8: what is neither is refused, as
    any bytes would pass for Latin-1.
    """
    piece = stream.read(_PIECE)
    if not piece.strip(codecs.BOM_UTF8 + b" \t\r\n"):
        raise DataError(f"{name}: the file is empty")
    codec = _codec(piece, encoding, name)
    text = _Decoded(codec, name)
    old_mac = b"\r" in piece and b"\n" not in piece
    rest = ""
    while piece:
        advance(len(piece))
        following = stream.read(_PIECE)
        more = text.decode(piece, final=not following)
        whole = rest + (more.replace("\r", "\n") if old_mac else more)
        *complete, rest = whole.split("\n")
        yield from (line + "\n" for line in complete)
        if len(rest) > MAX_CELL:
            raise DataError(f"{name}:{text.line}: a line of more than {MAX_CELL:,} characters")
        piece = following
    if rest:
        yield rest


class _Decoded:
    """Decodes piece by piece and knows the line it is at."""

    def __init__(self, codec: str, name: str) -> None:
        self._decoder = codecs.getincrementaldecoder(codec)()
        self._codec = codec.removesuffix("-sig").upper()
        self._name = name
        self.line = 1

    def decode(self, piece: bytes, *, final: bool) -> str:
        try:
            text = self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            line = self.line + error.object.count(b"\n", 0, error.start)
            raise DataError(
                f"{self._name}:{line}: byte 0x{error.object[error.start]:02x} is not "
                f"{self._codec}; say what it is with --encoding, e.g. latin-1 or cp1252"
            ) from error
        except UnicodeError as error:
            raise DataError(f"{self._name}: not {self._codec}: {error}") from error
        self.line += text.count("\n")
        return text


def _codec(head: bytes, encoding: str | None, name: str) -> str:
    """Return the codec of a file by its first bytes; refuse what is no text."""
    other = next((what for mark, what in _OTHERS if head.startswith(mark)), None)
    if other is not None:
        raise DataError(f"{name}: {other}")
    marked = next((codec for mark, codec in _MARKS if head.startswith(mark)), None)
    if encoding is not None:
        check_encoding(encoding)
        utf8 = encoding.lower().replace("_", "-") in {"utf-8", "utf8"}
        return "utf-8-sig" if utf8 else encoding
    if marked is None and b"\0" in head[:4096]:
        raise DataError(
            f"{name}: holds zero bytes: it is no text, or UTF-16 without its mark "
            "(then say --encoding utf-16-le)"
        )
    return marked or "utf-8"
