"""The libraries of the extra `report`: looked for before anything slow is begun."""

from __future__ import annotations

from importlib.util import find_spec

from steelyard.errors import Refusal

NEEDED = ("jinja2", "altair", "vl_convert")


def require(*names: str) -> None:
    """Raise Refusal with the install command for the first of the libraries that is missing."""
    for name in names or NEEDED:
        if find_spec(name) is None:
            raise Refusal(
                f"the HTML report needs {name}, which is not installed; "
                "try: pip install 'steelyard[report]'"
            )
