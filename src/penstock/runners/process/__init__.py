"""How does an attempt get a process of its own? A zygote per Python environment forks it in a few milliseconds."""
