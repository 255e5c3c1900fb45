"""A prepared cell, ready for one pass after another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, structs

from steelyard.api import Item, RenderedPrompt, SessionSpec
from steelyard.card import SustainedLoad
from steelyard.cgroups import Usage
from steelyard.job import Job, JobPart, Pass
from steelyard.plan import PlannedCell
from steelyard.prepare.artifacts import Artifact
from steelyard.spawn import Listener, OnStart, Worker, ignore, run_pass


def _declared_s(job: Job) -> float:
    """Return how long a pass was told to take, which is not what a time-out is for."""
    if isinstance(job.load, SustainedLoad):
        return 60 * job.load.minutes
    return job.metering.windows * job.metering.window_seconds if job.metering else 0.0


class Passes(Struct, frozen=True, kw_only=True):
    """What every pass of a cell has in common. `backend` is `module:attribute`.

    `arrays` is the folder of the task's arrays, where its items have any.
    """

    planned: PlannedCell
    artifact: Artifact
    backend: str
    worker: Worker
    prompt: RenderedPrompt | None = None
    arrays: Path | None = None

    def job(self, kind: Pass, groups: Sequence[tuple[Item, ...]]) -> Job:
        """Return the job of one pass over items, one group a fold."""
        return Job(
            kind=kind,
            backend=self.backend,
            parts=tuple(self._part(fold, group) for fold, group in enumerate(groups) if group),
            timing=self.planned.timing,
            seed=self.planned.seed,
        )

    def run(self, job: Job, listen: Listener, on_start: OnStart = ignore) -> Usage | None:
        """Do one pass; return what its cgroup used, if it had one; raise PassFailed."""
        worker = structs.replace(self.worker, limit=self.planned.limit)
        return run_pass(job, self.planned.timeout_s + _declared_s(job), listen, worker, on_start)

    def by_fold(self, asked: Sequence[Item]) -> list[tuple[Item, ...]]:
        """Group items by the artefact that may answer them: the one not trained on them."""
        count = len(self.artifact.folds)
        if count == 1:
            return [tuple(asked)]
        return [tuple(item for item in asked if item.fold == fold) for fold in range(count)]

    def first_fold(self, asked: Sequence[Item]) -> tuple[Item, ...]:
        """Return the items of the first artefact: what is timed is one artefact."""
        return self.by_fold(asked)[0]

    def _part(self, fold: int, group: tuple[Item, ...]) -> JobPart:
        planned = self.planned
        spec = SessionSpec(
            artifact=str(self.artifact.folds[fold]),
            session=planned.variant.session,
            threads=planned.threads,
            labels=planned.task.card.labels,
            options=planned.variant.session_options,
            prompt=self.prompt,
            device=planned.processor,
            answers=planned.task.card.answers,
        )
        arrays = str(self.arrays) if self.arrays else None
        return JobPart(spec=spec, items=group, arrays=arrays)
