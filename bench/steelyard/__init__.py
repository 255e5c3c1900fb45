"""steelyard weighs small specialised models against large generalist ones."""

__version__ = "0.1.0"
