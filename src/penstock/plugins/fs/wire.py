"""How does a flow send bytes to a port, by TCP or UDP?"""

from __future__ import annotations

import base64
import binascii
import socket
from typing import Annotated, ClassVar, Final

from msgspec import Meta, field

from penstock.sdk.context import Context
from penstock.sdk.launch import is_stored
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Duration

LARGEST: Final = 65_507


class Send(TaskType, frozen=True, kw_only=True):
    """Send a text or a stored file to a port, by TCP."""

    type_name: ClassVar[str] = "tcp.send"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.tcp.Send",)
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"sentBytes": "How many bytes went out."}
    example: ClassVar[dict[str, object]] = {"host": "printer.example.org", "port": 9100, "payload": "Hello\n"}

    host: Annotated[str, Meta(description="The machine.")]
    port: Annotated[int, Meta(description="Its port.")]
    payload: Annotated[str, Meta(description="The text, or the address of a stored file.")] = ""
    from_: Annotated[str, Meta(description="The same.")] = field(name="from", default="")
    encoding: Annotated[str, Meta(description="How the text is bytes: a charset, or BASE64.")] = "UTF-8"
    timeout_: Annotated[Duration, Meta(description="How long to wait.", extra={"unit": "ISO-8601, or seconds"})] = (
        field(name="socketTimeout", default=Duration(10_000_000))
    )

    def run(self, context: Context) -> dict[str, object]:
        """Send it."""
        data = self.data(context)
        try:
            with socket.create_connection((self.host, self.port), self.timeout_.seconds) as wire:
                wire.sendall(data)
        except OSError as error:
            raise TaskFailed(f"{self.host}:{self.port}: {error}.") from error
        return {"sentBytes": len(data)}

    def data(self, context: Context) -> bytes:
        """The bytes to send."""
        text = self.from_ or self.payload
        if is_stored(text.strip()):
            return context.fetch(text.strip()).read_bytes()
        try:
            if self.encoding.upper() == "BASE64":
                return base64.b64decode(text, validate=True)
            return text.encode(self.encoding)
        except (binascii.Error, LookupError, UnicodeEncodeError) as error:
            raise TaskFailed(f"The text is no {self.encoding}: {error}.") from None


class SendDatagram(Send, frozen=True, kw_only=True):
    """Send a text or a stored file to a port, by UDP, in one piece."""

    type_name: ClassVar[str] = "udp.send"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.udp.Send",)
    example: ClassVar[dict[str, object]] = {"host": "metrics.example.org", "port": 8125, "payload": "orders:1|c"}

    def run(self, context: Context) -> dict[str, object]:
        """Send it."""
        data = self.data(context)
        if len(data) > LARGEST:
            raise TaskFailed(f"A datagram has at most {LARGEST} bytes; these are {len(data)}.")
        try:
            kind = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[0]
            with socket.socket(kind[0], kind[1]) as wire:
                wire.sendto(data, kind[4])
        except OSError as error:
            raise TaskFailed(f"{self.host}:{self.port}: {error}.") from error
        return {"sentBytes": len(data)}
