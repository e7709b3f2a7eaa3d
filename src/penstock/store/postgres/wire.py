"""How do several statements reach the server in one packet, so that their answers cost one wait?

A round trip costs both sides more than most statements do: a system call each, and two processes that are put to
sleep and woken. The driver's own pipeline sends each statement by itself; here they go out together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from penstock.store.port import Row

if TYPE_CHECKING:
    import psycopg
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGresult

    from penstock.store.postgres.session import Session

Sheet = tuple[str, Sequence[object]]
Kind = tuple[str, tuple[int, ...]]  # a text and the types of its values
# Each is a few kilobytes of the server's memory; ours are far fewer, but filters of lists multiply.
MOST_PREPARED: Final = 500


class Wire:
    """A connection as statements go over it; each kind of statement is prepared once."""

    def __init__(self, session: Session) -> None:
        from psycopg.adapt import PyFormat, Transformer
        from psycopg.errors import error_from_result
        from psycopg.pq import ExecStatus
        from psycopg.waiting import Ready, Wait

        self.session = session
        self._adapt = Transformer(session)
        self._auto, self._error = PyFormat.AUTO, error_from_result
        # As plain numbers: they are compared with each answer.
        self._good, self._sync = (int(ExecStatus.TUPLES_OK), int(ExecStatus.COMMAND_OK)), int(ExecStatus.PIPELINE_SYNC)
        self._both, self._reading, self._readable = Wait.RW, Wait.R, int(Ready.R)
        self._names: dict[Kind, bytes] = {}
        self._prepared = 0
        self._prepares = not session.pooled

    def ask(self, sheets: Sequence[Sheet]) -> list[PGresult]:
        """Let the server do these statements one after the other; gives its answers, or raises what it says of the
        first that fails, behind which it does none.
        """
        answers, error = self.send(sheets)
        if error is not None:
            raise error
        return answers

    def send(self, sheets: Sequence[Sheet]) -> tuple[list[PGresult], psycopg.Error | None]:
        """The same, with the answers up to the one that fails, or up to where the connection was lost."""
        import psycopg

        got: list[PGresult] = []
        lost: psycopg.Error | None = None
        waiting: list[Kind | None] = []
        try:
            self.session.pgconn.enter_pipeline_mode()
            for sheet in sheets:
                self._put(sheet, waiting)
            self.session.pgconn.pipeline_sync()
            self.session.wait(self._exchange(got))
            self.session.pgconn.exit_pipeline_mode()
        except psycopg.Error as error:
            lost = error
            self.session.close()
        except BaseException:
            self.session.close()  # half of the answers are still on their way
            raise
        return self._answers(waiting, got, lost)

    def rows(self, answer: PGresult) -> list[Row]:
        """The rows of an answer."""
        self._adapt.set_pgresult(answer)
        return self._adapt.load_rows(0, answer.ntuples, tuple)

    def _put(self, sheet: Sheet, waiting: list[Kind | None]) -> None:
        """Line a statement up, behind its preparation where it is the first of its kind."""
        text, values = sheet
        line, adapt = self.session.pgconn, self._adapt
        given = adapt.dump_sequence(values, [self._auto] * len(values))
        types, formats = adapt.types or (), adapt.formats
        name = self._names.get((text, types))
        if name is None and self._prepares and len(self._names) < MOST_PREPARED:
            self._prepared += 1
            name = self._names[text, types] = b"s%d" % self._prepared
            line.send_prepare(name, text.encode(), types)
            waiting.append((text, types))
        if name is None:
            line.send_query_params(text.encode(), given, types, formats)
        else:
            line.send_query_prepared(name, given, formats)
        waiting.append(None)

    def _exchange(self, got: list[PGresult]) -> PQGen[None]:
        """Send what is lined up and take the answers as they come."""
        line, sync = self.session.pgconn, self._sync
        while True:
            ready = yield self._both if line.flush() else self._reading
            if not ready & self._readable:
                continue
            line.consume_input()
            ended = False
            while not line.is_busy():
                answer = line.get_result()
                if answer is None:
                    if ended:
                        break  # twice nothing: there is no more for now
                    ended = True
                    continue
                ended = False
                if answer.status == sync:
                    return
                got.append(answer)

    def _answers(
        self, waiting: list[Kind | None], got: list[PGresult], lost: psycopg.Error | None
    ) -> tuple[list[PGresult], psycopg.Error | None]:
        """Tell the answers to statements from those to preparations."""
        bad = next((place for place, answer in enumerate(got) if answer.status not in self._good), len(got))
        answers = [answer for kind, answer in zip(waiting, got[:bad], strict=False) if kind is None]
        for kind in waiting[bad:]:
            if kind is not None:
                del self._names[kind]
        return answers, lost if bad == len(got) else self._error(got[bad])
