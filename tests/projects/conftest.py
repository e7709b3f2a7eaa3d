"""Which fixtures do the tests of the reference projects share? The real servers."""

from __future__ import annotations

from tests.servers import bucket, database, database15, postgres, postgres15, s3, server_folder

__all__ = ["bucket", "database", "database15", "postgres", "postgres15", "s3", "server_folder"]
