"""codecarbon beside our meters: what the ecosystem's tool says of the same window."""
