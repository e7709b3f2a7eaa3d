"""How do commands ask a server? Each that can has a twin here, which takes the same and tells the same."""
