"""How does a flow write to Slack, or to what speaks like Slack: Rocket.Chat, Mattermost, Zulip?"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from penstock.plugins.notify.accounts import Told, cut
from penstock.plugins.notify.webhook import HookReport, Incoming

MOST_TEXT = 2900
CHANNEL = "Where to write; the webhook's own unless given."


class SlackSend(Incoming, frozen=True, kw_only=True):
    """Write to a channel of Slack through an incoming webhook."""

    type_name: ClassVar[str] = "slack.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.slack.SlackIncomingWebhook",
        "io.kestra.plugin.slack.SlackIncomingWebhook",
        "io.kestra.plugin.slack.notifications.SlackIncomingWebhook",
    )
    service: ClassVar[str] = "Slack"
    example: ClassVar[dict[str, object]] = {
        "url": "{{ secret('SLACK_WEBHOOK') }}",
        "messageText": "The day {{ inputs.day }} is loaded.",
    }


class SlackReport(HookReport, frozen=True, kw_only=True):
    """Tell of a run in a channel of Slack."""

    type_name: ClassVar[str] = "slack.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.slack.SlackExecution",
        "io.kestra.plugin.slack.SlackExecution",
        "io.kestra.plugin.slack.notifications.SlackExecution",
    )
    service: ClassVar[str] = "Slack"
    example: ClassVar[dict[str, object]] = {
        "url": "{{ secret('SLACK_WEBHOOK') }}",
        "channel": "#data",
        "executionId": "{{ trigger.executionId }}",
    }

    channel: Annotated[str, Meta(description=CHANNEL, examples=["#data"])] = ""
    username: Annotated[str, Meta(description="Under which name.")] = ""
    icon_url: Annotated[str, Meta(description="Address of a picture of the writer.")] = ""
    icon_emoji: Annotated[str, Meta(description="A sign of the writer instead.", examples=[":ship:"])] = ""
    message_text: Annotated[str, Meta(description="What stands above the account; its title unless given.")] = ""

    def account(self, told: Told) -> dict[str, object]:
        """An attachment in the colour of the state, with the lines side by side."""
        fields = [
            {"title": name, "value": cut(value, MOST_TEXT), "short": len(value) < 40}
            for name, value in self.lines(told).items()
            if value
        ]
        attachment = {"color": told.colour, "fallback": self.text(told), "fields": fields, "mrkdwn_in": ["text"]}
        if self.custom_message:
            attachment["text"] = cut(self.custom_message, MOST_TEXT)
        about = {
            "channel": self.channel,
            "username": self.username,
            "icon_url": self.icon_url,
            "icon_emoji": self.icon_emoji,
        }
        given = {name: value for name, value in about.items() if value}
        return {"text": self.message_text or told.title, "attachments": [attachment], **given}


class ZulipSend(Incoming, frozen=True, kw_only=True):
    """Write to a channel of Zulip through its webhook for Slack's messages."""

    type_name: ClassVar[str] = "zulip.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.zulip.ZulipIncomingWebhook",
        "io.kestra.plugin.zulip.ZulipIncomingWebhook",
    )
    service: ClassVar[str] = "Zulip"
    example: ClassVar[dict[str, object]] = {
        "url": "{{ secret('ZULIP_WEBHOOK') }}",
        "payload": {"text": "The day {{ inputs.day }} is loaded."},
    }


class ZulipReport(SlackReport, frozen=True, kw_only=True):
    """Tell of a run in a channel of Zulip."""

    type_name: ClassVar[str] = "zulip.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.zulip.ZulipExecution",
        "io.kestra.plugin.zulip.ZulipExecution",
    )
    service: ClassVar[str] = "Zulip"
    example: ClassVar[dict[str, object]] = {"url": "{{ secret('ZULIP_WEBHOOK') }}", "channel": "data"}

    def account(self, told: Told) -> dict[str, object]:
        """The account as text, since Zulip shows no colours."""
        return super().account(told) | {"text": self.text(told), "attachments": []}
