"""Write the generated parts of README.md, or with --check say whether they are up to date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from steelyard import catalog
from steelyard.catalog import Catalog
from steelyard.cli.output import run_tables
from steelyard.report import markdown, readme

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"


def main() -> int:
    """Update or check; return the exit status."""
    found = catalog.load()
    blocks = {
        "help": _code(_help()),
        "tasks": _tasks(found),
        "models": _models(found),
        "results": markdown.text(run_tables((RESULTS / "default",), found)),
        "parents": markdown.text(run_tables((RESULTS / "parents",), found)),
    }
    path = ROOT / "README.md"
    if "--check" in sys.argv[1:]:
        if readme.is_current(path, blocks):
            return 0
        print("README.md is not what the program says; write it anew: make docs")
        return 1
    print("README.md written" if readme.update(path, blocks) else "README.md was up to date")
    return 0


def _help() -> str:
    shown = [["--help"], ["run", "--help"]]
    return "\n".join(
        f"$ steelyard {' '.join(arguments)}\n"
        + subprocess.run(
            [sys.executable, "-m", "steelyard", *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.replace("python -m steelyard", "steelyard")
        for arguments in shown
    )


def _code(text: str) -> str:
    return f"```\n{text}```"


def _tasks(found: Catalog) -> str:
    lines = [
        "| task | what | labels | metric | expected to win | licence of the data |",
        "|---|---|---|---|---|---|",
    ]
    for entry in found.tasks.values():
        card = entry.card
        lines.append(
            f"| [{card.id}](tasks/{card.id}/README.md) | {card.title} | {len(card.labels)} "
            f"| {card.metric} | {card.expectation} | {card.licence} |"
        )
    return "\n".join(lines)


def _models(found: Catalog) -> str:
    lines = ["| model | role | what | variants | licence |", "|---|---|---|---|---|"]
    for entry in found.models.values():
        card = entry.card
        variants = ", ".join(variant.id for variant in card.variants)
        lines.append(
            f"| [{card.id}](models/{card.id}/README.md) | {card.role} | {card.title} "
            f"| {variants} | {card.licence} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
