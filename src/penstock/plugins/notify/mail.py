"""How does a flow send mail? Through any mail server, with text, HTML, files, and pictures within the HTML."""

from __future__ import annotations

import enum
import html
import mimetypes
import smtplib
import ssl
from collections.abc import Iterator
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, getaddresses, make_msgid
from typing import Annotated, ClassVar, Final, cast

import msgspec
from msgspec import Meta, field

from penstock.plugins.notify import accounts
from penstock.plugins.notify.accounts import Told
from penstock.sdk.context import Context, Level
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Secret

PORTS: Final = {"SMTPS": 465, "SMTP_TLS": 587, "SMTP": 25}
SECURITY: Final = (
    "SMTPS: TLS from the first byte. SMTP_TLS: TLS before anything is said. SMTP: TLS where it is offered."
)
ADDRESSES: Final = "Addresses, a list or text with `;` or `,` between them."


class Transport(enum.StrEnum):
    """How the mail server is spoken to."""

    SMTPS = "SMTPS"
    SMTP_TLS = "SMTP_TLS"
    SMTP = "SMTP"


class Attachment(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A stored file that goes along."""

    uri: Annotated[str, Meta(description="Address of the stored file.")]
    name: Annotated[str, Meta(description="Its name in the mail.")]
    content_type: Annotated[str, Meta(description="What it is; guessed from the name unless given.")] = ""


class Mail(TaskType, frozen=True, kw_only=True):
    """What every mail declares."""

    mode: ClassVar[Mode] = Mode.WARM

    host: Annotated[str, Meta(description="The mail server.", examples=["mail.example.org"])]
    port: Annotated[int | None, Meta(description="Its port; 465, 587 or 25 by the way it is spoken to.")] = None
    username: Annotated[str, Meta(description="Who sends, for the server.")] = ""
    password: Annotated[Secret, Meta(description="The password.")] = Secret("")
    transport_strategy: Annotated[Transport, Meta(description=SECURITY)] = Transport.SMTPS
    session_timeout: Annotated[int, Meta(description="How long to wait for the server.", extra={"unit": "ms"})] = 10_000
    from_: Annotated[str, Meta(description="The sender's address.")] = field(name="from")
    to: Annotated[str | list[str], Meta(description=ADDRESSES)]
    cc: Annotated[str | list[str], Meta(description=ADDRESSES)] = ""
    bcc: Annotated[str | list[str], Meta(description=f"{ADDRESSES} Nobody else sees them.")] = ""
    reply_to: Annotated[str | list[str], Meta(description=f"Where answers go. {ADDRESSES}")] = ""
    subject: Annotated[str, Meta(description="What it is about.")] = ""
    attachments: Annotated[list[Attachment], Meta(description="Files that go along.")] = field(default_factory=list)
    embedded_images: Annotated[list[Attachment], Meta(description="Pictures that the HTML shows as `cid:NAME`.")] = (
        field(default_factory=list)
    )

    def send(self, context: Context, subject: str, plain: str, marked: str) -> None:
        """Send one mail; TaskFailed when the server does not take it."""
        message = self._message(context, subject, plain, marked)
        everyone = [*_addresses(self.to), *_addresses(self.cc), *_addresses(self.bcc)]
        where = f"The mail server {self.host}"
        try:
            with self._session() as session:
                refused = session.send_message(message, self._sender(), everyone)
        except smtplib.SMTPAuthenticationError as error:
            raise TaskFailed(f"{where} does not let {self.username} in ({error.smtp_code}).") from None
        except smtplib.SMTPResponseException as error:
            raise TaskFailed(f"{where} answered {error.smtp_code}: {_text(error.smtp_error)}") from None
        except smtplib.SMTPRecipientsRefused as error:
            raise TaskFailed(f"{where} takes no mail for {', '.join(error.recipients)}.") from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise TaskFailed(f"{where}: {error}") from None
        for address in refused:
            context.log(f"{where} takes no mail for {address}.", Level.WARN)
        context.log(f"Sent to {len(everyone) - len(refused)} addresses.", Level.DEBUG)

    def _session(self) -> smtplib.SMTP:
        strategy = self.transport_strategy
        port, patience = self.port or PORTS[strategy], self.session_timeout / 1000
        trust = ssl.create_default_context()
        if strategy is Transport.SMTPS:
            session: smtplib.SMTP = smtplib.SMTP_SSL(self.host, port, timeout=patience, context=trust)
        else:
            session = smtplib.SMTP(self.host, port, timeout=patience)
        try:
            session.ehlo()
            if strategy is Transport.SMTP_TLS or (strategy is Transport.SMTP and session.has_extn("starttls")):
                session.starttls(context=trust)
                session.ehlo()
            if self.username:
                session.login(self.username, str(self.password))
        except BaseException:
            session.close()
            raise
        return session

    def _sender(self) -> str:
        found = _addresses(self.from_)
        if not found:
            raise TaskFailed(f'"{self.from_}" is no address.')
        return found[0]

    def _message(self, context: Context, subject: str, plain: str, marked: str) -> EmailMessage:
        if not _addresses(self.to):
            raise TaskFailed("The mail has no recipient: `to` names no address.")
        message = EmailMessage()
        try:
            message["Subject"] = subject
            message["From"] = self.from_
            for name, given in (("To", self.to), ("Cc", self.cc), ("Reply-To", self.reply_to)):
                if _addresses(given):
                    message[name] = ", ".join(_written(given))
        except ValueError as error:
            raise TaskFailed(f"The mail cannot be written: {error}.") from None
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid("penstock", domain=Address(addr_spec=self._sender()).domain or None)
        message.set_content(plain or ("" if not marked else "Please view this email in a modern email client."))
        if marked:
            message.add_alternative(marked, subtype="html")
            page = cast("EmailMessage", list(message.iter_parts())[-1])
            for each in self.embedded_images:
                self._add(context, page, each, cid=f"<{each.name}>")
        for each in self.attachments:
            self._add(context, message, each)
        return message

    def _add(self, context: Context, to: EmailMessage, file: Attachment, cid: str = "") -> None:
        kind = file.content_type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        main, _, sub = kind.partition("/")
        content = context.fetch(file.uri).read_bytes()
        if cid:
            to.add_related(content, main, sub, cid=cid, filename=file.name)
        else:
            to.add_attachment(content, main, sub, filename=file.name)


class MailSend(Mail, frozen=True, kw_only=True):
    """Send a mail."""

    type_name: ClassVar[str] = "mail.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.mail.MailSend",
        "io.kestra.plugin.email.MailSend",
    )
    example: ClassVar[dict[str, object]] = {
        "host": "mail.example.org",
        "username": "{{ secret('MAIL_USER') }}",
        "password": "{{ secret('MAIL_PASSWORD') }}",
        "from": "penstock@example.org",
        "to": "team@example.org",
        "subject": "The day {{ inputs.day }} is loaded",
        "htmlTextContent": "<p>All is well.</p>",
    }

    html_text_content: Annotated[str, Meta(description="The text as HTML.")] = ""
    plain_text_content: Annotated[str, Meta(description="The text without marks, for readers who show no HTML.")] = ""

    def run(self, context: Context) -> None:
        """Send it."""
        self.send(context, self.subject, self.plain_text_content, self.html_text_content)


class MailReport(Mail, frozen=True, kw_only=True):
    """Tell of a run by mail."""

    type_name: ClassVar[str] = "mail.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.mail.MailExecution",
        "io.kestra.plugin.email.MailExecution",
    )
    example: ClassVar[dict[str, object]] = {
        "host": "mail.example.org",
        "from": "penstock@example.org",
        "to": ["team@example.org"],
        "executionId": "{{ trigger.executionId }}",
    }

    execution_id: Annotated[str, Meta(description="The run; this one unless given.")] = ""
    custom_message: Annotated[str, Meta(description="A sentence of your own.")] = ""
    custom_fields: Annotated[dict[str, object], Meta(description="Lines of your own: name and value.")] = field(
        default_factory=dict
    )

    def run(self, context: Context) -> None:
        """Send the account."""
        told = accounts.ask(context, self.execution_id)
        plain = accounts.text(told, self.custom_message, self.custom_fields)
        self.send(context, self.subject or told.title, plain, page(told, self.custom_message, self.custom_fields))


def page(told: Told, message: str, more: dict[str, object]) -> str:
    """An account of a run as HTML."""
    rows = "".join(
        f'<tr><th align="left">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>'
        for name, value in accounts.lines(told, more).items()
        if value
    )
    said = f"<p>{html.escape(message)}</p>" if message else ""
    return f'<h2 style="color:{told.colour}">{html.escape(told.title)}</h2>{said}<table cellpadding="4">{rows}</table>'


def _written(given: str | list[str]) -> Iterator[str]:
    """Addresses as they were written, with names."""
    for text in [given] if isinstance(given, str) else given:
        for name, address in getaddresses([text.replace(";", ",")]):
            if address:
                yield f'"{name}" <{address}>' if name else address


def _addresses(given: str | list[str]) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    return [address for _, address in getaddresses([text.replace(";", ",") for text in texts]) if address]


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
