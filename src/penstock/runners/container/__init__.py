"""How does an attempt live in a container? A process of the worker's stands for it, and speaks with the engine."""
