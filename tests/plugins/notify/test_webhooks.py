"""Does each service get the message as it wants it, and does nobody read an address that is a secret?"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told
from penstock.testing import Harness
from tests.plugins.notify.services import Planned, Service, serving

TEXT = "The day is loaded."
REPORTS = [
    "slack.SlackExecution", "zulip.ZulipExecution", "teams.TeamsExecution", "discord.DiscordExecution",
    "google.GoogleChatExecution", "pagerduty.PagerDutyExecution", "opsgenie.OpsgenieExecution",
    "zenduty.ZendutyExecution", "whatsapp.WhatsAppExecution",
]  # fmt: skip
FLOW = """
id: nightly
namespace: shop
tasks:
  - id: load
    type: fail
    errorMessage: no rows arrived
errors:
  - id: tell
    type: {type}
    customMessage: Have a look.
    customFields: {{team: data}}
{rest}
"""


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as opened:
        yield opened


def sent(local: LocalContext, service: Service, kind: str, properties: dict[str, object]) -> Any:
    told = local.run(kind, properties)
    assert told.outcome is Outcome.DONE, told.failure
    return service.posted[-1].json


def message(told: Told) -> str:
    assert told.failure is not None
    return str(told.failure["message"])


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("slack.send", {"text": TEXT}),
        ("zulip.send", {"text": TEXT}),
        ("google_chat.send", {"text": TEXT}),
        ("discord.send", {"content": TEXT}),
        ("opsgenie.send", {"message": TEXT, "description": TEXT}),
        ("zenduty.send", {"alert_type": "info", "message": TEXT, "summary": TEXT}),
        ("squadcast.send", {"message": TEXT, "description": TEXT}),
        ("whatsapp.send", {"messaging_product": "whatsapp", "type": "text", "text": {"body": TEXT}}),
    ],
)
def test_a_text_is_sent_in_the_services_own_words(
    local: LocalContext, service: Service, kind: str, body: object
) -> None:
    assert sent(local, service, kind, {"url": service.url, "messageText": TEXT}) == body


@pytest.mark.parametrize("payload", [{"text": TEXT}, json.dumps({"text": TEXT})])
def test_a_payload_is_sent_as_it_is(local: LocalContext, service: Service, payload: object) -> None:
    kind = "io.kestra.plugin.notifications.slack.SlackIncomingWebhook"
    properties = {"url": f"{service.url}/services/T/B", "payload": payload, "options": {"headers": {"X-Env": "prod"}}}

    assert sent(local, service, kind, properties) == {"text": TEXT}
    assert service.posted[0].path == "/services/T/B"
    assert service.posted[0].headers["content-type"] == "application/json"
    assert service.posted[0].headers["x-env"] == "prod"


def test_without_payload_and_text_there_is_nothing_to_send(local: LocalContext) -> None:
    assert "nothing to send" in message(local.run("slack.send", {"url": "http://127.0.0.1:1"}))


def test_a_payload_that_is_no_json_is_sent_all_the_same_and_said(local: LocalContext, service: Service) -> None:
    told = local.run("pagerduty.send", {"url": service.url, "payload": '{"a": 1,}'})

    assert told.outcome is Outcome.DONE
    assert "no JSON" in told.logs[0].message
    assert service.posted[0].body == b'{"a": 1,}'


@pytest.mark.parametrize(
    "busy",
    [
        Planned(429, b"", {"Retry-After": "0.01"}),
        Planned(429, b'{"retry_after": 0.01}'),
        Planned(429, b'{"ok": false, "parameters": {"retry_after": 0.01}}'),
        Planned(503, b"", {"Retry-After": "0"}),
    ],
)
def test_a_busy_service_is_asked_again_when_it_says(local: LocalContext, service: Service, busy: Planned) -> None:
    service.planned = [busy, busy]

    told = local.run("slack.send", {"url": service.url, "messageText": TEXT})

    assert told.outcome is Outcome.DONE
    assert len(service.posted) == 3
    assert [line.level for line in told.logs] == ["warn", "warn", "debug"]


def test_a_service_that_stays_busy_too_long_fails_the_task(local: LocalContext, service: Service) -> None:
    service.planned = [Planned(429, b"slow down", {"Retry-After": "3600"})]

    told = local.run("discord.send", {"url": f"{service.url}/api/webhooks/1/TOKEN", "messageText": TEXT})

    assert message(told) == "Discord answered 429: slow down."
    assert len(service.posted) == 1


def test_a_refusal_is_told_with_what_was_said_and_is_not_tried_again(local: LocalContext, service: Service) -> None:
    service.planned = [Planned(400, b"invalid_payload")]

    told = local.run("slack.send", {"url": f"{service.url}/services/T/SECRET", "messageText": TEXT})

    assert message(told) == "Slack answered 400: invalid_payload."
    assert "SECRET" not in repr(told)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/services/T/SECRET", "ftp://127.0.0.1/SECRET"])
def test_an_address_is_not_shown_when_nobody_answers(local: LocalContext, url: str) -> None:
    told = local.run("slack.send", {"url": url, "messageText": TEXT})

    assert message(told).startswith("Slack at 127.0.0.1: ")
    assert "SECRET" not in repr(told)


def test_a_proxy_is_told_any_password_and_nobody_else_is(local: LocalContext, service: Service) -> None:
    password = "p@ss:w/rd#%41?é"
    proxy = {"address": "127.0.0.1", "username": "me@shop", "password": password}
    given = {"url": "http://slack.test/services/T", "messageText": TEXT}
    port = int(service.url.rpartition(":")[2])

    through = local.run("slack.send", {**given, "options": {"proxy": {**proxy, "port": port}}})
    refused = local.run("slack.send", {**given, "options": {"proxy": {**proxy, "port": 1}}})
    other = local.run("slack.send", {**given, "options": {"proxy": {**proxy, "type": "SOCKS"}}})

    assert through.outcome is Outcome.DONE, through.failure
    said = service.posted[-1].headers["proxy-authorization"].removeprefix("Basic ")
    assert base64.b64decode(said).decode() == f"me@shop:{password}"
    assert service.posted[-1].path == "http://slack.test/services/T"
    assert "refused" in message(refused)
    assert "SOCKS" in message(other)
    assert not any(part in repr([through, refused, other]) for part in ("p@ss", "p%40ss"))


def test_teams_gets_the_card_that_its_address_knows(local: LocalContext, service: Service) -> None:
    body = sent(local, service, "teams.send", {"url": service.url, "messageText": TEXT})

    assert body["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert body["attachments"][0]["content"]["body"][0]["text"] == TEXT


def test_telegram_is_written_to_by_a_bot_whose_token_is_hidden(local: LocalContext, service: Service) -> None:
    bot: dict[str, object] = {"token": "1:SECRET", "channel": "@data", "payload": TEXT, "endpointOverride": service.url}

    assert sent(local, service, "telegram.send", bot) == {"chat_id": "@data", "text": TEXT}
    assert service.posted[0].path == "/bot1:SECRET/sendMessage"
    service.planned = [Planned(401, b'{"ok":false,"description":"Unauthorized"}')]
    assert "SECRET" not in repr(local.run("telegram.send", bot))


@pytest.mark.parametrize(("token", "header"), [("key", "GenieKey key"), ("GenieKey key", "GenieKey key"), ("", None)])
def test_opsgenie_knows_who_asks(local: LocalContext, service: Service, token: str, header: str | None) -> None:
    sent(local, service, "opsgenie.send", {"url": service.url, "messageText": TEXT, "authorizationToken": token})

    assert service.posted[0].headers.get("authorization") == header


def test_sentry_gets_an_envelope_at_the_projects_own_address(local: LocalContext, service: Service) -> None:
    dsn = service.url.replace("http://", "http://abc123@") + "/42"

    told = local.run("io.kestra.plugin.notifications.sentry.SentryAlert", {"dsn": dsn, "payload": {"level": "fatal"}})

    assert told.outcome is Outcome.DONE, told.failure
    posted = service.posted[0]
    head, item, event = (json.loads(line) for line in posted.body.decode().splitlines())
    assert posted.path == "/api/42/envelope/"
    assert "sentry_key=abc123" in posted.headers["x-sentry-auth"]
    assert len(head["event_id"]) == 32
    assert item == {"type": "event", "length": len(posted.body.splitlines()[2]), "content_type": "application/json"}
    assert (event["level"], event["platform"]) == ("fatal", "python")


def test_sentry_of_old_gets_the_event_alone(local: LocalContext, service: Service) -> None:
    dsn = service.url.replace("http://", "http://abc123@") + "/base/42"

    body = sent(local, service, "sentry.send", {"dsn": dsn, "endpointType": "STORE"})

    assert service.posted[0].path == "/base/api/42/store/"
    assert body["message"] == {"message": "Execution local failed"}


def test_twilio_takes_forms_from_whom_it_knows(local: LocalContext, service: Service) -> None:
    told = local.run(
        "twilio.send",
        {"url": service.url, "accountSID": "AC1", "authToken": "t", "payload": '{"identity": "7", "body": "hi you"}'},
    )

    assert told.outcome is Outcome.DONE, told.failure
    assert service.posted[0].body == b"Identity=7&Body=hi+you"
    assert service.posted[0].headers["authorization"] == "Basic QUMxOnQ="


def test_sendgrid_gets_a_mail_with_its_files(local: LocalContext, service: Service) -> None:
    uri = local.put("a,b\n", "x.csv")
    service.planned = [Planned(202)]

    told = local.run(
        "sendgrid.send",
        {
            "sendgridApiKey": "SG.key", "from": "a@example.org", "to": ["b@example.org"], "cc": ["c@example.org"],
            "subject": "s", "htmlTextContent": "<p>h</p>", "endpointOverride": service.url,
            "attachments": [{"uri": uri, "name": "x.csv", "contentType": "text/csv"}],
        },
    )  # fmt: skip

    assert told.outputs["statusCode"] == 202, told.failure
    body = service.posted[0].json
    assert body["personalizations"] == [
        {"to": [{"email": "b@example.org"}], "subject": "s", "cc": [{"email": "c@example.org"}]}
    ]
    assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
    assert body["attachments"][0] == {
        "content": "YSxiCg==", "filename": "x.csv", "disposition": "attachment", "type": "text/csv"
    }  # fmt: skip
    assert service.posted[0].headers["authorization"] == "Bearer SG.key"


@pytest.mark.parametrize("name", REPORTS)
def test_an_account_of_a_failed_run_says_what_failed_and_why(service: Service, name: str) -> None:
    flow = FLOW.format(type=f"io.kestra.plugin.notifications.{name}", rest=f"    url: {service.url}")

    with Harness() as harness:
        harness.run(flow).assert_status("failed")

    said = service.posted[0].body.decode()
    for part in ("shop.nightly", "FAILED", "load", "no rows arrived", "Have a look.", "data"):
        assert part in said


def test_what_an_account_looks_like_in_slack(service: Service) -> None:
    rest = f'    url: {service.url}\n    channel: "#data"\n    username: penstock\n    iconEmoji: ":ship:"'

    with Harness() as harness:
        harness.run(FLOW.format(type="slack.run", rest=rest)).assert_status("failed")

    body = service.posted[0].json
    attachment = body.pop("attachments")[0]
    assert body == {
        "text": "[shop.nightly] FAILED", "channel": "#data", "username": "penstock", "icon_emoji": ":ship:"
    }  # fmt: skip
    fields = {each["title"]: each["value"] for each in attachment["fields"]}
    assert (attachment["color"], attachment["text"]) == ("#e01e5a", "Have a look.")
    assert fields["Failed task"] == "load"
    assert fields["team"] == "data"


def test_an_account_of_another_run_is_told_by_its_id(service: Service) -> None:
    with Harness() as harness:
        other = harness.run("id: day\nnamespace: shop\ntasks:\n  - {id: hi, type: log, message: hi}\n")
        tell = "id: teller\nnamespace: shop\ntasks:\n  - {{id: t, type: discord.run, url: '{}', executionId: {}}}\n"
        harness.run(tell.format(service.url, other.id)).assert_status("success")
        harness.run(tell.format(service.url, "no-such-run")).assert_status("failed")

    embed = service.posted[0].json["embeds"][0]
    assert (embed["title"], embed["color"]) == ("[shop.day] SUCCESS", 0x2EB67D)
    assert len(service.posted) == 1


@pytest.mark.parametrize(
    ("kind", "rest", "where"),
    [
        ("telegram.run", "token: t, channel: c, endpointOverride", "text"),
        ("line.run", "channelAccessToken: t, recipientIds: [U1], url", "messages"),
        ("sentry.run", "dsn", "message"),
        ("twilio.run", "accountSID: a, authToken: b, identity: me, url", "Body"),
        ("sendgrid.run", "sendgridApiKey: k, from: a@b.c, to: [d@e.f], endpointOverride", "content"),
    ],
)
def test_accounts_go_to_services_without_webhooks_too(service: Service, kind: str, rest: str, where: str) -> None:
    url = service.url if kind != "sentry.run" else service.url.replace("http://", "http://key@") + "/1"
    flow = FLOW.format(type=kind, rest="".join(f"    {each}\n" for each in f"{rest}: {url}".split(", ")))

    with Harness() as harness:
        harness.run(flow).assert_status("failed")

    said = service.posted[0].body.decode()
    assert where in said
    assert "nightly" in said
