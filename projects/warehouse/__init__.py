"""What is this project? A product-analytics warehouse: S3 exports, PostgreSQL staging, a star schema, a checker."""
