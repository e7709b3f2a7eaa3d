"""How is a registry of schemas asked? By Confluent's API, which Apicurio speaks, too; no library is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from penstock.errors.task import AnswerRefused, NotOffered
from penstock.plugins.http.client import basic
from penstock.plugins.rest.patient import Patient
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.task import TaskFailed

CALLED: Final = "The registry of schemas"
TYPE: Final = "application/vnd.schemaregistry.v1+json"
CONFLICT, MISSING = 409, 404
AVRO: Final = "AVRO"
# What a registry calls its own errors says nothing to people; that of its database says whose fault it is.
RAISED: Final = re.compile(r"^io\.(apicurio|confluent)\.([a-z][\w$]*\.)*[A-Z][\w$]*: ")
USER: Final = ("basic.auth.user.info", "schema.registry.basic.auth.user.info")
TOKEN: Final = ("bearer.auth.token", "schema.registry.bearer.auth.token")
# What says how its client logs in, or steers what is written.
KNOWN: Final = frozenset(
    {
        "schema.registry.url",
        "url",
        "basic.auth.credentials.source",
        "bearer.auth.credentials.source",
        "auto.register.schemas",
        "max.retries",
        "normalize.schemas",
        "timeout",
        "use.latest.version",
        "use.schema.id",
        *USER,
        *TOKEN,
    }
)


class Version(msgspec.Struct, frozen=True, rename={"kind": "schemaType"}):
    """A schema of a subject as it is registered."""

    id: int
    version: int
    schema: str
    kind: str = AVRO


class Subject(msgspec.Struct, frozen=True):
    """A subject of a registry; what is asked raises TaskFailed where it is refused, NoAnswer where nobody is there."""

    name: str
    rest: Patient
    waiting: Waiting

    def demand(self, level: str) -> None:
        """Have it take newer schemas only where they are compatible so."""
        self.rest.say(f"/config/{self._quoted}", self.waiting, {"compatibility": level}, "PUT")

    def register(self, schema: str, kind: str) -> Version:
        """Register a schema; AnswerRefused with 409 where it is not compatible."""
        made = self.rest.say(f"/subjects/{self._quoted}/versions", self.waiting, _body(schema, kind))
        found = self.rest.say(f"/subjects/{self._quoted}", self.waiting, _body(schema, kind))
        return Version(int(made["id"]), int(found["version"]), schema, kind)

    def refusal(self, schema: str, kind: str) -> list[str] | None:
        """What is against a schema as the next one, as far as the registry says it; None where nothing is."""
        path = f"/compatibility/subjects/{self._quoted}/versions/latest?verbose=true"
        try:
            told = self.rest.say(path, self.waiting, _body(schema, kind))
        except AnswerRefused as refused:
            if refused.status != MISSING:
                raise
            return None
        return None if told["is_compatible"] else [str(each) for each in told.get("messages") or ()]

    def version(self, number: int | None = None) -> Version:
        """One of its schemas, the newest unless a number is given."""
        told = self.rest.get(f"/subjects/{self._quoted}/versions/{number or 'latest'}", self.waiting)
        return msgspec.convert(told, Version)

    @property
    def _quoted(self) -> str:
        return quote(self.name, safe="")


def subject(name: str, properties: Mapping[str, str], patience: float, waiting: Waiting) -> Subject:
    """A subject of the registry that properties name, in the words of Java's client."""
    if not (url := properties.get("schema.registry.url") or properties.get("url")):
        raise TaskFailed("serdeProperties needs schema.registry.url.")
    if unknown := sorted(set(properties) - KNOWN):
        raise NotOffered(f"The registry cannot be asked with {', '.join(unknown)}.")
    headers = {"Accept": f"{TYPE}, application/json", "Content-Type": TYPE}
    if user := next((properties[each] for each in USER if each in properties), ""):
        who, _, password = user.partition(":")
        headers["Authorization"] = basic(who, password)
    if token := next((properties[each] for each in TOKEN if each in properties), ""):
        headers["Authorization"] = f"Bearer {token}"
    address = url.partition(",")[0].strip()
    return Subject(
        name, Patient(address=address, called=CALLED, cause=cause, patience=patience, headers=headers), waiting
    )


def cause(told: str) -> str:
    """What a registry says of a refusal."""
    try:
        said = json.loads(told)
    except ValueError:
        return told[:500]
    message: Any = said.get("message") if isinstance(said, dict) else None
    return without_class(str(message or told[:500]))


def without_class(sentence: str) -> str:
    """What a registry says, without its own name of what it raised."""
    return RAISED.sub("", sentence)


def _body(schema: str, kind: str) -> dict[str, str]:
    return {"schema": schema} if kind == AVRO else {"schema": schema, "schemaType": kind}
