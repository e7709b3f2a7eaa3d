"""Which task types speak to Google's cloud? A query to BigQuery."""
