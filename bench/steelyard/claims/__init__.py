"""The documents' statements as hypotheses: verdicts and costs -> the claims ledger."""

from steelyard.claims.card import Claim, ClaimsFile, load
from steelyard.claims.grounds import Known, known
from steelyard.claims.judging import ledger
from steelyard.claims.types import ClaimResult, Ledger, Standing, TaskEvidence

__all__ = [
    "Claim",
    "ClaimResult",
    "ClaimsFile",
    "Known",
    "Ledger",
    "Standing",
    "TaskEvidence",
    "known",
    "ledger",
    "load",
]
