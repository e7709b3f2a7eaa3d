"""What is told to those who listen, and what may they ask to hear?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Namespace
from penstock.api.shapes.logs import LogLevel, Number, Step
from penstock.model.status import RunStatus


class ChangeRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something has a new version; who has an older one reads it again.

    `what` is run, claim (a step of a run began to be worked on), flow, … ; of the same thing the newer version counts.
    """

    what: str
    key: str
    version: int
    at: str
    namespace: str = ""
    flow: str = ""
    run: str = ""
    status: RunStatus | None = None
    step: str = ""


class ChangesAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which changes are told."""

    what: Annotated[
        tuple[str, ...], Meta(max_length=20, description="Changes of this kind only: run, claim, flow.")
    ] = ()
    namespace: Namespace = ""


class FollowAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are told of a run that is followed; `from_now` leaves out what was logged before."""

    step: Step | None = None
    attempt: Number | None = None
    level: Annotated[LogLevel | None, Meta(description="Lines of at least this level.")] = None
    text: Annotated[str, Meta(max_length=500, description="Lines with this text in them.")] = ""
    from_now: Annotated[bool, Meta(description="Leave out what was logged before.")] = False
