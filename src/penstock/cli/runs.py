"""Which verbs are there about runs? Each stands with those that need the same things."""

from __future__ import annotations

from typing import Final

from penstock.cli.lazy import LazyGroup
from penstock.cli.options import examples

VERBS: Final = {
    "list": ("penstock.cli.history:list_runs", "List runs, newest first."),
    "show": ("penstock.cli.history:show", "Show one run: its steps, attempts, inputs, outputs and numbers."),
    "logs": ("penstock.cli.logs:logs", "Print what a run's tasks said."),
    "why": ("penstock.cli.waiting:why", "Tell what a run, or one of its steps, waits for."),
    "explain": ("penstock.cli.telling:tell", "Tell why a run went as it went, event by event."),
    "verify": (
        "penstock.cli.verifying:check_runs",
        "Fold runs again from their events and tell what is not as these make it.",
    ),
    "pause": ("penstock.cli.meddle:pause", "Pause runs: what runs may end, nothing more begins."),
    "resume": ("penstock.cli.meddle:resume", "Let go on what is paused: a run, or a pause in its flow."),
    "skip": ("penstock.cli.meddle:skip", "Skip a step, now or when its turn comes."),
    "mark": ("penstock.cli.meddle:mark", "Say how a step or an ended run ended; the run goes on from there."),
    "kill": ("penstock.cli.again:kill", "End runs: their tasks get their grace, or none."),
    "restart": ("penstock.cli.again:restart", "Go on with an ended run from what did not succeed."),
    "replay": ("penstock.cli.again:replay", "Start a new run like an old one, anew or from one of its steps on."),
}

runs = LazyGroup(
    name="runs",
    lazy=VERBS,
    help="List and show runs, read their logs; pause, resume, mark, kill, restart, replay them. A run is named by its"
    " id, by an unmistakable part of it, or as `last`, which is the newest of all.",
    no_args_is_help=True,
    **examples("penstock runs list --status failed", "penstock runs logs last --follow", "penstock runs restart last"),
)
