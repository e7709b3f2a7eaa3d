"""How are the servers started and stopped by hand?

python -m projects.lakehouse.services up        # start all in the background, and wait until they answer
python -m projects.lakehouse.services health    # who answers, where, as which process
python -m projects.lakehouse.services logs NAME # the end of a server's log, and with -f what follows
python -m projects.lakehouse.services env       # what a shell has to know of them: eval "$(… env)"
python -m projects.lakehouse.services down      # stop all; their data stays
python -m projects.lakehouse.services needs     # only tell what this machine lacks for them
python -m projects.lakehouse.services fetch     # only fetch what they need
python -m projects.lakehouse.services compose   # only write what deploy/compose/lakehouse.yml is told
python -m projects.lakehouse.services lock      # resolve the POMs again, and write the locks

Ports are free ones, or those of projects/lakehouse/.env; data and logs lie in projects/lakehouse/.lakehouse.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from projects.lakehouse.services import compose
from projects.lakehouse.services.holder import Holder
from projects.lakehouse.services.jars import SETS, fetched
from projects.lakehouse.services.locking import lock_all
from projects.lakehouse.services.needs import missing, scarce
from projects.lakehouse.services.stack import Stack
from projects.servers import ServerFailed
from projects.servers.child import tail

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("LAKEHOUSE_FOLDER") or PROJECT / ".lakehouse")
ENV = PROJECT / ".env"
VERBS = ("up", "down", "health", "logs", "env", "needs", "fetch", "compose", "lock", "hold")


def main(given: Sequence[str] | None = None) -> int:
    """Do what is asked; 0, or 1 with a sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m projects.lakehouse.services",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("name", nargs="?", help="a server, for logs")
    parser.add_argument("-n", "--lines", type=int, default=50, help="how many lines of the log (50)")
    parser.add_argument("-f", "--follow", action="store_true", help="show what follows, too")
    parser.add_argument("--no-mend", dest="mend", action="store_false", help="with up: leave down who ends by itself")
    asked = parser.parse_args(given)
    holder = Holder(FOLDER, ENV)
    try:
        return _do(asked, holder)
    except ServerFailed as failed:
        print(failed, file=sys.stderr)
        return 1


def _do(asked: argparse.Namespace, holder: Holder) -> int:
    match asked.verb:
        case "up":
            holder.up(print, asked.mend)
            print('All servers answer. `eval "$(python -m projects.lakehouse.services env)"` tells a shell of them.')
        case "down":
            print("All servers have stopped." if holder.down() else "No server runs.")
        case "hold":
            holder.hold(asked.mend)
        case "needs":
            _needs(holder)
        case "fetch":
            for name in SETS:
                fetched(name, print)
        case "lock":
            lock_all(Path.home() / ".m2" / "repository")
            compose.ship()
        case "compose":
            file = compose.prepare(holder.folder, ENV)
            print(f"docker compose --env-file {file} -f {compose.DEPLOY / 'lakehouse.yml'} up --detach --wait")
            print(f"Then, in a shell of its own: . {compose.told_in(holder.folder)}")
        case "env":
            print(_running(holder).env.read_text(), end="")
        case "health":
            return _health(_running(holder))
        case "logs":
            return _logs(asked, holder)
    return 0


def _needs(holder: Holder) -> None:
    if lacking := missing():
        raise ServerFailed(
            "The lakehouse cannot run on this machine yet:\n" + "\n".join(f"  {each}" for each in lacking)
        )
    for each in scarce(holder.folder.parent) if not holder.pid else ():
        print(f"Mind: {each}", file=sys.stderr)


def _running(holder: Holder) -> Holder:
    if not holder.pid:
        raise ServerFailed("No server runs: python -m projects.lakehouse.services up")
    return holder


def _health(holder: Holder) -> int:
    made = Stack(holder.folder, holder.env_file)
    pids = json.loads(holder.told.read_text()) if holder.told.exists() else {}
    health = made.health()
    for each in made.services:
        said = "answers" if health[each.name] else "DOES NOT ANSWER"
        print(f"{each.name:<12} {said:<15} {pids.get(each.name, '-'):>8}  {each.address}")
    return 0 if all(health.values()) else 1


def _logs(asked: argparse.Namespace, holder: Holder) -> int:
    if asked.name is None:
        raise ServerFailed("Whose log? python -m projects.lakehouse.services logs NAME")
    log = holder.log if asked.name == "holder" else Stack(holder.folder, holder.env_file).named(asked.name).log
    if not asked.follow:
        print(tail(log, asked.lines))
        return 0
    os.execvp("tail", ["tail", "-n", str(asked.lines), "-F", str(log)])


if __name__ == "__main__":
    raise SystemExit(main())
