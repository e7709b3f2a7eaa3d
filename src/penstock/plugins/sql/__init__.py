"""Which task types speak SQL? Query, queries, batch, copy and call, on a dozen databases."""
