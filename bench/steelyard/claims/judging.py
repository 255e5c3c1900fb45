"""Verdicts, records and prices -> the ledger: every claim judged by the test its card names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from steelyard.claims import card, costs, dependable, embedding, often, ratios, scope, weighing
from steelyard.claims.card import Claim, ClaimsFile, Kind
from steelyard.claims.grounds import Known, Task, tasks
from steelyard.claims.types import ClaimResult, Ledger, TaskEvidence
from steelyard.record import RunFile
from steelyard.verdict.types import TaskVerdict

Judge = Callable[[Claim, Task], TaskEvidence]

JUDGES: dict[Kind, Judge] = {
    "efficiency": ratios.efficiency,
    "cost": costs.cheaper,
    "speed": ratios.speed,
    "energy": ratios.energy,
    "embedding": embedding.embedding,
    "break-even": costs.pays_back,
    "dependability": dependable.dependability,
}


def ledger(
    verdicts: Iterable[TaskVerdict],
    runs: Iterable[RunFile],
    known: Known | None = None,
    claims: ClaimsFile | None = None,
) -> Ledger:
    """Judge all claims on what was measured; without `claims`, the shipped ones."""
    known, claims = known or Known(), claims or card.load()
    found = tasks(verdicts, runs, known)
    return Ledger(
        claims=tuple(_judged(claim, found, known) for claim in claims.claims),
        not_done=scope.not_done(claims, found),
    )


def _judged(claim: Claim, found: Sequence[Task], known: Known) -> ClaimResult:
    evidence = _evidence(claim, found)
    told = {one.task for one in evidence if one.standing != "not tested"}
    able = [task for task in found if task.id in told]
    reach = scope.scope(able or found, known)
    return weighing.of_claim(claim, evidence, reach, _remarks(claim, able) if able else ())


def _remarks(claim: Claim, able: Sequence[Task]) -> tuple[str, ...]:
    """Return what qualifies a standing: what was expected, or could be compared in part only."""
    match claim.test:
        case "efficiency":
            return ratios.unwatched(able)
        case "speed":
            return (ratios.tails(able), *ratios.unwatched(able))
        case "cost" | "break-even":
            return costs.remarks(able)
        case "embedding":
            return embedding.remarks(claim, able)
        case "score":
            names = often.expected_otherwise(able)
            said = f"expected beforehand of the large side: {', '.join(names)}"
            return (said,) if names else ()
        case _:
            return ()


def _evidence(claim: Claim, found: Sequence[Task]) -> tuple[TaskEvidence, ...]:
    if claim.test == "score":
        return often.score(claim, found)
    return tuple(JUDGES[claim.test](claim, task) for task in found)
