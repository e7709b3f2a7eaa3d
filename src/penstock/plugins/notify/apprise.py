"""How does a flow write to the many other services? Through the library Apprise, by an address for each."""

from __future__ import annotations

import enum
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field

from penstock.errors.task import MissingExtra
from penstock.plugins.notify import accounts
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Secret


class Kind(enum.StrEnum):
    """What sort of news it is; services paint it."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


class AppriseSend(TaskType, frozen=True, kw_only=True):
    """Tell people through any service that Apprise knows."""

    type_name: ClassVar[str] = "apprise.send"
    mode: ClassVar[Mode] = Mode.WARM
    example: ClassVar[dict[str, object]] = {
        "urls": ["{{ secret('MATRIX_URL') }}", "ntfy://topic"],
        "title": "The day {{ inputs.day }}",
        "body": "All is well.",
    }

    urls: Annotated[list[Secret], Meta(description="Addresses as Apprise has them.", examples=[["ntfy://topic"]])]
    title: Annotated[str, Meta(description="The title; flow and state of the run unless anything is given.")] = ""
    body: Annotated[str, Meta(description="The text; an account of the run unless given.")] = ""
    kind: Annotated[Kind | None, Meta(description="What sort of news it is; as the run stands unless given.")] = None
    execution_id: Annotated[str, Meta(description="The run that is told of; this one unless given.")] = ""
    attachments: Annotated[list[str], Meta(description="Addresses of stored files that go along.")] = field(
        default_factory=list
    )

    def run(self, context: Context) -> None:
        """Send it to each; TaskFailed when one does not take it."""
        apprise = library()
        to = apprise.Apprise()
        for place, url in enumerate(self.urls, 1):
            if not to.add(str(url)):
                raise TaskFailed(f"Address {place} of {len(self.urls)} is none that Apprise knows.")
        title, body, kind = self.title, self.body, self.kind or Kind.INFO
        if not body:
            told = accounts.ask(context, self.execution_id)
            title, body = title or told.title, accounts.text(told, "", {})
            kind = self.kind or (Kind.SUCCESS if told.state == "SUCCESS" else Kind.INFO if told.good else Kind.FAILURE)
        files = [str(context.fetch(uri)) for uri in self.attachments]
        for place, service in enumerate(to, 1):
            if not service.notify(body=body, title=title, notify_type=kind.value, attach=files or None):
                raise TaskFailed(
                    f"{service.service_name}, address {place} of {len(self.urls)}, did not take the message."
                )


def library() -> Any:
    """The package; MissingExtra when it is not installed."""
    try:
        import apprise
    except ImportError:
        raise MissingExtra(
            "Apprise needs the package apprise.", hint="Install it with `pip install 'penstock[notify]'`."
        ) from None
    return apprise
