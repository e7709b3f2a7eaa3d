"""Who does the work? A worker: claims attempts, gives each a process or its own thread, and reports how they ended."""
