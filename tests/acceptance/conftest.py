"""Which fixtures do the acceptance tests share? A workshop, whose workers are processes of their own."""

from __future__ import annotations

from tests.worker.conftest import workshop

__all__ = ["workshop"]
