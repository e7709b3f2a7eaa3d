"""How does a branch become what stands here? It is fetched, read whole, and kept whole or not at all."""
