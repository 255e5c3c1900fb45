"""Write README.md's generated parts and the reference, or with --check say if they are current."""

from __future__ import annotations

import sys
from pathlib import Path

import reference

from steelyard import catalog, store
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
    page = ROOT / "docs" / "reference.md"
    if "--check" in sys.argv[1:]:
        return _check(blocks, page)
    changed = readme.update(ROOT / "README.md", blocks)
    store.write_atomically(page, reference.text().encode())
    print("README.md written" if changed else "README.md was up to date")
    return 0


def _check(blocks: dict[str, str], page: Path) -> int:
    stale = [] if readme.is_current(ROOT / "README.md", blocks) else ["README.md"]
    if not page.is_file() or page.read_text(encoding="utf-8") != reference.text():
        stale.append("docs/reference.md")
    for name in stale:
        print(f"{name} is not what the program says; write it anew: make docs")
    return 1 if stale else 0


def _help() -> str:
    shown = ((), ("run",))
    return "\n".join(
        f"$ steelyard {' '.join((*names, '--help'))}\n{reference.command_help(*names)}"
        for names in shown
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
