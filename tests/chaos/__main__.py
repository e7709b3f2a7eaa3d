"""How is the trouble started by hand? `python -m tests.chaos --minutes 10 --database both --seed 7`."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import tempfile
from pathlib import Path

from projects.servers import postgres_server
from tests.chaos.round import Round, Wanted

DATABASES = ("sqlite", "postgres")


def one(database: str, seconds: float, seed: int) -> None:
    """Let one round go on one database, in a folder that is gone afterwards."""
    with contextlib.ExitStack() as stack:
        # A short name: sockets stand in it.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True)))
        server, address = None, ""
        if database == "postgres":
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True)))
            place.chmod(0o755)
            server = stack.enter_context(postgres_server(place / "data", fsync=False))
            address = server.create_database("chaos")
        wanted = Wanted(database=database, seconds=seconds, seed=seed, address=address)
        made = stack.enter_context(contextlib.closing(Round(wanted, folder, server)))
        made.go()


def main() -> None:
    """Read what is wanted, and do it."""
    asks = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    asks.add_argument("--minutes", type=float, default=2.0, help="in all; both databases share them")
    asks.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    asks.add_argument("--seed", type=int, default=None, help="by default one that nobody chose, which is printed")
    asked = asks.parse_args()
    chosen = DATABASES if asked.database == "both" else (asked.database,)
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    for database in chosen:
        one(database, asked.minutes * 60 / len(chosen), seed)


if __name__ == "__main__":
    main()
