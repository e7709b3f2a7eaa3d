"""How do flows steer tables of Iceberg? By a catalog that speaks its REST: what a table holds is in its metadata."""
