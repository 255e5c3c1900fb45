"""Rebuild a drawn SVG from a short list of harmless elements and attributes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from steelyard.errors import Refusal
from steelyard.report.html.types import Point
from steelyard.report.units import clean

ELEMENTS = frozenset({"g", "path", "line", "text"})
ATTRIBUTES = frozenset(
    {
        *("d", "x", "x1", "x2", "y", "y1", "y2", "transform"),
        *("fill", "fill-opacity", "opacity", "font-size", "font-weight", "text-anchor"),
        *("stroke", "stroke-dasharray", "stroke-miterlimit", "stroke-opacity", "stroke-width"),
    }
)
# Numbers, names and functions such as translate() and var(); nothing that could be an address.
VALUE = re.compile(r"[-\w\s.,#%()+]*")
TOLD = re.compile(r"(point|bar|name) (\d+)")
_DECIMALS = re.compile(r"(\d+\.\d)\d+")


def rebuilt(drawn: str, points: Sequence[Point]) -> str:
    """Return the SVG with only what a plot may hold; the first of its points can be tabbed to.

    A mark labelled `point 3` becomes points[3], its bars and name belong to it.
    Raises Refusal if `drawn` is no SVG.
    """
    try:
        root = ET.fromstring(drawn)  # noqa: S314 - drawn by our own library, not fetched
    except ET.ParseError as error:
        raise Refusal(f"a plot could not be drawn: {error}") from error
    made = ET.Element("svg", {"class": "plot", "viewBox": root.get("viewBox", "0 0 0 0")})
    for child in root:
        _copy(child, made, points)
    return ET.tostring(made, encoding="unicode")


def _copy(source: ET.Element, parent: ET.Element, points: Sequence[Point]) -> None:
    tag = source.tag.rpartition("}")[2]
    if tag not in ELEMENTS or _shows_nothing(source, tag):
        return
    made = ET.SubElement(parent, tag, _harmless(source))
    made.text = clean(source.text) if source.text and tag == "text" else None
    part = TOLD.fullmatch(source.get("aria-label", ""))
    if part and int(part[2]) < len(points):
        made.attrib.update(_told(part[1], points[int(part[2])], first=part[2] == "0"))
    for child in source:
        _copy(child, made, points)


def _told(part: str, point: Point, *, first: bool) -> dict[str, str]:
    if part != "point":
        return {"data-key": clean(point.key), "aria-hidden": "true"}
    return {
        "class": "point",
        "role": "img",
        "aria-label": clean(point.text),
        "data-role": clean(point.role),
        "data-key": clean(point.key),
        # One stop for Tab a plot; the arrow keys go on from there.
        "tabindex": "0" if first else "-1",
    }


def _shows_nothing(source: ET.Element, tag: str) -> bool:
    return source.get("display") == "none" or (tag == "path" and not source.get("d"))


def _harmless(source: ET.Element) -> dict[str, str]:
    return {
        key: _DECIMALS.sub(r"\1", value)
        for key, value in source.attrib.items()
        if key in ATTRIBUTES and VALUE.fullmatch(value)
    }
