"""Which task types work on S3 and stores that speak as it does? List, upload, download, copy, delete, buckets."""
