"""Is the server there, and can it do its work? Asked by balancers and by people; what do its errors mean?"""

from __future__ import annotations

from collections.abc import Iterator

from penstock import __version__
from penstock.api.problems import status_of, title_of
from penstock.api.route import Answer, Call
from penstock.api.shapes.health import ErrorAbout, Live, Ready, Trouble
from penstock.errors import PenstockError
from penstock.errors.api import NoSuchAddress
from penstock.services.health import troubles


def live(call: Call[None, None]) -> Live:
    """The process answers, whatever its store does."""
    return Live("live", __version__)


def ready(call: Call[None, None]) -> Answer:
    """Whether work can be done: 200, or 503 with the reasons."""
    found = [Trouble(each.part, each.sentence) for each in troubles(call.core)]
    return Answer(Ready(not found, found), 503 if found else 200, headers={"Cache-Control": "no-store"})


def explain_error(call: Call[None, None]) -> ErrorAbout:
    """What a code means."""
    code = call.path["code"]
    kind = next((each for each in _kinds(PenstockError) if each.code == code), None)
    if kind is None:
        raise NoSuchAddress(f'There is no error "{code[:20]}".')
    return ErrorAbout(kind.code, status_of(kind), title_of(kind), kind.hint)


def _kinds(kind: type[PenstockError]) -> Iterator[type[PenstockError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)
