"""Runtimes that open artefacts."""
