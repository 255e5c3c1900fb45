"""The choosing pass: a generalist scores train items under every candidate prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from steelyard.api import Item, LabelSession
from steelyard.job import Done, Job, Scored
from steelyard.worker.opening import Emit, opened


def choose(job: Job, backend: Any, emit: Emit) -> None:
    """Tell the raw label scores of each candidate."""
    part = job.parts[0]
    for index, prompt in enumerate(job.candidates):
        spec = msgspec.structs.replace(part.spec, prompt=prompt)
        with opened(backend, spec, emit if index == 0 else None) as session:
            emit(_score(session, index, part.items, job.neutral, emit))


def _score(
    session: LabelSession, index: int, items: Sequence[Item], neutral: Sequence[str], emit: Emit
) -> Scored:
    rows: list[tuple[float, ...]] = []
    for item in items:
        rows.append(session.label_log_likelihoods(item.text))
        emit(Done(items=1))
    return Scored(
        candidate=index,
        lengths=session.label_lengths(),
        items=tuple(rows),
        neutral=tuple(session.label_log_likelihoods(text) for text in neutral),
    )
