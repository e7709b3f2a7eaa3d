"""Do notices reach who listens, as lines for people and programs, and never fail the work?"""

from __future__ import annotations

import io

import msgspec

from penstock.telemetry import Level, Notice, Notices
from penstock.telemetry.logs import writer

AT = 1_451_736_000_000_000


def test_a_notice_becomes_one_line_for_people() -> None:
    out = io.StringIO()
    notices = Notices()
    notices.subscribe(writer(out))

    notices.say("run.ended", AT, run="01hf", status="failed", failure="exit code 2")

    assert out.getvalue() == "2016-01-02T12:00:00.000Z info    run.ended run=01hf status=failed failure='exit code 2'\n"


def test_a_notice_becomes_one_line_of_json_for_programs() -> None:
    out = io.StringIO()
    notices = Notices()
    notices.subscribe(writer(out, as_json=True))

    notices.say("worker.lost", AT, Level.WARNING, worker="w1", claims=2)

    told = msgspec.json.decode(out.getvalue())
    assert told == {
        "time": "2016-01-02T12:00:00.000Z", "level": "warning", "notice": "worker.lost", "worker": "w1", "claims": 2
    }  # fmt: skip


def test_what_somebody_else_wrote_cannot_move_the_cursor_or_begin_a_line() -> None:
    out = io.StringIO()
    notices = Notices()
    notices.subscribe(writer(out))

    notices.say("run.failed", AT, flow="a\x1b[2J", failure="one\rtwo\u2028three")

    assert out.getvalue().splitlines() == [
        r"2016-01-02T12:00:00.000Z info    run.failed flow='a\x1b[2J' failure='one\rtwo\u2028three'"
    ]


def test_what_is_below_the_level_is_not_written() -> None:
    out = io.StringIO()
    notices = Notices()
    notices.subscribe(writer(out, least=Level.WARNING))

    notices.say("attempt.ended", AT, Level.INFO, step="load")

    assert out.getvalue() == ""


def test_a_listener_that_fails_hears_no_more_and_stops_nobody() -> None:
    heard: list[Notice] = []
    notices = Notices()

    def broken(notice: Notice) -> None:
        raise OSError("the pipe is closed")

    notices.subscribe(broken)
    notices.subscribe(heard.append)

    notices.say("first", AT)
    notices.say("second", AT)

    assert [notice.name for notice in heard] == ["first", "second"]
