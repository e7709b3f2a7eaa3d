"""Which task types speak SQL? Query, queries, batch, copy and call, on PostgreSQL, SQLite and DuckDB."""
