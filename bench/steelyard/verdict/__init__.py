"""A small model set against a large one: record sets -> verdicts."""
