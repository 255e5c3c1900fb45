"""One self-contained HTML file: what was found, on what evidence, and what was not tested."""
