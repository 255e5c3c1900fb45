"""Readers that turn files into items."""
