"""Measure one cell: prepare, then a fresh worker a pass; whatever happens ends as a record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timezone

from msgspec import Struct, structs

from steelyard import plugins, prompting
from steelyard.api import Answer, Item, Label, Score
from steelyard.choosing import choose_prompt
from steelyard.errors import Refusal, SteelyardError
from steelyard.job import Answered, Loaded, Message, Peak, Timed
from steelyard.passes import Passes
from steelyard.plan import PlannedCell
from steelyard.prepare import artifacts, data, items
from steelyard.prepare.artifacts import Artifact, Workshop
from steelyard.prepare.cache import Cache
from steelyard.prepare.data import Dataset
from steelyard.progress import Progress
from steelyard.record import (
    Measurement,
    Outcome,
    Prediction,
    PromptChoice,
    Record,
    Sample,
    WarmUp,
)
from steelyard.spawn import PassFailed, Worker

# Enough texts that none is met twice in a short window, few enough to stay out of the memory pass.
LATENCY_ITEMS = 500
MEMORY_ITEMS = 50


class Bench(Struct, frozen=True, kw_only=True):
    """What running cells needs besides the plan."""

    cache: Cache
    progress: Progress
    offline: bool = False
    worker: Worker = Worker()


class Result(Struct, frozen=True, kw_only=True):
    """A cell's record, not yet naming its predictions, and the predictions."""

    record: Record
    predictions: tuple[Prediction, ...] = ()


def measure_cell(planned: PlannedCell, bench: Bench) -> Result:
    """Measure one cell. A fault becomes the record's outcome; only an interrupt is raised."""
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    clock = time.monotonic()
    run = _CellRun(planned, bench)
    outcome: Outcome = "ok"
    reason: str | None = None
    try:
        if planned.refusal is not None:
            raise Refusal(planned.refusal)  # noqa: TRY301 - one road to a refused record
        run.measure()
    except PassFailed as failure:
        outcome, reason = failure.outcome, failure.reason
    except Refusal as refusal:
        outcome, reason = "refused", str(refusal)
    except SteelyardError as error:
        outcome, reason = "failed", str(error)
    record = run.record(outcome, reason, started, time.monotonic() - clock)
    return Result(record=record, predictions=tuple(run.predictions))


def prepare_cell(planned: PlannedCell, bench: Bench) -> Artifact:
    """Fetch and build all that a cell needs, without running it."""
    if planned.refusal is not None:
        raise Refusal(planned.refusal)
    dataset = items.load(planned.task, bench.cache, bench.progress, offline=bench.offline)
    workshop = Workshop(
        cache=bench.cache,
        progress=bench.progress,
        threads=planned.build_threads,
        offline=bench.offline,
    )
    training = data.training_set(planned.task.card, dataset)
    return artifacts.artifact(planned.model, planned.variant, training, workshop)


class _CellRun:
    """What is known of a cell so far; it grows pass by pass, so a late fault keeps the rest."""

    def __init__(self, planned: PlannedCell, bench: Bench) -> None:
        self.planned = planned
        self.bench = bench
        self.dataset: Dataset | None = None
        self.artifact: Artifact | None = None
        self.sample: Sample | None = None
        self.prompt: PromptChoice | None = None
        self.predictions: list[Prediction] = []
        self.scores: tuple[Score, ...] = ()
        self.warm_up: WarmUp | None = None
        self.measurements: list[Measurement] = []
        self.warnings: list[str] = []

    @property
    def labels(self) -> tuple[Label, ...]:
        return self.planned.task.card.labels

    def measure(self) -> None:
        """Do all passes, in the order in which later ones need earlier ones."""
        planned, bench = self.planned, self.bench
        backend = plugins.locate("backends", planned.variant.backend)
        self.dataset = items.load(planned.task, bench.cache, bench.progress, offline=bench.offline)
        self.artifact = prepare_cell(planned, bench)
        asked = self._asked(self.dataset)
        passes = Passes(
            planned=planned, artifact=self.artifact, backend=backend, worker=bench.worker
        )
        if planned.prompted:
            self.prompt = choose_prompt(passes, self.dataset, bench.cache, bench.progress)
            rendered = prompting.chosen_prompt(self.prompt, self.labels)
            passes = structs.replace(passes, prompt=rendered)
            self._note_cut(asked)
        answers = self._accuracy(passes, asked)
        self._score(asked, answers)
        self._latency(passes, asked, answers)
        self._memory(passes, asked)

    def record(self, outcome: Outcome, reason: str | None, started: str, seconds: float) -> Record:
        """Return what is known as a record."""
        planned = self.planned
        return Record(
            cell=planned.cell,
            outcome=outcome,
            reason=reason,
            started=started,
            seconds=round(seconds, 3),
            task_sha256=planned.task.sha256,
            model_sha256=planned.model.sha256,
            role=planned.model.card.role,
            precision=planned.variant.precision,
            backend=planned.variant.backend,
            threads=planned.threads,
            metric=planned.task.card.metric,
            artifact=self.artifact.ref if self.artifact else None,
            data_sha256=self.dataset.sha256 if self.dataset else None,
            sample=self.sample,
            prompt=self.prompt,
            scores=self.scores,
            warm_up=self.warm_up,
            measurements=tuple(self.measurements),
            parent=planned.variant.parent,
            warnings=tuple(self.warnings),
        )

    def _asked(self, dataset: Dataset) -> tuple[Item, ...]:
        """Return the test items to ask: all, or the planned sample."""
        planned = self.planned
        pick = data.prompted_test_items if planned.prompted else data.test_items
        whole = pick(dataset)
        asked = whole
        if planned.sample is not None and planned.sample < len(whole):
            asked = data.sample(whole, planned.sample, planned.seed, balanced=planned.balanced)
        sampled = len(asked) < len(whole)
        seed = planned.seed if sampled else None
        self.sample = Sample(n=len(asked), of=len(data.test_items(dataset)), seed=seed)
        return asked

    def _accuracy(self, passes: Passes, asked: Sequence[Item]) -> dict[str, Answer]:
        answers: dict[str, Answer] = {}
        what = f"{self.planned.cell.id}: accuracy"
        with self.bench.progress.bar(what, len(asked), "items") as bar:

            def listen(message: Message) -> None:
                if isinstance(message, Answered):
                    answers.update(message.answers)
                    bar.advance(len(message.answers))
                elif isinstance(message, Loaded):
                    self._measured("load_time", "ns", message.seconds_ns)

            passes.run("accuracy", passes.by_fold(asked), listen)
        missing = [item.id for item in asked if item.id not in answers]
        if missing:
            raise PassFailed("failed", f"accuracy pass: no answer to {missing[0]}")
        return answers

    def _score(self, asked: Sequence[Item], answers: dict[str, Answer]) -> None:
        keep_scores = len(self.labels) == 2  # what a threshold metric needs
        self.predictions = [
            Prediction(
                id=item.id,
                expected=item.label,
                answer=answers[item.id].label,
                scores=answers[item.id].scores if keep_scores else None,
            )
            for item in asked
        ]
        call = self.planned.task.card.scorer
        scorer = plugins.load("scorers", call.name)
        given = [answers[item.id] for item in asked]
        expected = [item.label for item in asked]
        self.scores = tuple(scorer.score(given, expected, self.labels, call.options))

    def _latency(self, passes: Passes, asked: Sequence[Item], answers: dict[str, Answer]) -> None:
        def listen(message: Message) -> None:
            if isinstance(message, Timed):
                self._note_timed(message, answers)

        passes.run("latency", [passes.first_fold(asked)[:LATENCY_ITEMS]], listen)

    def _note_timed(self, timed: Timed, answers: dict[str, Answer]) -> None:
        for name in ("encode", "infer", "decode", "end_to_end"):
            self._measured(f"latency_{name}", "ns", *getattr(timed, name))
        self.warm_up = WarmUp(
            calls=timed.warm_up_calls, seconds=timed.warm_up_seconds, settled=timed.settled
        )
        changed = sum(answers[name].label != label for name, label in timed.answers)
        if changed:
            self.warnings.append(
                f"{changed} of {len(timed.answers)} timed answers differ from the accuracy pass"
            )

    def _memory(self, passes: Passes, asked: Sequence[Item]) -> None:
        def listen(message: Message) -> None:
            if isinstance(message, Loaded):
                self._measured("memory_after_import", "B", message.after_import)
                self._measured("memory_after_load", "B", message.after_load)
            elif isinstance(message, Peak):
                self._measured("memory_peak", "B", message.peak)
                if not message.reset:
                    self.warnings.append("memory_peak includes loading: VmHWM could not be reset")

        passes.run("memory", [passes.first_fold(asked)[:MEMORY_ITEMS]], listen)

    def _note_cut(self, asked: Sequence[Item]) -> None:
        limit = self.planned.task.card.prompt.max_chars
        cut = sum(len(item.text) > limit for item in asked)
        if cut:
            self.warnings.append(f"{cut} of {len(asked)} texts cut to {limit} characters")

    def _measured(self, quantity: str, unit: str, *values: int | None) -> None:
        known = tuple(value for value in values if value is not None)
        if known:
            self.measurements.append(
                Measurement(
                    quantity=quantity,
                    unit=unit,
                    values=known,
                    method="counter",
                    scope="call" if quantity.startswith("latency") else "process",
                )
            )
