"""What is kept, and how is it moved? Rows of runs, queues, history and flows, on SQLite and on PostgreSQL."""
