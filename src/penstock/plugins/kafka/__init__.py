"""Which task types speak to Kafka? Produce and consume."""
