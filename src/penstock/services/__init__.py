"""Which verbs change a run? Each reads, lets the engine decide, and commits; the only callers of engine and commit."""
