"""Write the generated parts of pages, or with --check say whether they are up to date."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import reference

from steelyard import catalog, store
from steelyard.catalog import Catalog
from steelyard.claims import Ledger
from steelyard.cli.claims import judged
from steelyard.cli.output import run_tables, run_verdicts
from steelyard.cost import load_prices
from steelyard.report import ledger, markdown, readme
from steelyard.verdict import Comparison, TaskVerdict, Verdict, told, words

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
# What is judged together: all on one machine, a cell in one of them only.
PUBLISHED = tuple(RESULTS / name for name in ("default", "office", "machines"))
REFERENCE = ROOT / "docs" / "reference.md"


def main() -> int:
    """Update or check; return the exit status."""
    found = catalog.load()
    judgements = run_verdicts(PUBLISHED, found)
    claims = judged(PUBLISHED, found, None, load_prices())
    pages = {
        ROOT / "README.md": {
            "so-far": _so_far(judgements, claims),
            "claims": ledger.standings(claims),
            "verdicts": _verdicts(judgements),
            "help": _code(_help()),
            "tasks": _tasks(found),
            "models": _models(found),
        },
        RESULTS / "README.md": {
            "default": markdown.text(run_tables((RESULTS / "default",), found)),
            "office": markdown.text(run_tables((RESULTS / "office",), found)),
            "machines": markdown.text(run_tables((RESULTS / "machines",), found)),
            "parents": markdown.text(run_tables((RESULTS / "parents",), found)),
            "dependability": _claim("dependable", RESULTS / "dependability", found),
        },
    }
    if "--check" in sys.argv[1:]:
        return _check(pages)
    for page, blocks in pages.items():
        print(f"{page.name} {'written' if readme.update(page, blocks) else 'was up to date'}")
    store.write_atomically(REFERENCE, reference.text().encode())
    return 0


def _check(pages: Mapping[Path, Mapping[str, str]]) -> int:
    stale = [page for page, blocks in pages.items() if not readme.is_current(page, blocks)]
    if not REFERENCE.is_file() or REFERENCE.read_text(encoding="utf-8") != reference.text():
        stale.append(REFERENCE)
    for page in stale:
        print(f"{page.relative_to(ROOT)} is not what the program says; write it anew: make docs")
    return 1 if stale else 0


def _so_far(made: Sequence[TaskVerdict], stand: Ledger) -> str:
    """Return the answer in two sentences, for readers who read no further."""
    compared = [one for one in made if told(one.pairs, one.by)]
    ends = Counter(one.outcome for one in compared)
    largest = max(
        record.artifact.parameters
        for folder in PUBLISHED
        for run in store.read_runs(folder)
        for record in run.records
        if record.role == "generalist" and record.answered and record.artifact
    )
    standing: dict[str, list[str]] = {}
    for claim in stand.claims:
        standing.setdefault(claim.standing, []).append(claim.id)
    claims = "; ".join(f"{word}: {', '.join(ids)}" for word, ids in standing.items())
    return (
        f"**So far**, on one small virtual machine, and against generalists of at most "
        f"{largest / 1e9:.3g} billion parameters: of {len(made)} tasks the small side wins "
        f"{ends['wins']}, the large side {ends['loses']}, {ends['undecided']} are undecided, and "
        f"{len(made) - len(compared)} have no generalist that answered. "
        f"Of the claims, {claims}. [What came out](#what-came-out)"
    )


def _claim(name: str, folder: Path, found: Catalog) -> str:
    """Return one claim with its rule and its evidence, on the runs in `folder`."""
    made = judged((folder,), found)
    return ledger.text(Ledger(claims=tuple(one for one in made.claims if one.id == name)))


def _verdicts(made: Sequence[TaskVerdict]) -> str:
    """Return a line a task: the pair that its sentence tells of, in figures."""
    lines = [
        "| task | verdict | small | large | small less large | items | time | memory | expected |",
        "| :-- | :-- | :-- | :-- | --: | --: | --: | --: | :-- |",
    ]
    for one in made:
        pair = told(one.pairs, one.by)
        cells = _pair(pair) if pair else ("-",) * 6
        outcome = words.OUTCOMES[one.outcome] if pair else "no generalist answered"
        row = (one.task, outcome, *cells, one.expectation or "-")
        lines.append(f"| {' | '.join(map(markdown.escape, row))} |")
    return "\n".join(lines)


def _pair(pair: Verdict) -> tuple[str, ...]:
    """Return who was compared, the difference with its interval, and what the small one takes."""
    resources = (pair.resource("latency_p50"), pair.resource("memory_peak"))
    return (
        pair.small.name,
        pair.large.name,
        words.difference(pair.score, signed=True),
        str(pair.score.n),
        *(_share(one) for one in resources),
    )


def _share(one: Comparison | None) -> str:
    if one is None or one.small is None or one.large is None:
        return "-"
    return words.times(one.small / one.large).removesuffix(" of")


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
