"""How do runs, flows, logs and triggers look to programs that were written for Kestra? With its names and words."""
