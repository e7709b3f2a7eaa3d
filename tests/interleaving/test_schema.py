"""Does the schema change once and whole beside whoever works, opens or changes it, whichever statement comes first?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Final

from penstock.clock import SystemClock
from penstock.errors.store import StoreTooNew
from penstock.services.core import Core
from penstock.store.migrations.carried import Migration, carried
from penstock.store.postgres import schema
from penstock.store.postgres.lane import Lane
from tests.interleaving.bare import led
from tests.interleaving.stage import Stage, take

NEWEST: Final = len(carried("postgres"))
MORE: Final = Migration(
    NEWEST + 1,
    "more",
    "ALTER TABLE ready_attempts ADD COLUMN more TEXT;\n"
    "ALTER TABLE claimed_attempts ADD COLUMN more TEXT;\n"
    "CREATE TABLE more (id BIGINT PRIMARY KEY)",
)
BEFORE: Final = f"""
ALTER TABLE ready_attempts DROP COLUMN IF EXISTS more;
ALTER TABLE claimed_attempts DROP COLUMN IF EXISTS more;
DROP TABLE IF EXISTS more;
DELETE FROM schema_migrations WHERE version > {NEWEST}
"""


def test_migrate_and_claim(stage: Stage) -> None:
    stage.undo = BEFORE
    run = stage.start(stage.push(["one", "two"]))
    stage.worker("a")

    def check(a: object, b: object) -> None:
        assert stage.held(run) == a, "a claim whose COMMIT was lost is settled by looking, on the changed tables, too"
        assert b == NEWEST + 1

    orders = stage.explore(lambda core: take(core, "a"), migrate(stage, "b"), check)

    assert orders >= 27


def test_migrate_and_migrate(stage: Stage) -> None:
    stage.undo = BEFORE

    def check(a: object, b: object) -> None:
        assert (a, b) == (NEWEST + 1, NEWEST + 1)

    orders = stage.explore(migrate(stage, "a"), migrate(stage, "b"), check)

    assert orders >= 18


def test_migrate_and_open(stage: Stage) -> None:
    stage.undo = BEFORE

    def check(a: object, b: object) -> None:
        assert a in ("opened", "too new")
        assert b == NEWEST + 1

    orders = stage.explore(look_in(stage, "a"), migrate(stage, "b"), check)

    assert orders >= 24


def migrate(stage: Stage, name: str) -> Callable[[Core], object]:
    """Bring the database to the next version, as a newer Penstock does; the version that it has then."""
    migrations = [*carried("postgres"), MORE]

    def act(core: Core) -> object:
        with closing(Lane(stage.dsn)) as lane:
            done = lane.keep_trying(
                lambda session: schema.migrate(led(session, stage.sides[name]), migrations, "it", core.clock.now())
            )
        return done.version

    return act


def look_in(stage: Stage, name: str) -> Callable[[Core], object]:
    """Open the store as this Penstock does, and say how that went."""

    def act(core: Core) -> object:
        with closing(Lane(stage.dsn)) as lane:
            try:
                lane.keep_trying(
                    lambda session: schema.bring_up(
                        led(session, stage.sides[name]), "it", SystemClock().now(), migrate_older=True
                    )
                )
            except StoreTooNew:
                return "too new"
        return "opened"

    return act
