"""Which task types hand messages to others and take theirs? Those of Redis, MQTT and AMQP."""
