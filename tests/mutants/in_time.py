"""Which bugs are planted in what looks after time? Each is found by matching dates, ends and items with their runs."""

from __future__ import annotations

from typing import Final

from tests.mutants.planted import Mutant

IN_TIME: Final = (
    Mutant(
        "the lead is taken back by whom it has passed from",
        "store/sql/leaders.sql",
        "UPDATE leaders SET until = :until WHERE name = :name AND holder = :holder AND fence = :fence",
        "UPDATE leaders SET until = :until, holder = :holder, fence = :fence WHERE name = :name",
        "time",
    ),
    Mutant(
        "who does not lead any more acts nevertheless",
        "services/scheduler/lead.py",
        "if not self._fence or not leaders.keep(tx, Leader(self._name, self._holder, self._fence, until)):",
        "if not self._fence:",
        "time",
    ),
    Mutant(
        "a date moves its trigger on and starts no run",
        "services/scheduler/ticks.py",
        "return {each.run for move in mine for each in move.beginnings}",
        "return {each.run for move in mine for each in move.beginnings if move.state.last_at is None}",
        "time",
    ),
    Mutant(
        "the run of a date has a key without it",
        "services/scheduler/ticks.py",
        'key=f"tick/{self._state.key}/{date:%Y-%m-%dT%H:%M:%S.%fZ}"',
        'key=f"tick/{self._state.key}"',
        "time",
    ),
    Mutant(
        "a trigger is moved on whatever has become of it meanwhile",
        "services/scheduler/ticks.py",
        "mine = [move for move in moves if versions.get(move.state.key) == move.state.version - 1]",
        "mine = list(moves)",
        "time",
    ),
    Mutant(
        "a missing hour is made up for later than it was asked to be",
        "engine/daylight.py",
        "yield _found(clock, _change(clock, wall, early, late), written)",
        "yield _found(clock, one, written)",
        "time",
    ),
    Mutant(
        "of an hour that comes twice the other one is meant",
        "engine/daylight.py",
        "            return (other,)",
        "            return (one,)",
        "time",
    ),
    Mutant(
        "the last time of day in which dates count is left out",
        "engine/calendar.py",
        "within = begin <= at <= end if begin <= end",
        "within = begin <= at < end if begin <= end",
        "time",
    ),
    Mutant(
        "what is too late runs",
        "engine/calendar.py",
        "if trigger.late is None or over <= trigger.late:",
        "if trigger.late is None or over >= 0:",
        "time",
    ),
    Mutant(
        "the data of a date begin with itself",
        "engine/calendar.py",
        "start = each.date if why else before or _start(trigger, each.date, begin, around)",
        "start = each.date",
        "time",
    ),
    Mutant(
        "of a schedule one more goes on than may",
        "services/scheduler/ticks.py",
        "len(open_runs) >= trigger.at_once",
        "len(open_runs) > trigger.at_once",
        "time",
    ),
    Mutant(
        "what depends on the past does not wait for it",
        "services/scheduler/ticks.py",
        "if trigger.depends_on_past and last is not None and last.status is not RunStatus.SUCCESS:",
        "if trigger.depends_on_past and last is None:",
        "time",
    ),
    Mutant(
        "of a backfill one more goes on than may",
        "services/scheduler/backfilling.py",
        "max(0, backfill.at_once - going)",
        "max(0, backfill.at_once - going + 1)",
        "time",
    ),
    Mutant(
        "what succeeded is tried again, too",
        "store/sql/backfills.sql",
        "WHERE backfill = :id AND status IN ('failed', 'left')",
        "WHERE backfill = :id AND status IN ('failed', 'left', 'success')",
        "time",
    ),
    Mutant(
        "what failed is tried again by the key that it had",
        "services/scheduler/backfilling.py",
        'key=f"backfill/{backfill.id}/{item.number}/{item.tries}"',
        'key=f"backfill/{backfill.id}/{item.number}"',
        "time",
    ),
    Mutant(
        "what was waited for is not forgotten when it fires",
        "services/scheduler/upstream.py",
        "if trigger.waits_for and trigger.reset:",
        "if trigger.waits_for and not trigger.reset:",
        "time",
    ),
    Mutant(
        "the place in the feed moves on and nothing starts",
        "services/scheduler/upstream.py",
        "return {each.run for each in done.beginnings}",
        "return ()",
        "time",
    ),
    Mutant(
        "what an end starts has a key without it",
        "services/scheduler/upstream.py",
        'return f"run/{state.key}/{run.id}/{change.status}/{change.at}"',
        'return f"run/{state.key}/{change.status}"',
        "time",
    ),
    Mutant(
        "the place in the feed moves on though a flow was stored meanwhile",
        "services/scheduler/upstream.py",
        "            return ()\n        triggers.put(tx, list(moved.values()))",
        "            positions.put(tx, OF_RUNS, further)\n            return ()\n"
        "        triggers.put(tx, list(moved.values()))",
        "time",
    ),
)
