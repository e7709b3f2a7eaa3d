"""Where do data come from, and what becomes of them? Told by tasks, gathered as a graph, drawn as a picture."""
