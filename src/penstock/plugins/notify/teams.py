"""How does a flow write to Microsoft Teams? An adaptive card, or the older card where the address wants that."""

from __future__ import annotations

from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from msgspec import Meta

from penstock.plugins.notify.accounts import Told
from penstock.plugins.notify.webhook import HookReport, Incoming

CONNECTOR = "webhook.office.com"
CARD = "application/vnd.microsoft.card.adaptive"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


class TeamsSend(Incoming, frozen=True, kw_only=True):
    """Write to a channel of Teams through a webhook."""

    type_name: ClassVar[str] = "teams.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.teams.TeamsIncomingWebhook",
        "io.kestra.plugin.microsoft365.teams.TeamsIncomingWebhook",
    )
    service: ClassVar[str] = "Teams"
    example: ClassVar[dict[str, object]] = {
        "url": "{{ secret('TEAMS_WEBHOOK') }}",
        "messageText": "The day {{ inputs.day }} is loaded.",
    }

    def plain(self, text: str) -> dict[str, object]:
        """The text in a card."""
        if _is_connector(str(self.url)):
            return {"@type": "MessageCard", "@context": "http://schema.org/extensions", "text": text}
        return _adaptive([_block(text)])


class TeamsReport(HookReport, frozen=True, kw_only=True):
    """Tell of a run in a channel of Teams."""

    type_name: ClassVar[str] = "teams.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.teams.TeamsExecution",
        "io.kestra.plugin.microsoft365.teams.TeamsExecution",
    )
    service: ClassVar[str] = "Teams"
    example: ClassVar[dict[str, object]] = {
        "url": "{{ secret('TEAMS_WEBHOOK') }}",
        "activityTitle": "The nightly load",
        "executionId": "{{ trigger.executionId }}",
    }

    theme_color: Annotated[str, Meta(description="Colour of the older card; that of the state unless given.")] = ""
    activity_title: Annotated[str, Meta(description="The title; flow and state unless given.")] = ""
    activity_subtitle: Annotated[str, Meta(description="A line below the title.")] = ""

    def account(self, told: Told) -> dict[str, object]:
        """The lines as facts of a card."""
        title, lines = self.activity_title or told.title, {n: v for n, v in self.lines(told).items() if v}
        if _is_connector(str(self.url)):
            section: dict[str, object] = {
                "activityTitle": title,
                "activitySubtitle": self.activity_subtitle,
                "facts": [{"name": name, "value": value} for name, value in lines.items()],
                "markdown": True,
            }
            return {
                "@type": "MessageCard",
                "@context": "http://schema.org/extensions",
                "themeColor": (self.theme_color or told.colour).lstrip("#"),
                "summary": title,
                "sections": [section | ({"text": self.custom_message} if self.custom_message else {})],
            }
        blocks = [_block(title, size="Large", weight="Bolder", color="Good" if told.good else "Attention")]
        blocks += [_block(text) for text in (self.activity_subtitle, self.custom_message) if text]
        facts = [{"title": name, "value": value} for name, value in lines.items()]
        return _adaptive([*blocks, {"type": "FactSet", "facts": facts}])


def _is_connector(url: str) -> bool:
    """Is this an address of the connectors of old, which know the older card alone?"""
    return (urlsplit(url).hostname or "").endswith(CONNECTOR)


def _block(text: str, **looks: str) -> dict[str, object]:
    return {"type": "TextBlock", "text": text, "wrap": True, **looks}


def _adaptive(body: list[dict[str, object]]) -> dict[str, object]:
    card = {"$schema": SCHEMA, "type": "AdaptiveCard", "version": "1.4", "body": body}
    return {"type": "message", "attachments": [{"contentType": CARD, "contentUrl": None, "content": card}]}
