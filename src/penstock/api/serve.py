"""How does the API stand on a port? An application made from the table, and a server that opens and closes with it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Address
from starlette.types import Receive, Scope, Send

from penstock.api.dispatch import Desk, Who
from penstock.api.protocol import BoundedProtocol
from penstock.api.proxies import Proxies
from penstock.api.route import Route
from penstock.api.routes.kestra.addresses import told
from penstock.api.routes.table import SERVED
from penstock.app import App
from penstock.errors import PenstockError
from penstock.errors.api import BadRequest, NoSuchAddress, NotServed, ServerFault, WrongMethod

NEXT_PORTS: Final = 20
BACKLOG: Final = 512
GRACE: Final = 10
Endpoint = Callable[[Request], Awaitable[Response]]


class Listen(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server listens: port 0 is any that is free; with `next_free` a port that is taken is passed over."""

    host: str = "127.0.0.1"
    port: int = 0
    next_free: bool = False


ANYWHERE: Final = Listen()


class Served:
    """The application together with what it opened; closes what it opened."""

    def __init__(self, app: App, who: Who, table: Sequence[Route] = SERVED) -> None:
        self.desk = Desk(app, who)
        self.asgi = _router(self.desk, table)

    def hush(self) -> None:
        """End streams; calls are still answered. Safe to call twice."""
        self.desk.hub.close()

    def close(self) -> None:
        """End streams and threads; safe to call twice."""
        self.desk.close()


class Server:
    """The API on a port, in a thread of its own; `start` returns once it answers, `close` when nothing is left."""

    def __init__(self, app: App, who: Who, listen: Listen = ANYWHERE, table: Sequence[Route] = SERVED) -> None:
        self._served = Served(app, who, table)
        self._socket = _bound(listen)
        name = self._socket.getsockname()
        self.host, self.port = str(name[0]), int(name[1])
        self.url = f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"
        self._started = threading.Event()
        config = uvicorn.Config(
            self._served.asgi,
            http=BoundedProtocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE,
        )
        self._server = _Uvicorn(config, self._started.set)
        self._thread = threading.Thread(target=self._run, name="penstock-http", daemon=True)

    def start(self) -> None:
        """Begin to answer; returns once it does. Safe to call twice. Raises NotServed."""
        if not self._thread.is_alive() and not self._started.is_set():
            self._thread.start()
            self._started.wait()
            if not self._server.started:
                raise NotServed(f"The server at {self.url} has not come up.", hint="Its log says why.")

    def close(self, grace: int = GRACE) -> None:
        """Take no more calls, end streams, answer what was asked within `grace` seconds; safe to call twice."""
        self._served.hush()
        self._server.config.timeout_graceful_shutdown = grace
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()
        self._served.close()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._started.set()  # who waits for it must not wait for ever


class _Uvicorn(uvicorn.Server):
    """A server that says when it answers, and leaves signals to whoever owns the process."""

    def __init__(self, config: uvicorn.Config, answers: Callable[[], None]) -> None:
        super().__init__(config)
        self._answers = answers

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        self._answers()


class _Application(Starlette):
    """An application that knows an address by its other names, too, and who calls it through proxies."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = self.state.proxies.seen(scope)
            if (path := told(scope["path"])) != scope["path"]:
                scope = {**scope, "path": path}
        await super().__call__(scope, receive, send)


def _router(desk: Desk, table: Sequence[Route]) -> Starlette:
    by_path: dict[str, dict[str, Endpoint]] = {}
    for row in table:
        by_path.setdefault(row.path, {})[row.method] = desk.endpoint(row)
    addresses = [Address(path, _by_method(methods), methods=list(methods)) for path, methods in by_path.items()]

    async def refused(request: Request, error: Exception) -> Response:
        return desk.refusal(request, *_refusal(request, error))

    app = _Application(routes=addresses, exception_handlers={HTTPException: refused, Exception: refused})
    app.router.redirect_slashes = False
    app.state.proxies = Proxies(desk.app.project.settings.trusted_proxies)
    return app


def _by_method(methods: dict[str, Endpoint]) -> Endpoint:
    async def answer(request: Request) -> Response:
        # HEAD is answered as GET is, and its body left out on the way
        return await methods["GET" if request.method == "HEAD" else request.method](request)

    return answer


def _refusal(request: Request, error: Exception) -> tuple[PenstockError, dict[str, str]]:
    """What the router refuses, as an error of ours with the headers that belong to it."""
    if not isinstance(error, HTTPException):
        return ServerFault("The server broke down over this call; its log says over what."), {}
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            return NoSuchAddress("Nothing is served at this address."), headers
        case 405:
            allowed = headers.get("Allow", "")
            return WrongMethod(f"This address takes no {request.method[:20]}.", hint=f"It takes {allowed}."), headers
        case _:
            return BadRequest(str(error.detail)), headers


def _bound(listen: Listen) -> socket.socket:
    """A socket that listens. Raises NotServed."""
    trouble = ""
    for port in range(listen.port, listen.port + (NEXT_PORTS if listen.next_free and listen.port else 1)):
        try:
            return _listening(listen.host, port)
        except OSError as error:
            trouble = error.strerror or str(error)
    hint = "Name another port; 0 takes any that is free."
    raise NotServed(f"Nothing can be served at {listen.host}:{listen.port}: {trouble}.", hint=hint)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP: only of such sockets asyncio sends each piece at once, and else every answer takes 40 ms more.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(BACKLOG)
    except BaseException:
        found.close()
        raise
    return found
