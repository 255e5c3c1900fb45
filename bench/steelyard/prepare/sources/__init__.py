"""Ways to get a file, one module a kind; each hands back bytes and vouches for nothing."""
