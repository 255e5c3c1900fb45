"""The accuracy pass: every item once, each fold by its own artefact."""

from __future__ import annotations

import time
from typing import Any

from steelyard.api import Answer, Session, TogetherSession
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
    size = session.together if isinstance(session, TogetherSession) else 1
    answers: list[tuple[str, Answer]] = []
    told = time.monotonic()
    for start in range(0, len(part.items), size):
        group = part.items[start : start + size]
        given = _answers(session, [ask(item) for item in group])
        answers += zip((item.id for item in group), given, strict=True)
        now = time.monotonic()
        if now - told > PROGRESS_EVERY_S:
            emit(Answered(answers=tuple(answers)))
            answers.clear()
            told = now
    emit(Answered(answers=tuple(answers)))


def _answers(session: Session, asked: list[Any]) -> list[Answer]:
    if isinstance(session, TogetherSession):
        return session.decode_batch(session.infer_batch(session.encode_batch(asked)))
    return [session.decode(session.infer(session.encode(one))) for one in asked]
