"""How does a call become an answer? Who asks, may they, what was sent; the handler, in a thread; its value as bytes."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, Final, TypeVar

import msgspec
from msgspec.structs import replace
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as ASGI

from penstock.api import packing, problems
from penstock.api.asked import Reader, refuse_nul
from penstock.api.events import MEDIA, Event, Listening, streamed
from penstock.api.live.following import Follower
from penstock.api.live.hub import Hub
from penstock.api.pace import Pace
from penstock.api.route import JSON, MEGABYTE, Answer, Awaited, Call, Route, Sent, Where
from penstock.api.shapes.runs import RunRow
from penstock.app import App
from penstock.errors import PenstockError
from penstock.errors.access import TooManyLogins
from penstock.errors.api import BadRequest, BodyTooLarge, MayNot, NotSignedIn, ServerFault, TooBusy
from penstock.errors.run import UnknownBackfill, UnknownRun
from penstock.model.access import EVERYWHERE, NOWHERE, Action, Actor, Scope
from penstock.model.backfill import Backfill
from penstock.model.run import Run
from penstock.services.access.rights import covers
from penstock.services.access.rights import scope as reach
from penstock.store import backfills, runs
from penstock.telemetry import Level

THREADS: Final = 16
MOST_WAITING: Final = 512
PATIENCE: Final = 30.0
LONGEST_WAIT: Final = 600.0
POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
R = TypeVar("R")
# Methods that change nothing.
LOOKS: Final = ("GET", "HEAD", "OPTIONS")
NOBODY: Final = Actor(name="")

Who = Callable[[Request], Actor | None]


class Later(msgspec.Struct, frozen=True):
    """An answer that waits for the end of a run: who tells of that, and what is answered then."""

    listening: Listening
    finish: Callable[[], Response]


class Poured(StreamingResponse):
    """Bytes on their way; the file that they come from is closed behind them, or when the caller has gone."""

    def __init__(self, sent: Sent, headers: Mapping[str, str]) -> None:
        super().__init__(iter(sent.pieces), sent.status, headers, sent.media)
        self._file = sent.file

    async def __call__(self, scope: ASGI, receive: Receive, send: Send) -> None:
        """Send them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._file is not None:
                self._file.close()


class Desk:
    """Where calls are answered; opens its threads, closes them."""

    def __init__(self, app: App, who: Who) -> None:
        self.app = app
        self.hub = Hub(app.core)
        self._who = who
        self._threads = ThreadPoolExecutor(THREADS, "penstock-api")
        self._waiting = 0
        self._pace = Pace(app.project.settings.limits.calls)

    def endpoint(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        """What answers one route."""
        reader = Reader(route)

        async def answer(request: Request) -> Response:
            try:
                body = await _body(request, route.limit) if route.body is not None else b""
            except PenstockError as error:
                return self.refusal(request, error)
            return await self._ended(request, await self.in_thread(request, self._asked(request, route, reader, body)))

        async def counted(request: Request) -> Response:
            began, core = asyncio.get_running_loop().time(), self.app.core
            given = await (take if route.body is BinaryIO else answer)(request)
            told = {"status": given.status_code, "seconds": asyncio.get_running_loop().time() - began}
            core.notices.say("api.answered", core.clock.now(), Level.DEBUG, route=route.name, **told)
            return given

        async def take(request: Request) -> Response:
            # nobody fills the disk who has no right to
            refused = await self.in_thread(request, lambda: self._refused(request, route))
            if refused is not None:
                return refused
            with tempfile.SpooledTemporaryFile(max_size=MEGABYTE) as file:
                try:
                    await _spooled(request, route.limit, file)
                except PenstockError as error:
                    return self.refusal(request, error)
                made = await self.in_thread(request, self._asked(request, route, reader, file))
            return await self._ended(request, made)

        return counted

    async def in_thread(self, request: Request, work: Callable[[], R]) -> R | Response:
        """Do what may take its time beside the loop; where too many wait already, refuse."""
        if self._waiting >= MOST_WAITING:
            return self.refusal(request, TooBusy(f"{self._waiting} calls wait for an answer."))
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def refusal(self, request: Request, error: PenstockError, headers: Mapping[str, str] = {}) -> Response:
        """An error as an answer."""
        told = problems.told(error, request.scope["path"])
        shown = dict(headers) | {"Cache-Control": "no-store"}
        if told.status in (429, 503):
            shown.setdefault("Retry-After", "1")
        if told.status == 401:
            shown["WWW-Authenticate"] = "Bearer"
        if isinstance(error, TooManyLogins):
            shown["Retry-After"] = str(error.seconds)
        return _packed(request, msgspec.json.encode(told), problems.MEDIA, told.status, shown)

    def close(self) -> None:
        """Let everybody go who listens, and the threads end; safe to call twice."""
        self.hub.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _refused(self, request: Request, route: Route) -> Response | None:
        try:
            self._asking(request, route)
        except PenstockError as error:
            return self.refusal(request, error)
        return None

    async def _ended(self, request: Request, made: Response | Later) -> Response:
        """The answer that is to be given after the end of a run: waiting for it costs no thread."""
        if isinstance(made, Response):
            return made
        until = asyncio.get_running_loop().time() + LONGEST_WAIT
        try:
            while (left := until - asyncio.get_running_loop().time()) > 0 and not await request.is_disconnected():
                found = await made.listening.next(min(left, 5.0))
                if found is None or any(_tells_end(event) for event in found):
                    break
        finally:
            made.listening.left()
        told = await self.in_thread(request, made.finish)
        assert isinstance(told, Response)
        return told

    def _asked(self, request: Request, route: Route, reader: Reader, body: Any) -> Callable[[], Response | Later]:
        return lambda: self._answer(request, route, reader, body)

    def _answer(self, request: Request, route: Route, reader: Reader, body: Any) -> Response | Later:
        try:
            actor, scope = self._asking(request, route)
            if actor.name:
                self._pace.take(actor.name)
            refuse_nul(request.scope["path"], str(request.url.query))
            about = self._about(request, route, actor, scope)
            query = reader.query(request.query_params.multi_items())
            sent = reader.body(body, request.headers.get("content-type", ""))
            if route.where is Where.BODY and not covers(scope, sent.namespace):
                raise _may_not(actor, route.action, sent.namespace)
            path: dict[str, str] = request.path_params
            core = self.app.core.asked_by(actor)
            call: Call[Any, Any] = Call(
                self.app, self.hub, core, actor, scope, path, query, sent, request.headers, about, _is_https(request)
            )
            try:
                return self._written(request, route, call)
            finally:
                if request.method not in LOOKS:
                    self.hub.soon()
        except PenstockError as error:
            return self.refusal(request, error)
        except Exception as error:  # whatever is wrong in there must not stop other calls, nor tell its inside
            self._fault(route, error)
            return self.refusal(request, ServerFault("The server broke down over this call; its log says over what."))

    def _fault(self, route: Route, error: Exception) -> None:
        core, said = self.app.core, f"{type(error).__name__}: {error}"
        core.notices.say("api.fault", core.clock.now(), Level.ERROR, route=route.name, error=said)

    def _asking(self, request: Request, route: Route) -> tuple[Actor, Scope]:
        """Who asks, and where they may do what the route does; what the table does not allow is denied."""
        if route.where is Where.PUBLIC:
            return replace(NOBODY, origin=request.client.host if request.client else ""), NOWHERE
        actor = self._who(request)
        if actor is None:
            raise _stranger(request)
        if route.where is Where.SIGNED_IN:
            return actor, NOWHERE
        if route.action is None:
            raise _may_not(actor, None, "")
        scope = reach(actor, route.action)
        nowhere = not scope.everywhere and not scope.namespaces
        if nowhere or (route.where is Where.WHOLE and scope != EVERYWHERE):
            raise _may_not(actor, route.action, "")
        if route.where is Where.PATH and not covers(scope, request.path_params["namespace"]):
            raise _may_not(actor, route.action, request.path_params["namespace"])
        return actor, scope

    def _about(self, request: Request, route: Route, actor: Actor, scope: Scope) -> Run | Backfill | None:
        """The run or the backfill in the address. One that who asks may not even see is not there."""
        found: Run | Backfill | None
        match route.where:
            case Where.RUN:
                run_id, seen = request.path_params["run"], Action.RUNS_VIEW
                found = self.app.core.store.glance(lambda tx: runs.load(tx, run_id))
                missing: PenstockError = UnknownRun(f"There is no run {run_id[:100]}.")
            case Where.BACKFILL:
                backfill_id, seen = request.path_params["backfill"], Action.BACKFILLS_VIEW
                found = self.app.core.store.glance(lambda tx: backfills.get(tx, backfill_id))
                missing = UnknownBackfill(f'There is no backfill "{backfill_id[:100]}".')
            case _:
                return None
        if found is None or not covers(reach(actor, seen), found.namespace):
            raise missing
        if not covers(scope, found.namespace):
            raise _may_not(actor, route.action, found.namespace)
        return found

    def _written(self, request: Request, route: Route, call: Call[Any, Any]) -> Response | Later:
        given = route.handler(call)
        if not isinstance(given, Awaited):
            return self._told(request, route, call, given)

        def finish() -> Response:
            try:
                return self._told(request, route, call, given.then())
            except PenstockError as error:
                return self.refusal(request, error)

        return Later(self.hub.follow(Follower(given.run, from_now=True)), finish)

    def _told(self, request: Request, route: Route, call: Call[Any, Any], given: object) -> Response:
        match given:
            case Sent():
                shown = HEADERS | dict(given.headers)
                return Poured(given, shown)
            case Listening() if request.method == "HEAD":
                given.left()
                return Response(status_code=200, headers=HEADERS, media_type=MEDIA)
            case Listening():
                return streamed(request, given, HEADERS, lambda: self._still_may(request, route, call))
            case Answer():
                answer = given
            case _:
                answer = Answer(given)
        status = answer.status or route.status
        if answer.value is None and (route.answer is None or status == 204):
            return Response(status_code=204 if status == 200 else status, headers=HEADERS | dict(answer.headers))
        body = msgspec.json.encode(answer.value)
        shown = {"Cache-Control": "private, no-cache"} | dict(answer.headers)
        if request.method in ("GET", "HEAD") and status == 200:
            tag = answer.etag or f'W/"{hashlib.blake2b(body, digest_size=9).hexdigest()}"'
            shown["ETag"] = tag
            if _same(request.headers.get("if-none-match", ""), tag):
                return Response(status_code=304, headers=HEADERS | shown)
        return _packed(request, body, JSON, status, shown)

    def _still_may(self, request: Request, route: Route, call: Call[Any, Any]) -> bool:
        """Whether who listens may still do so: tokens are taken back, and rights change."""
        try:
            scope = self._asking(request, route)[1]
        except PenstockError:
            return False
        return scope == call.scope and (call.about is None or covers(scope, call.about.namespace))


def _stranger(request: Request) -> NotSignedIn:
    """Why somebody is not known, as far as what came along tells it: nothing is said of what is kept."""
    if request.headers.get("authorization"):
        hint = "Tokens end, and are revoked: `POST /v1/me/tokens` or `penstock tokens add` makes a new one."
        return NotSignedIn("What was sent as Authorization is no token that is good here (any more).", hint=hint)
    if request.headers.get("cookie") and request.method not in ("GET", "HEAD"):
        hint = "What changes something wants the session's token as X-CSRF-Token, too: `GET /v1/me` tells it as `csrf`."
        return NotSignedIn("The session is over, or its X-CSRF-Token did not come along.", hint=hint)
    return NotSignedIn("This address does not answer strangers.")


def _is_https(request: Request) -> bool:
    """Whether who calls does so by HTTPS, as far as anybody whom we trust knows."""
    return request.scope.get("scheme") == "https"


def _may_not(actor: Actor, action: Action | None, namespace: str) -> MayNot:
    where = f'in "{namespace}"' if namespace else "here"
    hint = "`GET /v1/me` tells what you may do; who keeps the people here can grant more."
    return MayNot(f'{actor.name} has no right to "{action or "anything"}" {where}.', hint=hint)


def _tells_end(event: Event) -> bool:
    return event.name in ("end", "reload") or (isinstance(event.data, RunRow) and event.data.status.ended)


def _same(asked: str, tag: str) -> bool:
    """Whether a caller has what a tag names already; weak tags compare as well as strong ones."""
    bare = tag.removeprefix("W/")
    return asked.strip() == "*" or bare in {each.strip().removeprefix("W/") for each in asked.split(",")}


async def _body(request: Request, limit: int) -> bytes:
    """The body of a call. Raises BodyTooLarge, BadRequest."""
    return b"".join([piece async for piece in _pieces(request, limit)])


async def _spooled(request: Request, limit: int, file: tempfile.SpooledTemporaryFile[bytes]) -> None:
    """Write the body of a call into a file. Raises BodyTooLarge, BadRequest."""
    async for piece in _pieces(request, limit):
        file.write(piece)
    file.seek(0)


async def _pieces(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The pieces of a body; an error as soon as it is known that there are too many, or that no more of them come."""
    too_large = BodyTooLarge(f"The body has more than the {limit:,} bytes that this address takes.")
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > limit:
        raise too_large
    length, stream = 0, request.stream()
    while True:
        try:
            async with asyncio.timeout(PATIENCE):
                piece = await anext(stream, None)
        except (TimeoutError, ClientDisconnect):
            raise BadRequest("The body has not come to its end.") from None
        if piece is None:
            return
        length += len(piece)
        if length > limit:
            raise too_large
        yield piece


def _packed(request: Request, body: bytes, media: str, status: int, headers: Mapping[str, str]) -> Response:
    packed, encoding = packing.packed(body, request.headers.get("accept-encoding", ""))
    shown = {**HEADERS, **headers, "Vary": "Accept-Encoding"}
    if encoding:
        shown["Content-Encoding"] = encoding
    return Response(packed, status, shown, media)
