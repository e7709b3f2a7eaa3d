"""Which addresses tell what is served? The OpenAPI document, and a page on which people read it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from penstock.api.openapi import document
from penstock.api.route import Answer, Call, Route, Sent, Where
from penstock.errors.api import NoSuchAddress

FOLDER: Final = Path(__file__).parent.parent / "reader"
MEDIA: Final = {
    "index.html": "text/html; charset=utf-8",
    "reader.css": "text/css; charset=utf-8",
    "reader.js": "text/javascript; charset=utf-8",
}
# Nothing but what this server itself gives; nothing inside the page.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def routes(table: Callable[[], Sequence[Route]]) -> tuple[Route, ...]:
    """The rows that tell of a table, their own included."""
    lock = threading.Lock()
    made: list[msgspec.Raw] = []

    def openapi(call: Call[None, None]) -> Answer:
        """The document, made when it is asked for first."""
        with lock:
            if not made:
                made.append(msgspec.Raw(msgspec.json.encode(document(table()))))
        return Answer(made[0])

    return (
        Route(
            method="GET",
            path="/openapi.json",
            summary="What is served, as OpenAPI 3.1.",
            handler=openapi,
            where=Where.PUBLIC,
            answer=dict[str, object],
        ),
        Route(
            method="GET",
            path="/docs",
            summary="What is served, as a page for people.",
            handler=read_documents,
            where=Where.PUBLIC,
            gives="text/html",
        ),
        Route(
            method="GET",
            path="/docs/{page}",
            summary="What the page for people is made of.",
            handler=read_part,
            where=Where.PUBLIC,
            gives="text/css",
        ),
    )


def read_documents(call: Call[None, None]) -> Sent:
    """The page."""
    return _file("index.html")


def read_part(call: Call[None, None]) -> Sent:
    """Its style, or what fills it."""
    name = call.path["page"]
    if name not in MEDIA or name == "index.html":
        raise NoSuchAddress("Nothing is served at this address.")
    return _file(name)


def _file(name: str) -> Sent:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return Sent([(FOLDER / name).read_bytes()], MEDIA[name], headers=headers)
