"""The series of a cell over many runs, and where it changed."""
