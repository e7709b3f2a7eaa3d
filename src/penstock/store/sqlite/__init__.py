"""How is a store kept in a file beside the project? SQLite: one database for state, one for logs."""
