"""Records -> table, Markdown, CSV, JSON. Nothing here measures or decides."""
