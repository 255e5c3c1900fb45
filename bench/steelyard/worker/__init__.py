"""The child: one pass over one cell."""
