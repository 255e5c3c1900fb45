"""The documents' statements as hypotheses: verdicts and costs -> the claims ledger."""
