"""Which real servers can a demo or a test start for itself? PostgreSQL and an S3-compatible store, on loopback."""

from __future__ import annotations

from projects.servers.child import ServerFailed
from projects.servers.postgres import PostgresServer, debian_binaries, find_binaries, postgres_server, wheel_binaries
from projects.servers.s3 import S3Server, find_versitygw, s3_server

__all__ = [
    "PostgresServer",
    "S3Server",
    "ServerFailed",
    "debian_binaries",
    "find_binaries",
    "find_versitygw",
    "postgres_server",
    "s3_server",
    "wheel_binaries",
]
