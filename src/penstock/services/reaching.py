"""What do the functions of expressions do that reach out of a run? Secrets, keys, files, addresses, the calendar.

They are asked in a worker, and what they gave is recorded where a decision needs it.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from penstock.errors.expr import ExprFailed
from penstock.errors.project import NoSuchFile
from penstock.errors.run import UnknownFile, UnknownKey, UnknownSecret
from penstock.errors.store import BlobMissing
from penstock.errors.task import MissingExtra
from penstock.errors.work import BadFileName
from penstock.model.run import Run
from penstock.sdk.launch import is_stored
from penstock.services import chance, pinned
from penstock.services.core import Core
from penstock.services.seen_files import SeenFiles, named
from penstock.store import kv
from penstock.store.chunks import Level, unpack
from penstock.store.port import Tx

MOST_BYTES: Final = 10_000_000
MOST_ENTRIES: Final = 1_000
SECONDS: Final = 30.0
NONCE: Final = 12
T = TypeVar("T")


class Asker(msgspec.Struct, frozen=True):
    """Whose expression asks: its namespace, its version of the language, and its run where it has one."""

    namespace: str
    version: str = "1"
    run: Run | None = None


def functions(core: Core, asker: Asker, used: set[str]) -> dict[str, Callable[..., object]]:
    """Every function that reaches out, for one asker; secrets that are unsealed are added to `used`."""
    own, strict = asker.namespace, asker.version != "0.20"

    def secret(key: str, namespace: str | None = None, subkey: str | None = None, full: bool = False) -> object:
        if namespace and namespace not in _above(own):
            raise UnknownSecret(
                f"A flow of {own} finds its own secrets and those of the namespaces around it, not {namespace}'s."
            )
        found = core.secrets.get(namespace or own, key)
        if found is None:
            raise UnknownSecret(f'There is no secret "{key}" for the namespace {namespace or own}.')
        used.add(found)
        return found if subkey is None else _entry(found, key, subkey, used)

    def stored(key: str, namespace: str | None = None, errorOnMissing: bool | None = None) -> object:
        places = (namespace,) if namespace else _above(own) if strict else (own,)
        found = core.store.read(lambda tx: _first(tx, places, key, core.clock.now()))
        if found is None and (strict if errorOnMissing is None else errorOnMissing):
            raise UnknownKey(f"The key '{key}' does not exist in the namespace '{namespace or own}'.")
        return found.value if found is not None else None

    return {
        "secret": secret,
        "kv": stored,
        "read": lambda path, namespace=None, revision=None: _bytes(
            core, path, namespace or own, None if revision is None else int(revision)
        ).decode("utf-8", "replace"),
        "fileSize": lambda path, namespace=None: _size(core, path, namespace or own),
        "isFileEmpty": lambda path, namespace=None: _size(core, path, namespace or own) == 0,
        "fileExists": lambda path, namespace=None: _exists(core, path, namespace or own),
        "env": lambda name, default=None: core.envs.get(name.lower(), default),
        "errorLogs": lambda: _errors(core, asker.run),
        "http": _http,
        "encrypt": _encrypt,
        "decrypt": _decrypt,
        "isPublicHoliday": is_public_holiday,
        "subflow": _no_subflow,
        **chance.functions(core),
    }


def _above(namespace: str) -> tuple[str, ...]:
    """A namespace and those that it lies in, the nearest first."""
    parts = namespace.split(".")
    return tuple(".".join(parts[:count]) for count in range(len(parts), 0, -1))


def _first(tx: Tx, places: Iterable[str], key: str, now: int) -> kv.Entry | None:
    return next((found for place in places if (found := kv.get(tx, place, key, now)) is not None), None)


def _entry(found: str, key: str, subkey: str, used: set[str]) -> object:
    try:
        entries = json.loads(found)
    except ValueError:
        entries = None
    if not isinstance(entries, dict) or subkey not in entries:
        raise UnknownSecret(f'The secret "{key}" has no entry "{subkey}".')
    entry = entries[subkey]
    used.add(entry if isinstance(entry, str) else json.dumps(entry))
    return entry


def _bytes(core: Core, path: str, namespace: str, revision: int | None = None) -> bytes:
    if _size(core, path, namespace, revision) > MOST_BYTES:
        raise ExprFailed(f"The file has more than {MOST_BYTES:,} bytes: an expression cannot hold it.")
    if _is_stored(path):
        return core.blobs.get(path.strip())
    return _seen(path, lambda name, near: SeenFiles(core, (near or namespace,)).read(name, revision))


def _size(core: Core, path: str, namespace: str, revision: int | None = None) -> int:
    if _is_stored(path):
        return core.blobs.size(path.strip())
    return _seen(path, lambda name, near: SeenFiles(core, (near or namespace,)).size(name, revision))


def _exists(core: Core, path: str, namespace: str) -> bool:
    try:
        return _size(core, path, namespace) >= 0
    except (NoSuchFile, BlobMissing):
        return False


def _is_stored(path: str) -> bool:
    return is_stored(path.strip()) and "/_files/" not in path


def _seen(address: str, look: Callable[[str, str], T | None]) -> T:
    """What a look at a file of a namespace, or of the project, gives. Raises NoSuchFile."""
    try:
        meant = named(address)
        found = look(meant.path, meant.namespace)
    except (BadFileName, UnknownFile):
        found = None
    if found is None:
        raise NoSuchFile(f'The namespace has no file "{address}".')
    return found


def _errors(core: Core, run: Run | None) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = []
    if run is None:
        return entries
    for chunk in core.store.logs.read(run.id):
        for piece in unpack(chunk):
            if piece.level is not Level.ERROR or len(entries) >= MOST_ENTRIES:
                continue
            entries.append(
                {
                    "namespace": run.namespace,
                    "flowId": run.flow,
                    "taskId": chunk.step.rpartition("/")[2].partition("[")[0],
                    "executionId": run.id,
                    "taskRunId": f"{run.id}/{chunk.step}",
                    "attemptNumber": chunk.attempt - 1,
                    "timestamp": chance.instant(piece.at),
                    "level": "ERROR",
                    "message": piece.text.decode("utf-8", "replace").rstrip("\n"),
                }
            )
    return entries


def _http(uri: str, method: str = "GET", query: object = None, body: object = None, **more: Any) -> object:
    """What an address answers. Raises MissingExtra, ExprFailed."""
    try:
        import httpx
        import yaml
    except ImportError:
        raise MissingExtra("`http()` needs httpx.", hint='pip install "penstock[http]"') from None
    content = str(more.get("contentType") or "application/json")
    headers = {"Content-Type": content, "Accept": str(more.get("accept") or "application/json")}
    headers |= {str(name): str(value) for name, value in dict(more.get("headers") or {}).items()}
    sent: str | None = None
    if body is not None:
        sent = body if isinstance(body, str) else yaml.safe_dump(body) if "yaml" in content else json.dumps(body)
    asked = dict(query) if isinstance(query, Mapping) else None
    try:
        with (
            httpx.Client(transport=pinned.transport(), timeout=SECONDS) as client,
            client.stream(method, uri, params=asked, content=sent, headers=headers) as answer,
        ):
            pieces, size = [], 0
            for piece in answer.iter_bytes():
                size += len(piece)
                if size > MOST_BYTES:
                    raise ExprFailed(f"{uri} answers with more than {MOST_BYTES:,} bytes.")
                pieces.append(piece)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ExprFailed(f"{uri} does not answer: {error}.") from error
    text = b"".join(pieces).decode(answer.encoding or "utf-8", "replace")
    if answer.is_error:
        raise ExprFailed(f"{uri} answers {answer.status_code}: {text[:200]}")
    kind = answer.headers.get("content-type", "")
    if "json" in kind:
        return json.loads(text) if text.strip() else None
    return yaml.safe_load(text) if "yaml" in kind else text


def _encrypt(key: str, plaintext: str) -> str:
    nonce = os.urandom(NONCE)
    return base64.b64encode(nonce + _cipher(key).encrypt(nonce, plaintext.encode(), None)).decode()


def _decrypt(key: str, encrypted: str) -> str:
    from cryptography.exceptions import InvalidTag

    cipher = _cipher(key)
    try:
        body = base64.b64decode(encrypted, validate=True)
        found: bytes = cipher.decrypt(body[:NONCE], body[NONCE:], None)
    except (ValueError, InvalidTag):
        raise ExprFailed("The text was not encrypted with this key.") from None
    return found.decode("utf-8", "replace")


def _cipher(key: str) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise MissingExtra("`encrypt` and `decrypt` need cryptography.", hint='pip install "penstock[crypt]"') from None
    try:
        return AESGCM(base64.b64decode(key, validate=True))
    except ValueError:
        raise ExprFailed("A key is 16, 24 or 32 bytes in Base64.") from None


def is_public_holiday(date: object, countryCode: str, subDivision: str | None = None) -> bool:
    """Is a day a public holiday of a country? Raises MissingExtra, ExprFailed."""
    try:
        import holidays
    except ImportError:
        raise MissingExtra("`isPublicHoliday` needs holidays.", hint='pip install "penstock[holidays]"') from None
    day = chance.day_of(date)
    try:
        found = holidays.country_holidays(countryCode.upper(), subdiv=subDivision, years=day.year)
    except NotImplementedError:
        where = f"{countryCode}-{subDivision}" if subDivision else countryCode
        raise ExprFailed(f'The holidays of "{where}" are not known.') from None
    return day in found


def _no_subflow(*_: object, **__: object) -> object:
    raise ExprFailed(
        "`subflow()` gives the values of an input, and runs nowhere else; a task of type Subflow runs a flow."
    )
