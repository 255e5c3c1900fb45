"""The exported threshold: what a user keeps beside the artefact and reads in production."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from steelyard import __version__
from steelyard.cascade.policy import Policy
from steelyard.cascade.types import Cascade, Expected, Judged, Wanted
from steelyard.errors import StoreError
from steelyard.record import Record, Recorded

SCHEMA = 1
KIND = "steelyard cascade threshold"

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Party(Recorded, frozen=True, kw_only=True):
    """One of the two models, by the content of its artefact."""

    model: str
    variant: str
    device: str
    artifact_sha256: Digest
    size_bytes: int


class ThresholdFile(Recorded, frozen=True, kw_only=True):
    """A policy and what it is for: valid for these artefacts, these labels in this order only.

    `evaluation` says in words how `expected` came about.
    """

    schema: int
    kind: str
    tool_version: str
    task: str
    task_sha256: Digest
    data_sha256: Digest
    labels: tuple[str, ...]
    specialist: Party
    generalist: Party
    policy: Policy
    wanted: Wanted
    expected: Expected
    evaluation: str
    judged: tuple[Judged, ...] = ()
    caveats: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError, which decoding tells, where labels and policy disagree."""
        if len(self.labels) != self.policy.labels:
            raise ValueError(f"{len(self.labels)} labels, the policy has {self.policy.labels}")


class Basis(Struct, frozen=True, kw_only=True):
    """The two records a cascade was made from, and the labels in the order of the scores."""

    specialist: Record
    generalist: Record
    labels: tuple[str, ...]


def threshold_file(cascade: Cascade, basis: Basis, evaluation: str) -> ThresholdFile:
    """Return what to export; raise StoreError where there is no threshold or no artefact's hash."""
    if cascade.chosen is None:
        raise StoreError("no threshold meets what was asked: there is nothing to export")
    calibrated = cascade.calibrated.policy
    return ThresholdFile(
        schema=SCHEMA,
        kind=KIND,
        tool_version=__version__,
        task=cascade.task,
        task_sha256=basis.specialist.task_sha256,
        data_sha256=basis.specialist.data_sha256 or "",
        labels=basis.labels,
        specialist=_party(basis.specialist),
        generalist=_party(basis.generalist),
        policy=msgspec.structs.replace(calibrated, threshold=cascade.chosen.threshold),
        wanted=cascade.wanted,
        expected=cascade.expected,
        evaluation=evaluation,
        judged=cascade.judged,
        caveats=cascade.caveats,
    )


def encode(file: ThresholdFile) -> bytes:
    """Return the file's JSON, for people and programs."""
    return msgspec.json.format(msgspec.json.encode(file, order="deterministic"), indent=2) + b"\n"


def decode(data: bytes, where: str) -> ThresholdFile:
    """Decode strictly; raise StoreError naming `where` for what is no threshold of this schema."""
    try:
        head = msgspec.json.decode(data, type=_Head)
        if head.kind != KIND:
            raise StoreError(f"{where}: no file of `steelyard cascade -o`")
        if head.schema != SCHEMA:
            raise StoreError(
                f"{where}: schema {head.schema}, this steelyard reads {SCHEMA}; "
                "use the steelyard that wrote it, or write it again"
            )
        return msgspec.json.decode(data, type=ThresholdFile)
    except msgspec.MsgspecError as error:
        raise StoreError(f"{where}: not a threshold of a cascade: {error}") from error


def read_threshold(path: Path | str) -> ThresholdFile:
    """Read an exported threshold; raise StoreError where it cannot be read."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    return decode(data, str(path))


def read_policy(path: Path | str) -> Policy:
    """Read what `decide` needs of an exported threshold."""
    return read_threshold(path).policy


class _Head(Struct):
    schema: int
    kind: str


def _party(record: Record) -> Party:
    if record.artifact is None:
        raise StoreError(f"{record.cell.id}: its record names no artefact")
    return Party(
        model=record.cell.model,
        variant=record.cell.variant,
        device=record.cell.device,
        artifact_sha256=record.artifact.sha256,
        size_bytes=record.artifact.size_bytes,
    )
