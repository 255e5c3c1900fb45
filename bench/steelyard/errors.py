"""The errors that a user can meet; each becomes one message and an exit code."""

from __future__ import annotations


class SteelyardError(Exception):
    """Say where, what and what to do; `exit_code` is the process status."""

    exit_code = 2


class CardError(SteelyardError):
    """A card is malformed: file, key, what was expected."""


class UnknownNameError(SteelyardError):
    """A name that no card, plugin or suite carries."""


class PricesError(SteelyardError):
    """A file of prices is malformed or does not fit together: file, key, what was expected."""


class SourceError(SteelyardError):
    """A file could not be had, or what came was not what its card pins."""

    exit_code = 3


class PrepareError(SteelyardError):
    """An artefact or a data set could not be made."""

    exit_code = 3


class OptionError(SteelyardError):
    """An option or a file's name that cannot be meant."""


class DataError(PrepareError):
    """A person's own file of labelled data cannot be used: where, what, and what to do."""


class StoreError(SteelyardError):
    """A journal or a record is unreadable, damaged or from another version."""

    exit_code = 3


class PackingError(SteelyardError):
    """Values that cannot be packed, or a text that holds no packed values."""

    exit_code = 3


class WorkerError(SteelyardError):
    """The worker could not do its pass."""

    exit_code = 3


class MeterError(SteelyardError):
    """A sensor did not answer, or answered what is no reading."""

    exit_code = 3


class ExportError(SteelyardError):
    """A run has not what a format needs, or a query cannot be answered."""

    exit_code = 3


class ArmError(SteelyardError):
    """An arm of the gate cannot be had: no baseline is not a pass."""

    exit_code = 3


class HistoryError(SteelyardError):
    """A history has no usable series of the cell: none is not a flat one."""

    exit_code = 3


class FleetError(SteelyardError):
    """A fleet cannot go on: its scheduler is gone, or what a device sent is not what it said."""

    exit_code = 3


class Refusal(SteelyardError):  # noqa: N818 - a refusal is an answer, not a fault
    """What this machine cannot do; the message says why and what would help."""

    exit_code = 3
