"""Measure cells: one at a time, pass after pass."""

from steelyard.measure.cell import Result, measure_cell, prepare_cell
from steelyard.measure.work import Bench

__all__ = ["Bench", "Result", "measure_cell", "prepare_cell"]
