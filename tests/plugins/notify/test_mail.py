"""Is mail sent through real servers, however they are spoken to, and refused with a sentence?"""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told
from penstock.testing import Harness
from tests.plugins.notify.services import certified, posting

PLAIN = {"transportStrategy": "SMTP", "host": "localhost", "from": "Penstock <p@example.org>", "to": "a@example.org"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certified(tmp_path_factory.mktemp("certificate"))


def message(told: Told) -> str:
    assert told.failure is not None
    return str(told.failure["message"])


@pytest.mark.parametrize(
    ("way", "strategy", "encrypted"),
    [("plain", "SMTP", False), ("starttls", "SMTP_TLS", True), ("starttls", "SMTP", True), ("tls", "SMTPS", True)],
)
def test_a_mail_goes_through_every_kind_of_server(
    local: LocalContext,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    strategy: str,
    encrypted: bool,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with posting(way, certificate) as (post, port):
        told = local.run(
            "io.kestra.plugin.notifications.mail.MailSend",
            {**PLAIN, "port": port, "transportStrategy": strategy, "username": "ann", "password": "hunter22",
             "to": "Bob <b@example.org>; c@example.org", "cc": ["d@example.org"], "bcc": "e@example.org",
             "subject": "Größe", "htmlTextContent": "<p>hi</p>", "plainTextContent": "hi"},
        )  # fmt: skip

    assert told.outcome is Outcome.DONE, told.failure
    one = post.received[0]
    assert (one.sender, post.encrypted) == ("p@example.org", [encrypted])
    assert one.people == ["b@example.org", "c@example.org", "d@example.org", "e@example.org"]
    assert (one.mail["Subject"], one.mail["Cc"], one.mail["Bcc"]) == ("Größe", "d@example.org", None)
    assert [part.get_content_type() for part in one.mail.iter_parts()] == ["text/plain", "text/html"]
    assert "hunter22" not in repr(told)


def test_files_go_along_and_pictures_into_the_page(local: LocalContext, certificate: tuple[Path, Path]) -> None:
    rows, ship = local.put("a,b\n", "x.csv"), local.put(b"\x89PNG", "ship.png")
    with posting("plain", certificate) as (post, port):
        told = local.run(
            "mail.send",
            {**PLAIN, "port": port, "htmlTextContent": '<img src="cid:ship.png">',
             "attachments": f'[{{"uri": "{rows}", "name": "x.csv", "contentType": "text/csv"}}]',
             "embeddedImages": [{"uri": ship, "name": "ship.png"}]},
        )  # fmt: skip

    assert told.outcome is Outcome.DONE, told.failure
    mail = post.received[0].mail
    attached = {part.get_filename(): part for part in mail.walk() if part.get_filename()}
    assert attached["x.csv"].get_content_type() == "text/csv"
    assert attached["x.csv"].get_payload(decode=True) == b"a,b\n"
    assert (attached["ship.png"].get_content_type(), attached["ship.png"]["Content-ID"]) == ("image/png", "<ship.png>")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"username": "ann", "password": "wrong"}, "does not let ann in (535)"),
        ({"to": "nobody@example.org"}, "takes no mail for nobody@example.org"),
        ({"to": ""}, "names no address"),
        ({"subject": "a\nBcc: x@example.org"}, "cannot be written"),
        ({"transportStrategy": "SMTP_TLS"}, "STARTTLS"),
    ],
)
def test_what_a_server_does_not_take_is_told(
    local: LocalContext, certificate: tuple[Path, Path], wrong: dict[str, object], sentence: str
) -> None:
    with posting("plain", certificate) as (post, port):
        told = local.run("mail.send", {**PLAIN, "port": port, "plainTextContent": "hi", **wrong})

    assert sentence in message(told)
    assert not post.received


def test_a_server_whose_certificate_nobody_knows_is_not_believed(
    local: LocalContext, certificate: tuple[Path, Path]
) -> None:
    with posting("tls", certificate) as (post, port):
        told = local.run("mail.send", {**PLAIN, "port": port, "transportStrategy": "SMTPS", "plainTextContent": "x"})

    assert "certificate" in message(told).lower()
    assert not post.received


def test_an_account_of_a_run_is_sent_as_page_and_text(certificate: tuple[Path, Path]) -> None:
    flow = """
id: nightly
namespace: shop
tasks:
  - {{id: load, type: fail, errorMessage: "no <rows> arrived"}}
errors:
  - id: tell
    type: io.kestra.plugin.email.MailExecution
    host: localhost
    port: {port}
    transportStrategy: SMTP
    from: p@example.org
    to: [a@example.org]
    customMessage: Have a look.
"""
    with posting("plain", certificate) as (post, port), Harness() as harness:
        harness.run(flow.format(port=port)).assert_status("failed")

    mail = post.received[0].mail
    text, page = (part.get_content() for part in mail.iter_parts())
    assert mail["Subject"] == "[shop.nightly] FAILED"
    assert "Why: no <rows> arrived" in text
    assert "no &lt;rows&gt; arrived" in page
