"""How does a flow write to Google Chat, Telegram, WhatsApp and LINE?"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, field

from penstock.plugins.notify.accounts import Report, Told, cut
from penstock.plugins.notify.webhook import HookReport, Incoming
from penstock.plugins.notify.wire import Sender
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Secret

TELEGRAM = "https://api.telegram.org"
LINE = "https://api.line.me/v2/bot/message/push"
MOST_TELEGRAM = 4096
MOST_LINE = 5000
BOT = "The bot's token."
CHAT = "Id of the chat, or the name of a public channel."
ENDPOINT = "Another address of the service, for a bot server of your own."


class GoogleSend(Incoming, frozen=True, kw_only=True):
    """Write to a space of Google Chat through a webhook."""

    type_name: ClassVar[str] = "google_chat.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.google.GoogleChatIncomingWebhook",
        "io.kestra.plugin.googleworkspace.chat.GoogleChatIncomingWebhook",
    )
    service: ClassVar[str] = "Google Chat"
    example: ClassVar[dict[str, object]] = {
        "url": "{{ secret('GOOGLE_WEBHOOK') }}",
        "payload": {"text": "The day {{ inputs.day }} is loaded."},
    }


class GoogleReport(HookReport, frozen=True, kw_only=True):
    """Tell of a run in a space of Google Chat."""

    type_name: ClassVar[str] = "google_chat.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.google.GoogleChatExecution",
        "io.kestra.plugin.googleworkspace.chat.GoogleChatExecution",
    )
    service: ClassVar[str] = "Google Chat"
    example: ClassVar[dict[str, object]] = {
        "url": "{{ secret('GOOGLE_WEBHOOK') }}",
        "executionId": "{{ trigger.executionId }}",
    }

    text_: Annotated[str, Meta(description="What is written instead of the account.")] = field(default="", name="text")

    def account(self, told: Told) -> dict[str, object]:
        """The account as text."""
        return {"text": self.text_ or self.text(told)}


class TelegramSend(Sender, frozen=True, kw_only=True):
    """Write to a chat of Telegram as a bot."""

    type_name: ClassVar[str] = "telegram.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.telegram.TelegramSend",
        "io.kestra.plugin.telegram.TelegramSend",
    )
    service: ClassVar[str] = "Telegram"
    example: ClassVar[dict[str, object]] = {
        "token": "{{ secret('TELEGRAM_TOKEN') }}",
        "channel": "-1001234567890",
        "payload": "The day {{ inputs.day }} is loaded.",
    }

    token: Annotated[Secret, Meta(description=BOT)]
    channel: Annotated[str, Meta(description=CHAT)]
    payload: Annotated[str, Meta(description="The text.")]
    parse_mode: Annotated[str | None, Meta(description="How marks in the text are read: HTML, MarkdownV2.")] = None
    endpoint_override: Annotated[str, Meta(description=ENDPOINT)] = ""

    def run(self, context: Context) -> None:
        """Send it."""
        body = {"chat_id": self.channel, "text": cut(self.payload, MOST_TELEGRAM)}
        mode = {"parse_mode": self.parse_mode} if self.parse_mode else {}
        self.post(context, _bot(self.endpoint_override, str(self.token)), body | mode)


class TelegramReport(Report, frozen=True, kw_only=True):
    """Tell of a run in a chat of Telegram."""

    type_name: ClassVar[str] = "telegram.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.telegram.TelegramExecution",
        "io.kestra.plugin.telegram.TelegramExecution",
    )
    service: ClassVar[str] = "Telegram"
    example: ClassVar[dict[str, object]] = {
        "token": "{{ secret('TELEGRAM_TOKEN') }}",
        "channel": "-1001234567890",
        "executionId": "{{ trigger.executionId }}",
    }

    token: Annotated[Secret, Meta(description=BOT)]
    channel: Annotated[str, Meta(description=CHAT)]
    payload: Annotated[str, Meta(description="What is written instead of the account.")] = ""
    endpoint_override: Annotated[str, Meta(description=ENDPOINT)] = ""

    def run(self, context: Context) -> None:
        """Send the account."""
        text = self.payload or self.text(self.told(context))
        body = {"chat_id": self.channel, "text": cut(text, MOST_TELEGRAM)}
        self.post(context, _bot(self.endpoint_override, str(self.token)), body)


class WhatsAppSend(Incoming, frozen=True, kw_only=True):
    """Send a payload to a webhook of WhatsApp."""

    type_name: ClassVar[str] = "whatsapp.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.whatsapp.WhatsAppIncomingWebhook",
        "io.kestra.plugin.meta.whatsapp.WhatsAppIncomingWebhook",
    )
    service: ClassVar[str] = "WhatsApp"
    example: ClassVar[dict[str, object]] = {
        "url": "{{ secret('WHATSAPP_WEBHOOK') }}",
        "payload": {"to": "380999999999", "type": "text", "text": {"body": "The day {{ inputs.day }} is loaded."}},
    }

    def plain(self, text: str) -> dict[str, object]:
        """The text as a message."""
        return {"messaging_product": "whatsapp", "type": "text", "text": {"body": text}}


class WhatsAppReport(HookReport, frozen=True, kw_only=True):
    """Tell of a run through a webhook of WhatsApp."""

    type_name: ClassVar[str] = "whatsapp.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.whatsapp.WhatsAppExecution",
        "io.kestra.plugin.meta.whatsapp.WhatsAppExecution",
    )
    service: ClassVar[str] = "WhatsApp"
    example: ClassVar[dict[str, object]] = {
        "url": "{{ secret('WHATSAPP_WEBHOOK') }}",
        "profileName": "penstock",
        "from": "380999999999",
        "whatsAppIds": ["111", "222"],
    }

    profile_name: Annotated[str, Meta(description="Under which name.")] = ""
    whats_app_ids: Annotated[list[str], Meta(description="Ids of those who are written to.")] = field(
        default_factory=list
    )
    from_: Annotated[str, Meta(description="Number of the writer.")] = field(default="", name="from")
    message_id: Annotated[str, Meta(description="Id of the message.")] = ""
    text_body: Annotated[str, Meta(description="What is written instead of the account.")] = ""
    recipient_id: Annotated[str, Meta(description="Id of who is written to.")] = ""

    def account(self, told: Told) -> dict[str, object]:
        """Contacts and one message of text."""
        about = {"from": self.from_, "id": self.message_id}
        message: dict[str, object] = {name: value for name, value in about.items() if value}
        message |= {"type": "text", "text": {"body": self.text_body or self.text(told)}}
        contacts = [{"profile": {"name": self.profile_name}, "wa_id": one} for one in self.whats_app_ids]
        body: dict[str, object] = {"messages": [message]}
        body |= {"contacts": contacts} if contacts and self.profile_name else {}
        return body | ({"recipient_id": self.recipient_id} if self.recipient_id else {})


class LineReport(Report, frozen=True, kw_only=True):
    """Tell of a run, or write a text, to people on LINE."""

    type_name: ClassVar[str] = "line.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.line.LineExecution",
        "io.kestra.plugin.line.LineExecution",
    )
    service: ClassVar[str] = "LINE"
    example: ClassVar[dict[str, object]] = {
        "channelAccessToken": "{{ secret('LINE_TOKEN') }}",
        "recipientIds": ["U123"],
        "executionId": "{{ trigger.executionId }}",
    }

    channel_access_token: Annotated[Secret, Meta(description="The channel's token.")]
    recipient_ids: Annotated[list[str], Meta(description="Ids of those who are written to.")]
    url: Annotated[str, Meta(description="Address of the service.")] = LINE
    text_body: Annotated[str, Meta(description="What is written instead of the account.")] = ""

    def headers(self) -> dict[str, str]:
        """Who writes."""
        return {"Authorization": f"Bearer {self.channel_access_token!s}"}

    def run(self, context: Context) -> None:
        """Send it to each."""
        if not self.recipient_ids:
            raise TaskFailed("There is nobody to write to: recipientIds is empty.")
        text = cut(self.text_body or self.text(self.told(context)), MOST_LINE)
        for one in self.recipient_ids:
            self.post(context, self.url, {"to": one, "messages": [{"type": "text", "text": text}]})


def _bot(endpoint: str, token: str) -> str:
    return f"{(endpoint or TELEGRAM).rstrip('/')}/bot{token}/sendMessage"
