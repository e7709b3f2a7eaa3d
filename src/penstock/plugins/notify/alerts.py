"""How does a flow wake whoever is on duty? Through PagerDuty, Opsgenie, Zenduty or Squadcast."""

from __future__ import annotations

import enum
from typing import Annotated, ClassVar

from msgspec import Meta, field

from penstock.plugins.notify.accounts import Told, cut
from penstock.plugins.notify.webhook import HookReport, Incoming
from penstock.sdk.values import Secret

MOST_SUMMARY = 1024
MOST_MESSAGE = 130
GENIE = "Key of the API, with or without `GenieKey` before it."
RESPONDERS = "Who answers: id → team, user, escalation or schedule."


class PagerDutySend(Incoming, frozen=True, kw_only=True):
    """Send an event to PagerDuty."""

    type_name: ClassVar[str] = "pagerduty.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.pagerduty.PagerDutyAlert",
        "io.kestra.plugin.pagerduty.PagerDutyAlert",
    )
    service: ClassVar[str] = "PagerDuty"
    example: ClassVar[dict[str, object]] = {
        "url": "https://events.pagerduty.com/v2/enqueue",
        "payload": {
            "routing_key": "{{ secret('PAGERDUTY_KEY') }}",
            "event_action": "trigger",
            "payload": {"summary": "No rows arrived", "source": "{{ flow.id }}", "severity": "error"},
        },
    }


class PagerDutyReport(HookReport, frozen=True, kw_only=True):
    """Tell of a run by an event of PagerDuty."""

    type_name: ClassVar[str] = "pagerduty.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.pagerduty.PagerDutyExecution",
        "io.kestra.plugin.pagerduty.PagerDutyExecution",
    )
    service: ClassVar[str] = "PagerDuty"
    example: ClassVar[dict[str, object]] = {
        "url": "https://events.pagerduty.com/v2/enqueue",
        "routingKey": "{{ secret('PAGERDUTY_KEY') }}",
        "executionId": "{{ trigger.executionId }}",
    }

    routing_key: Annotated[Secret, Meta(description="Key of the integration.")] = Secret("")
    deduplication_key: Annotated[str, Meta(description="Events of one key are one alert; the flow's unless given.")] = (
        ""
    )
    event_action: Annotated[str, Meta(description="trigger, acknowledge or resolve.")] = "trigger"
    payload_summary: Annotated[str, Meta(description="The alert's title; flow and state unless given.")] = ""

    def account(self, told: Told) -> dict[str, object]:
        """An event with the lines as details."""
        return {
            "routing_key": str(self.routing_key),
            "event_action": self.event_action,
            "dedup_key": self.deduplication_key or told.name,
            "client": "penstock",
            "payload": {
                "summary": cut(self.payload_summary or self.custom_message or told.title, MOST_SUMMARY),
                "source": told.name,
                "severity": "info" if told.state == "SUCCESS" else "warning" if told.good else "error",
                "timestamp": told.start,
                "custom_details": self.lines(told),
            },
        }


class OpsgenieSend(Incoming, frozen=True, kw_only=True):
    """Send an alert to Opsgenie."""

    type_name: ClassVar[str] = "opsgenie.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.opsgenie.OpsgenieAlert",
        "io.kestra.plugin.opsgenie.OpsgenieAlert",
    )
    service: ClassVar[str] = "Opsgenie"
    example: ClassVar[dict[str, object]] = {
        "url": "https://api.opsgenie.com/v2/alerts",
        "authorizationToken": "{{ secret('OPSGENIE_KEY') }}",
        "payload": {"message": "No rows arrived", "alias": "{{ flow.id }}", "priority": "P2"},
    }

    authorization_token: Annotated[Secret, Meta(description=GENIE)] = Secret("")

    def headers(self) -> dict[str, str]:
        """Who asks."""
        return _genie(str(self.authorization_token))

    def plain(self, text: str) -> dict[str, object]:
        """The text as the alert's message."""
        return {"message": cut(text, MOST_MESSAGE), "description": text}


class OpsgenieReport(HookReport, frozen=True, kw_only=True):
    """Tell of a run by an alert of Opsgenie."""

    type_name: ClassVar[str] = "opsgenie.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.opsgenie.OpsgenieExecution",
        "io.kestra.plugin.opsgenie.OpsgenieExecution",
    )
    service: ClassVar[str] = "Opsgenie"
    example: ClassVar[dict[str, object]] = {
        "url": "https://api.opsgenie.com/v2/alerts",
        "authorizationToken": "{{ secret('OPSGENIE_KEY') }}",
        "responders": {"4513b7ea-3b91-438f-b7e4-e3e54af9147c": "team"},
        "priority": "P1",
    }

    authorization_token: Annotated[Secret, Meta(description=GENIE)] = Secret("")
    message: Annotated[str, Meta(description="The alert's title; flow and state unless given.")] = ""
    alias: Annotated[str, Meta(description="Alerts of one alias are one; the flow's name unless given.")] = ""
    responders: Annotated[dict[str, str], Meta(description=RESPONDERS)] = field(default_factory=dict)
    visible_to: Annotated[dict[str, str], Meta(description="Who sees it: id → team or user.")] = field(
        default_factory=dict
    )
    tags: Annotated[list[str], Meta(description="Words to find it by.")] = field(default_factory=list)
    priority: Annotated[str, Meta(description="P1 to P5.")] = ""

    def headers(self) -> dict[str, str]:
        """Who asks."""
        return _genie(str(self.authorization_token))

    def account(self, told: Told) -> dict[str, object]:
        """An alert with the lines as details."""
        body: dict[str, object] = {
            "message": cut(self.message or told.title, MOST_MESSAGE),
            "alias": self.alias or told.name,
            "description": cut(self.text(told), 15_000),
            "details": self.lines(told),
            "responders": [{"id": one, "type": kind} for one, kind in self.responders.items()],
            "visibleTo": [{"id": one, "type": kind} for one, kind in self.visible_to.items()],
            "tags": self.tags,
            "priority": self.priority,
            "source": "penstock",
        }
        return {name: value for name, value in body.items() if value}


class AlertType(enum.StrEnum):
    """How bad it is, in Zenduty's words."""

    CRITICAL = "CRITICAL"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RESOLVED = "RESOLVED"
    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"


class ZendutySend(Incoming, frozen=True, kw_only=True):
    """Send an alert to Zenduty."""

    type_name: ClassVar[str] = "zenduty.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.zenduty.ZendutyAlert",
        "io.kestra.plugin.zenduty.ZendutyAlert",
    )
    service: ClassVar[str] = "Zenduty"
    example: ClassVar[dict[str, object]] = {
        "url": "https://www.zenduty.com/api/events/{{ secret('ZENDUTY_KEY') }}/",
        "payload": {"alert_type": "error", "message": "No rows arrived", "summary": "{{ flow.id }} has no rows"},
    }

    def plain(self, text: str) -> dict[str, object]:
        """The text as the alert's message."""
        return {"alert_type": "info", "message": text, "summary": text}


class ZendutyReport(HookReport, frozen=True, kw_only=True):
    """Tell of a run by an alert of Zenduty."""

    type_name: ClassVar[str] = "zenduty.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.zenduty.ZendutyExecution",
        "io.kestra.plugin.zenduty.ZendutyExecution",
    )
    service: ClassVar[str] = "Zenduty"
    example: ClassVar[dict[str, object]] = {
        "url": "https://www.zenduty.com/api/events/{{ secret('ZENDUTY_KEY') }}/",
        "executionId": "{{ trigger.executionId }}",
    }

    message: Annotated[str, Meta(description="The alert's title; flow and state unless given.")] = ""
    summary: Annotated[str, Meta(description="Its text; the account unless given.")] = ""
    alert_type: Annotated[AlertType | None, Meta(description="How bad it is; as the run ended unless given.")] = None
    entity_id: Annotated[str, Meta(description="Alerts of one id are one; the run's id unless given.")] = ""
    urls: Annotated[list[str], Meta(description="Addresses that belong to it.")] = field(default_factory=list)

    def account(self, told: Told) -> dict[str, object]:
        """An alert with the lines as its payload."""
        kind = self.alert_type.value if self.alert_type else "info" if told.good else "error"
        return {
            "message": self.message or told.title,
            "summary": self.summary or self.text(told),
            "alert_type": kind.lower(),
            "entity_id": self.entity_id or told.id,
            "payload": self.lines(told),
            "urls": [{"link_url": one, "link_text": one} for one in self.urls],
        }


class SquadcastSend(Incoming, frozen=True, kw_only=True):
    """Send an alert to Squadcast."""

    type_name: ClassVar[str] = "squadcast.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.squadcast.SquadcastIncomingWebhook",
        "io.kestra.plugin.squadcast.SquadcastIncomingWebhook",
    )
    service: ClassVar[str] = "Squadcast"
    example: ClassVar[dict[str, object]] = {
        "url": "{{ secret('SQUADCAST_WEBHOOK') }}",
        "payload": {"message": "No rows arrived", "description": "{{ flow.id }} has no rows"},
    }

    def plain(self, text: str) -> dict[str, object]:
        """The text as the alert's message."""
        return {"message": text, "description": text}


def _genie(token: str) -> dict[str, str]:
    if not token:
        return {}
    return {"Authorization": token if " " in token.strip() else f"GenieKey {token.strip()}"}
