"""What does a server tell? Values in the shapes of its API, a page for each kind of thing."""
