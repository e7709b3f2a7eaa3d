"""How do flows speak to Kafka? They make topics, send, take, wait for groups, agree on schemas, begin by messages."""
