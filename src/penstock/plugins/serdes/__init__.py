"""Which task types turn files of other formats into records, and back? CSV, JSON, Avro, Parquet, Excel, XML, YAML."""
