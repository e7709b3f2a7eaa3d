"""What happened that somebody may want to know? Named facts, said once; logs, metrics and spans listen to them."""

from penstock.telemetry.notice import Level, Notice, Notices

__all__ = ["Level", "Notice", "Notices"]
