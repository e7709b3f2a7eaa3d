"""How do programs and pages speak to Penstock? One table of routes; each calls the verb that the command line calls."""
