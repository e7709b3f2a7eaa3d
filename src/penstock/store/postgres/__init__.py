"""How is a store kept on a server that many machines share? PostgreSQL, 15 or newer; its driver is an extra."""
