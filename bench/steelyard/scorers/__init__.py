"""Scorers that mark answers."""
