"""The page -> one HTML file: every name escaped, scripts and styles named by their hashes."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from importlib.resources import files

from steelyard.report.html import drawing, libraries
from steelyard.report.html.document import page
from steelyard.report.html.types import Draw, Findings
from steelyard.report.html.view import View
from steelyard.report.units import clean

# A hyphen before a figure, but not between words, in a date or in a number's exponent.
_MINUS = re.compile(r"(?<![^\s(\[,~])-(?=\d)")
# A command or a line of a suite within a sentence.
_TICKED = re.compile(r"`([^`\n]+)`")


def html(findings: Findings, draw: Draw = drawing.draw) -> str:
    """Return the report as one HTML file that asks for nothing else.

    The same findings make the same bytes. Raises Refusal where the extra `report` is missing.
    """
    return render(page(findings, draw))


def render(shown: View, template: str = "report.html.jinja") -> str:
    """Return a page as HTML by its template."""
    libraries.require("jinja2")
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    style, script = _file("report.css"), _file("report.js")
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        loader=FunctionLoader(_file),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Ours, or rebuilt by `svg` from what is harmless: all else is escaped.
    trusted: Callable[[str], Markup] = Markup
    environment.filters["trusted"] = trusted
    environment.filters["quoted"] = _quoted
    environment.filters["unchanged"] = _unchanged
    return environment.get_template(template).render(
        page=shown, style=style, script=script, policy=policy(style, script)
    )


def policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy: nothing is loaded, only these two texts have effect."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _file(name: str) -> str:
    path = files("steelyard.report.html") / "templates" / name
    return path.read_text(encoding="utf-8")


def _finalize(value: object) -> object:
    """Make controls and direction overrides visible; refuse to print what is absent."""
    from markupsafe import Markup

    if value is None:
        raise TypeError("the report would print None; say in words that it is absent")
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _MINUS.sub("\N{MINUS SIGN}", clean(value))


def _quoted(value: str) -> str:
    """Return a sentence with what stands between backticks in quotes."""
    return _TICKED.sub(r"'\1'", value)


def _unchanged(value: str) -> str:
    """Return what a script reads, escaped: its figures keep their hyphens."""
    from markupsafe import escape

    return escape(clean(value))
