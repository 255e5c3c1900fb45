"""Read a mail message as a person sees it: subject and body, decoded, without headers."""

from __future__ import annotations

import re
from contextlib import suppress
from email import message_from_string, policy
from email.header import decode_header, make_header
from email.message import Message

from steelyard.readers.markup import visible_text

_BLANKS = re.compile(r"[ \t\r\f\v\u00a0]+")
_EMPTY_LINES = re.compile(r"\s*\n\s*\n\s*")


def subject_and_body(raw: str) -> tuple[str, str]:
    """Return a message's subject and its visible text.

    Other headers are left out on purpose: in collections of mail they tell where a message was
    collected, not what it is. Transfer encodings are undone and HTML becomes its visible text.
    """
    message = message_from_string(raw, policy=policy.compat32)
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    body = "\n\n".join(text for part in parts if (text := _tidy(_part_text(part))))
    # Broken multipart structure leaves no text part: the undecoded body is what there is.
    return _subject(message), body or _tidy(visible_text(raw.partition("\n\n")[2]))


def _subject(message: Message) -> str:
    """Return the subject on one line, decoded where its encoding is known."""
    given = str(message.get("Subject", ""))
    # Else as sent: spam often names encodings that do not exist.
    with suppress(LookupError, ValueError):
        given = str(make_header(decode_header(given)))
    return " ".join(given.split())


def _part_text(part: Message) -> str:
    """Return one text part, decoded; HTML as its visible text."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        text = payload.decode(part.get_content_charset() or "latin-1", "replace")
    except (LookupError, ValueError):
        text = payload.decode("latin-1")
    return visible_text(text) if part.get_content_subtype() == "html" else text


def _tidy(text: str) -> str:
    """Return text without runs of blanks and of empty lines."""
    return _EMPTY_LINES.sub("\n\n", _BLANKS.sub(" ", text)).strip()
