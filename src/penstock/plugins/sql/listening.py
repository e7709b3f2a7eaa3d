"""Which trigger hears what PostgreSQL's NOTIFY says?"""

from __future__ import annotations

import uuid
from typing import Annotated, ClassVar

from msgspec import Meta

from penstock.errors.task import NotOffered
from penstock.plugins.sql.options import EXAMPLE, SqlTask
from penstock.plugins.sql.postgres import PostgresSession, driver
from penstock.sdk.context import Context
from penstock.sdk.task import Fires, Outputs, TaskFailed

WAIT = 5.0


class ListenTrigger(SqlTask, frozen=True, kw_only=True):
    """Start a run for each NOTIFY on a channel of PostgreSQL; what is said while nobody listens is heard by nobody."""

    type_name: ClassVar[str] = "postgres.realtime_trigger"
    fires: ClassVar[Fires] = Fires.LISTENING
    outputs: ClassVar[dict[str, str]] = {"payload": "What was said.", "channel": "The channel.", "pid": "Who said it."}
    example: ClassVar[dict[str, object]] = {"url": EXAMPLE, "channel": "orders"}

    channel: Annotated[str, Meta(description="The channel.", examples=["orders"])]

    def run(self, context: Context) -> Outputs:
        """Listen until told to end."""
        library = driver()
        with self.session(context, autocommit=True) as session:
            if not isinstance(session, PostgresSession):
                raise NotOffered("Only PostgreSQL tells of what happens (LISTEN).")
            connection = session.connection
            try:
                connection.execute(library.sql.SQL("LISTEN {}").format(library.sql.Identifier(self.channel)))
                while True:
                    for said in connection.notifies(timeout=WAIT):
                        told = {"payload": said.payload, "channel": said.channel, "pid": said.pid}
                        context.fire(told, uuid.uuid4().hex)
            except library.Error as error:
                raise TaskFailed(f"PostgreSQL: {error}") from error
