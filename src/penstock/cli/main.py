"""Where does a command line begin, and with which code does it end? The root of all commands."""

from __future__ import annotations

import os
import sys
from typing import Final, NoReturn

import click

from penstock import __version__
from penstock.cli import garbage
from penstock.cli.ending import Exit, code_of
from penstock.cli.lazy import LazyGroup
from penstock.cli.said import tell_error
from penstock.errors import PenstockError

COMMANDS: Final = {
    "run": ("penstock.cli.run:run", "Run a flow here and now, live, with its history kept."),
    "check": ("penstock.cli.check:check", "Check flow files and tell every problem with its place."),
    "test": ("penstock.cli.test:test", "Run the tests of flows: fixtures, assertions, coverage."),
    "runs": ("penstock.cli.runs:runs", "List and show runs, read their logs; pause, mark, kill, restart, replay them."),
    "lineage": ("penstock.cli.lineage:lineage", "Tell which tasks read and write which data."),
    "flows": ("penstock.cli.flows:flows", "List, show and push the flows of the store."),
    "git": ("penstock.cli.git:git", "Let branches be the source of flows: status, sync."),
    "files": (
        "penstock.cli.files:files",
        "Keep files for the flows of a namespace: list, get, put, delete, move.",
    ),
    "alerts": ("penstock.cli.alerts:alerts", "Be told when flows fail, runs are late, workers gone."),
    "maintenance": ("penstock.cli.maintenance:maintenance", "Keep a namespace, or all of it, still for a while."),
    "pools": ("penstock.cli.pools:pools", "Say how many slots a pool has; list pools."),
    "envs": ("penstock.cli.envs:envs", "List and prune the Pythons that were made for tasks."),
    "triggers": ("penstock.cli.triggers:triggers", "Show what starts runs by itself, and when; switch it on and off."),
    "backfill": ("penstock.cli.backfills:backfill", "Run a flow for each date of a span, at most so many at once."),
    "backfills": (
        "penstock.cli.backfills:backfills",
        "Look after backfills: list, show, pause, resume, cancel, retry them.",
    ),
    "types": ("penstock.cli.types:types", "List the task types, or tell everything about one."),
    "eval": ("penstock.cli.evaluate:evaluate", "Evaluate an expression against a context."),
    "init": ("penstock.cli.init:init", "Write a new project that runs."),
    "dev": ("penstock.cli.dev:dev", "Work on a project: API, scheduler, worker, and saved files stored at once."),
    "serve": ("penstock.cli.serve:serve", "Serve the API and look after time, until stopped."),
    "service": (
        "penstock.cli.service:service",
        "Start Penstock with the machine: units of systemd for a server and a worker.",
    ),
    "worker": ("penstock.cli.worker:worker", "Do the work of a store until stopped."),
    "users": ("penstock.cli.people:users", "Say who may come in, and what they may do: add users, grant roles."),
    "tokens": ("penstock.cli.tokens:tokens", "Let programs in: tokens are made, listed and revoked."),
    "secrets": (
        "penstock.cli.secrets:secrets",
        "Keep secrets in the store, sealed: set, list, delete, rotate, verify.",
    ),
    "kv": ("penstock.cli.kv:kv", "Look after the values that flows keep for each other."),
    "roles": ("penstock.cli.roles:roles", "Say what roles allow; make your own."),
    "audit": ("penstock.cli.audit:audit", "Tell who changed what; see that nobody changed that."),
    "client": ("penstock.cli.client:client", "Log in to a server, and ask it."),
    "doctor": ("penstock.cli.doctor:doctor", "Look for what could be wrong with this machine and store."),
    "db": ("penstock.cli.db:db", "Look after the store: status, migrate, prune, backup, restore, export, move."),
    "completion": ("penstock.cli.completion:completion", "Print the script that completes commands in a shell."),
}
EPILOG: Final = """\b
Examples:
  penstock init shop && cd shop       a new project that runs
  penstock run flows/hello.yml -i who=you
  penstock runs list                  what has run, newest first
  penstock runs logs ID               what it said

\b
Exit codes: 0 success, 1 the run failed, 2 wrong call, 3 invalid flow, 4 the system failed.
"""

penstock = LazyGroup(
    name="penstock",
    lazy=COMMANDS,
    help="A control plane for data pipelines: runs flows, keeps their history.",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    no_args_is_help=True,
)
penstock = click.version_option(__version__, "-V", "--version", prog_name="penstock")(penstock)


def main() -> NoReturn:
    """Run the command line and leave with its code."""
    garbage.seldom()
    sys.exit(call(sys.argv[1:]))


def call(arguments: list[str]) -> int:
    """Run one command line and give its exit code; what goes wrong is told on stderr."""
    try:
        done = penstock.main(arguments, prog_name="penstock", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as wrong:
        click.echo(wrong.format_message(), err=True)
        return Exit.WRONG_CALL
    except click.ClickException as wrong:
        wrong.show()
        return Exit.WRONG_CALL
    except click.Abort:
        click.echo("Stopped.", err=True)
        return Exit.RUN_FAILED
    except PenstockError as error:
        tell_error(error)
        return code_of(error)
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
        return Exit.RUN_FAILED
    except BrokenPipeError:
        # whoever read our output has enough; nothing more is to be written at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.SUCCESS
    except Exception:
        import traceback

        traceback.print_exc()
        click.echo("Penstock itself failed: this is a fault of ours. Please tell us, with the lines above.", err=True)
        return Exit.SYSTEM_FAILED
    return done if isinstance(done, int) else Exit.SUCCESS
