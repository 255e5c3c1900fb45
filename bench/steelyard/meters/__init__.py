"""Energy meters: each reads one kind of sensor; found by entry point, imported by nobody."""
