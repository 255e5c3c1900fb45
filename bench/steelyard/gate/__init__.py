"""Two arms, interleaved in fresh processes -> ok, regression or inconclusive."""
