"""Fetch, verify and build what a run needs."""
