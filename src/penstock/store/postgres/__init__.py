"""How is a store kept on a server that many machines share? PostgreSQL, 15 or newer; the driver is loaded when opened."""
