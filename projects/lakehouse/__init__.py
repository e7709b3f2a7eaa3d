"""How do taxi trips become tables? From Kafka through Flink into Iceberg, and by dbt into answers."""
