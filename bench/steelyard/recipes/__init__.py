"""Recipes that make artefacts."""
