"""The accuracy pass: every item once, each fold by its own artefact."""

from __future__ import annotations

import time
from typing import Any

from steelyard.api import Answer, Session
from steelyard.job import Answered, Job, JobPart
from steelyard.worker.opening import Emit, opened
from steelyard.worker.payloads import payloads

PROGRESS_EVERY_S = 0.5


def accuracy(job: Job, backend: Any, emit: Emit) -> None:
    """Answer the items of every part."""
    for index, part in enumerate(job.parts):
        with opened(backend, part.spec, emit if index == 0 else None) as session:
            _answer_all(session, part, emit)


def _answer_all(session: Session, part: JobPart, emit: Emit) -> None:
    ask = payloads(part)
    answers: list[tuple[str, Answer]] = []
    told = time.monotonic()
    for item in part.items:
        answers.append((item.id, session.decode(session.infer(session.encode(ask(item))))))
        now = time.monotonic()
        if now - told > PROGRESS_EVERY_S:
            emit(Answered(answers=tuple(answers)))
            answers.clear()
            told = now
    emit(Answered(answers=tuple(answers)))
