"""What other programs read: one module a format, each from records or tables to text."""
