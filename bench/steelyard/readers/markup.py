"""Turn HTML into the text that a person sees.

Patterns instead of `html.parser`: its handling of broken pages changes with Python's releases, and
the same files must give the same items everywhere.
"""

from __future__ import annotations

import re
from html import unescape

_UNSEEN = re.compile(r"<(script|style)\b[^>]*>.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[a-z!?][^<>]*>", re.IGNORECASE)
_PARAGRAPH = re.compile(r"<p\b[^>]*>(.*?)</p\s*>", re.DOTALL | re.IGNORECASE)


def visible_text(html: str) -> str:
    """Return the text of HTML without tags, comments, scripts and styles; each leaves a blank."""
    return unescape(_TAG.sub(" ", _UNSEEN.sub(" ", html)))


def paragraphs(html: str) -> list[str]:
    """Return the visible text of every paragraph, on one line each."""
    return [" ".join(visible_text(found).split()) for found in _PARAGRAPH.findall(html)]
