"""What have HTTP tasks in common? Address, method, headers, body, time limits, who asks, what counts as failure."""

from __future__ import annotations

import enum
import uuid
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Meta, field

from penstock.errors.task import NotOffered
from penstock.plugins.http.client import Sending, basic, header
from penstock.sdk.context import Context
from penstock.sdk.launch import is_stored
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Duration, Secret, Size

SECONDS: Final = {"unit": "ISO-8601, or seconds"}
READ: Final = Duration(10_000_000)


class Auth(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Who asks: a name and a password, or a token."""

    type: Annotated[str, Meta(description="BASIC or BEARER.")] = "BASIC"
    username: Annotated[str, Meta(description="Who asks.")] = ""
    password: Annotated[Secret, Meta(description="The password.")] = Secret("")
    token: Annotated[Secret, Meta(description="The token of BEARER.")] = Secret("")


class Timeouts(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How long to wait."""

    connect_timeout: Annotated[Duration | None, Meta(description="For the connection.", extra=SECONDS)] = None
    read_idle_timeout: Annotated[Duration | None, Meta(description="For the next bytes.", extra=SECONDS)] = None


class Ssl(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How certificates are looked at."""

    insecure_trust_all_certificates: Annotated[bool, Meta(description="Whether any certificate will do.")] = False


class Proxy(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The way out."""

    address: Annotated[str, Meta(description="Host of the proxy.")]
    port: Annotated[int, Meta(description="Its port.")] = 3128
    username: Annotated[str, Meta(description="Who asks.")] = ""
    password: Annotated[Secret, Meta(description="The password.")] = Secret("")
    type: Annotated[str, Meta(description="HTTP; no other kind is spoken.")] = "HTTP"

    @property
    def url(self) -> str:
        """Its address with who asks, not to be shown; empty when the way is direct."""
        match self.type.upper():
            case "DIRECT":
                return ""
            case "HTTP":
                login = (
                    f"{quote(self.username, safe='')}:{quote(str(self.password), safe='')}@" if self.username else ""
                )
                return f"http://{login}{self.address}:{self.port}"
            case _:
                raise NotOffered(f'A proxy of type "{self.type}" is not spoken; HTTP is.')


class Options(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How the request is sent."""

    connect_timeout: Annotated[Duration | None, Meta(description="How long to connect.", extra=SECONDS)] = None
    read_timeout: Annotated[Duration, Meta(description="How long to wait for bytes.", extra=SECONDS)] = READ
    read_idle_timeout: Annotated[Duration | None, Meta(description="As readTimeout.", extra=SECONDS)] = None
    connection_pool_idle_timeout: Annotated[
        Duration | None, Meta(description="Read and not used: a task keeps no connection.", extra=SECONDS)
    ] = None
    timeout: Annotated[Timeouts | None, Meta(description="The same in one place.")] = None
    max_content_length: Annotated[
        Size, Meta(description="Largest answer that a request takes.", extra={"unit": "bytes, or 10 MiB"})
    ] = Size(10 * 1024 * 1024)
    default_charset: Annotated[str, Meta(description="Of an answer that does not say.")] = "utf-8"
    follow_redirects: Annotated[bool, Meta(description="Whether redirects are followed.")] = True
    allow_failed: Annotated[bool, Meta(description="Whether a status of 400 and above is no failure.")] = False
    allowed_response_codes: Annotated[
        list[int], Meta(description="Statuses that are no failure, besides those below 400.", examples=[[404]])
    ] = []
    basic_auth_user: Annotated[str, Meta(description="Who asks.")] = ""
    basic_auth_password: Annotated[Secret, Meta(description="The password.")] = Secret("")
    auth: Annotated[Auth | None, Meta(description="Who asks, in one place.")] = None
    ssl: Annotated[Ssl | None, Meta(description="How certificates are looked at.")] = None
    proxy: Annotated[Proxy | None, Meta(description="The way out.")] = None
    proxy_address: Annotated[str, Meta(description="Host of the proxy.")] = ""
    proxy_port: Annotated[int, Meta(description="Its port.")] = 3128
    proxy_username: Annotated[str, Meta(description="Who asks the proxy.")] = ""
    proxy_password: Annotated[Secret, Meta(description="The proxy's password.")] = Secret("")
    proxy_type: Annotated[str, Meta(description="HTTP; no other kind is spoken.")] = "HTTP"
    log_level: Annotated[str, Meta(description="Read and not used.")] = ""


class Method(enum.StrEnum):
    """The verbs."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"
    TRACE = "TRACE"


class HttpTask(TaskType, frozen=True, kw_only=True):
    """What every HTTP task declares."""

    mode: ClassVar[Mode] = Mode.WARM
    needs_body: ClassVar[bool] = False

    uri: Annotated[str, Meta(description="The address.", examples=["https://example.org/data.csv"])]
    method: Annotated[Method, Meta(description="The verb.")] = Method.GET
    headers: Annotated[dict[str, str], Meta(description="Headers.")] = field(default_factory=dict)
    params: Annotated[dict[str, object], Meta(description="Parameters added to the address.")] = field(
        default_factory=dict
    )
    body: Annotated[
        str | dict[str, object] | list[object] | None, Meta(description="The body; a map or a list is sent as JSON.")
    ] = None
    form_data: Annotated[
        dict[str, object],
        Meta(description="Fields of a form; a stored file's address, or {name, content}, is a file."),
    ] = field(default_factory=dict)
    content_type: Annotated[str, Meta(description="What the body is.", examples=["application/json"])] = ""
    options: Annotated[Options, Meta(description="How the request is sent.")] = Options()
    ssl_options: Annotated[Ssl | None, Meta(description="How certificates are looked at.")] = None
    allow_failed: Annotated[bool, Meta(description="Whether a status of 400 and above is no failure.")] = False

    def sending(self, context: Context) -> Sending:
        """The request to send."""
        options = self.options
        times = options.timeout or Timeouts(
            connect_timeout=options.connect_timeout, read_idle_timeout=options.read_idle_timeout or options.read_timeout
        )
        body, kind = self._content(context)
        headers = {"User-Agent": "penstock", "Accept": "*/*", **self._who(), **self.headers}
        if body is not None and not header(headers, "content-type"):
            headers["Content-Type"] = kind
        if context.about.traceparent and not header(headers, "traceparent"):
            headers["traceparent"] = context.about.traceparent
        ssl = self.ssl_options or options.ssl or Ssl()
        query = urlencode(self.params, doseq=True)
        return Sending(
            method=self.method.value,
            uri=self.uri + (("&" if "?" in self.uri else "?") + query if query else ""),
            headers=headers,
            body=body,
            connect_timeout=_seconds(times.connect_timeout),
            read_timeout=_seconds(times.read_idle_timeout) or READ.seconds,
            follow=options.follow_redirects,
            verify=not ssl.insecure_trust_all_certificates,
            proxy=self._proxy(),
        )

    def accepts(self, code: int) -> bool:
        """Whether a status is no failure."""
        return (
            code < 400 or self.allow_failed or self.options.allow_failed or code in self.options.allowed_response_codes
        )

    def _who(self) -> dict[str, str]:
        auth = self.options.auth
        if auth and auth.type.upper() == "BEARER":
            return {"Authorization": f"Bearer {auth.token!s}"}
        user = auth.username if auth else self.options.basic_auth_user
        password = auth.password if auth else self.options.basic_auth_password
        return {"Authorization": basic(user, str(password))} if user else {}

    def _proxy(self) -> str:
        options = self.options
        proxy = options.proxy
        if proxy is None and options.proxy_address:
            proxy = Proxy(
                address=options.proxy_address,
                port=options.proxy_port,
                username=options.proxy_username,
                password=options.proxy_password,
                type=options.proxy_type,
            )
        return proxy.url if proxy else ""

    def _content(self, context: Context) -> tuple[bytes | Path | None, str]:
        if self.form_data:
            return self._form(context)
        match self.body:
            case None:
                return None, ""
            case str() as text if is_stored(text.strip()):
                return context.fetch(text.strip()), self.content_type or "application/octet-stream"
            case str() as text:
                return text.encode(), self.content_type or _kind_of(text)
            case other:
                return msgspec.json.encode(other), self.content_type or "application/json"

    def _form(self, context: Context) -> tuple[bytes | Path, str]:
        parts = self.form_data
        files = any(
            isinstance(value, dict) or (isinstance(value, str) and is_stored(value)) for value in parts.values()
        )
        if not files and not self.content_type.lower().startswith("multipart/"):
            return urlencode(parts, doseq=True).encode(), self.content_type or "application/x-www-form-urlencoded"
        boundary = uuid.uuid4().hex
        path = context.workdir / f"form-{boundary}"
        with path.open("wb") as target:
            for name, value in parts.items():
                target.write(_part(name, value, boundary, context))
            target.write(f"--{boundary}--\r\n".encode())
        return path, f"multipart/form-data; boundary={boundary}"


def _part(name: str, value: object, boundary: str, context: Context) -> bytes:
    said = f'--{boundary}\r\nContent-Disposition: form-data; name="{_safe(name)}"'
    content, file = value, ""
    if isinstance(value, dict):
        content, file = value.get("content", ""), str(value.get("name", "file"))
    if isinstance(content, str) and is_stored(content):
        path = context.fetch(content)
        file = file or path.name
        data = path.read_bytes()
    else:
        data = str(content).encode()
    if file:
        said += f'; filename="{_safe(file)}"\r\nContent-Type: application/octet-stream'
    return f"{said}\r\n\r\n".encode() + data + b"\r\n"


def _safe(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _kind_of(text: str) -> str:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return "text/plain; charset=utf-8"
    return "application/json"


def _seconds(span: Duration | None) -> float | None:
    return None if span is None else span.seconds


def fail(task: HttpTask, code: int, told: dict[str, Any], where: str) -> None:
    """Raise TaskFailed for a status that counts as one; what came back is kept as outputs."""
    raise TaskFailed(f"{task.method.value} {where} answered {code}.", outputs=told)
