"""How does a flow call an HTTP service, or fetch a file from one?"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, ClassVar, Final
from urllib.parse import unquote, urlsplit

from msgspec import Meta

from penstock.errors.task import NotOffered
from penstock.plugins.http.client import Reply, plain_uri, pour, read_all, sent
from penstock.plugins.http.options import HttpTask, fail
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed

ANSWERED: Final = {
    "uri": "The address that answered, after redirects.",
    "code": "The status.",
    "headers": "Headers of the answer: name in lower case → values.",
    "body": "The answer as text, not parsed.",
    "formData": "The form that was sent.",
}


class Request(HttpTask, frozen=True, kw_only=True):
    """Send an HTTP request and hand on the answer as text."""

    type_name: ClassVar[str] = "http.request"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.http.Request", "io.kestra.plugin.fs.http.Request")
    outputs: ClassVar[dict[str, str]] = ANSWERED
    example: ClassVar[dict[str, object]] = {
        "uri": "https://example.org/api/orders",
        "method": "POST",
        "body": {"day": "{{ inputs.day }}"},
    }

    encrypt_body: Annotated[
        bool, Meta(description="Not offered: an answer is not encrypted; secrets are masked in logs.")
    ] = False

    def run(self, context: Context) -> dict[str, object]:
        """Send it."""
        if self.encrypt_body:
            raise NotOffered("An answer cannot be encrypted here.", hint="Leave encryptBody out.")
        told = answered(self, context)
        code = int(str(told["code"]))
        if not self.accepts(code):
            fail(self, code, told, plain_uri(self.uri))
        return told


class Download(HttpTask, frozen=True, kw_only=True):
    """Fetch a file by HTTP and store it; memory does not grow with it."""

    type_name: ClassVar[str] = "http.download"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.http.Download", "io.kestra.plugin.fs.http.Download")
    outputs: ClassVar[dict[str, str]] = {
        "uri": "Address of the stored file.",
        "code": "The status.",
        "length": "Bytes in the file.",
        "headers": "Headers of the answer: name in lower case → values.",
    }
    example: ClassVar[dict[str, object]] = {"uri": "https://example.org/data.csv"}

    fail_on_empty_response: Annotated[bool, Meta(description="Whether an empty file is a failure.")] = True
    save_as: Annotated[str, Meta(description="The file's name; the answer's own unless given.")] = ""

    def run(self, context: Context) -> dict[str, object]:
        """Fetch it."""
        path = context.workdir / "download.out"
        with sent(self.sending(context)) as reply:
            told: dict[str, object] = {"code": reply.code, "headers": reply.headers}
            if not self.accepts(reply.code):
                fail(self, reply.code, told, plain_uri(self.uri))
            with path.open("wb") as target:
                length = pour(reply, target)
        if length == 0 and self.fail_on_empty_response:
            raise TaskFailed(f"GET {plain_uri(self.uri)} answered with an empty file.", outputs=told)
        context.metric("response.length", length)
        return {"uri": context.store(path, self.save_as or name_of(reply)), "length": length, **told}


def answered(task: HttpTask, context: Context) -> dict[str, object]:
    """Send a request, and tell what came back, whatever its status."""
    with sent(task.sending(context)) as reply:
        content = read_all(reply, int(task.options.max_content_length))
        told: dict[str, object] = {
            "uri": reply.uri,
            "code": reply.code,
            "headers": reply.headers,
            "body": text_of(content, reply.charset or task.options.default_charset),
        }
    if task.form_data:
        told["formData"] = task.form_data
    context.metric("response.length", len(content))
    return told


def name_of(reply: Reply) -> str:
    """A file's name as the answer gives it, or as its address ends; never a path."""
    said = reply.headers.get("content-disposition", [""])[0]
    match = re.search(r"filename\*=(?:[\w-]+)''([^;]+)", said) or re.search(r'filename="?([^";]+)"?', said)
    name = PurePosixPath(unquote(match[1]) if match else unquote(urlsplit(reply.uri).path)).name
    return name if name not in ("", ".", "..") else "download"


def text_of(content: bytes, charset: str) -> str:
    """Bytes as text; what is no text in the charset is shown as such."""
    try:
        return content.decode(charset, "replace")
    except LookupError:
        return content.decode("utf-8", "replace")
