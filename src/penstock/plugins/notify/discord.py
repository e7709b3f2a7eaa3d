"""How does a flow write to Discord? A text, or an embed in a colour."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, field

from penstock.plugins.notify.accounts import Told, cut
from penstock.plugins.notify.webhook import HookReport, Incoming

MOST_CONTENT = 2000
MOST_VALUE = 1024
MOST_FIELDS = 25


class Embed(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A framed part of a message."""

    title: Annotated[str, Meta(description="Its title.")] = ""
    website_url: Annotated[str, Meta(description="Where the title leads.")] = ""
    description: Annotated[str, Meta(description="Its text.")] = ""
    thumbnail: Annotated[str, Meta(description="Address of a small picture.")] = ""
    author_name: Annotated[str, Meta(description="Who writes.")] = ""
    color: Annotated[list[int], Meta(description="Red, green and blue, 0 to 255.", examples=[[255, 0, 0]])] = field(
        default_factory=list
    )
    footer: Annotated[str, Meta(description="A line at the bottom.")] = ""


class DiscordSend(Incoming, frozen=True, kw_only=True):
    """Write to a channel of Discord through a webhook."""

    type_name: ClassVar[str] = "discord.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.discord.DiscordIncomingWebhook",
        "io.kestra.plugin.discord.DiscordIncomingWebhook",
    )
    service: ClassVar[str] = "Discord"
    example: ClassVar[dict[str, object]] = {
        "url": "{{ secret('DISCORD_WEBHOOK') }}",
        "payload": {"content": "The day {{ inputs.day }} is loaded."},
    }

    def plain(self, text: str) -> dict[str, object]:
        """The text as content."""
        return {"content": cut(text, MOST_CONTENT)}


class DiscordReport(HookReport, frozen=True, kw_only=True):
    """Tell of a run in a channel of Discord."""

    type_name: ClassVar[str] = "discord.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.discord.DiscordExecution",
        "io.kestra.plugin.discord.DiscordExecution",
    )
    service: ClassVar[str] = "Discord"
    example: ClassVar[dict[str, object]] = {
        "url": "{{ secret('DISCORD_WEBHOOK') }}",
        "username": "penstock",
        "executionId": "{{ trigger.executionId }}",
    }

    username: Annotated[str, Meta(description="Under which name.")] = ""
    avatar_url: Annotated[str, Meta(description="Address of a picture of the writer.")] = ""
    content: Annotated[str, Meta(description="A text above the account.")] = ""
    embed_list: Annotated[list[Embed], Meta(description="Framed parts; the first is joined with the account.")] = field(
        default_factory=list
    )

    def account(self, told: Told) -> dict[str, object]:
        """An embed with a field for each line, and the parts that were given."""
        fields = [
            {"name": cut(name, 256), "value": cut(value, MOST_VALUE), "inline": len(value) < 40}
            for name, value in self.lines(told).items()
            if value
        ]
        own: dict[str, object] = {
            "title": cut(told.title, 256),
            "color": int(told.colour.lstrip("#"), 16),
            "fields": fields[:MOST_FIELDS],
        }
        if self.custom_message:
            own["description"] = cut(self.custom_message, 4096)
        given = [self._framed(each) for each in self.embed_list]
        embeds = [{**given[0], **own}, *given[1:]] if given else [own]
        about = {"content": cut(self.content, MOST_CONTENT), "username": self.username, "avatar_url": self.avatar_url}
        return {"embeds": embeds, "tts": False, **{name: value for name, value in about.items() if value}}

    def _framed(self, embed: Embed) -> dict[str, object]:
        framed: dict[str, object] = {
            "title": embed.title,
            "description": embed.description,
            "url": embed.website_url,
            "thumbnail": {"url": embed.thumbnail} if embed.thumbnail else None,
            "footer": {"text": embed.footer} if embed.footer else None,
        }
        if embed.author_name:
            who = {"name": embed.author_name, "url": embed.website_url, "icon_url": self.avatar_url}
            framed["author"] = {name: value for name, value in who.items() if value}
        if len(embed.color) >= 3:
            red, green, blue = embed.color[:3]
            framed["color"] = (red << 16) + (green << 8) + blue
        return {name: value for name, value in framed.items() if value}
