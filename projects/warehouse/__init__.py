"""What is this project? A warehouse of product analytics: exports on S3, PostgreSQL staging, a star schema, a checker."""
