"""Is a secret nowhere but sealed after a run that told it in every way that we could think of?"""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from penstock.services.secrets import verbs
from penstock.store import attempts, events, outputs, runs, steps
from penstock.store.chunks import unpack
from tests.api.house import House

SECRET = "Tr0ub4dor&3/\u00fc 'x'"
LINES = "-----BEGIN KEY-----\nq8Zt1/7Hn+02xYwPl\n  mM4kD9sVb6RtQ==\n"
TELLS = r"""
import base64, json, os, sys, urllib.parse
secret, lines = os.environ["SECRET"], os.environ["LINES"]
for each in (secret, lines):
    print(each)
    print("in", json.dumps({"password": each}), json.dumps(each, ensure_ascii=False), repr(each))
    print(urllib.parse.quote(each), urllib.parse.quote_plus(each), urllib.parse.quote(each, safe=""))
    for before in range(3):
        raw = b"-" * before + each.encode() + b"after"
        print(base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode())
    print(each.encode().hex())
    for letter in each:
        sys.stdout.write(letter)
        sys.stdout.flush()
    print()
    print(each, file=sys.stderr)
open("told.txt", "w").write("password=" + secret + "\n")
open("told.bin", "wb").write(b"\0\1" + secret.encode() + b"\2" + base64.b64encode(secret.encode()))
tell = {
    "outputs": {"plain": secret, "within": [{secret: "x" + secret + "y"}], "lines": lines, "number": 7},
    "metrics": [{"name": "told", "type": "counter", "value": 1, "tags": {"by": secret}}],
    "parts": [{"name": "part", "status": "success", "message": secret}],
    "logs": [{"level": "info", "message": secret}],
    "state": {"kept": secret},
}
print("::" + json.dumps(tell) + "::")
"""


def flow() -> str:
    """A flow that tells a secret in logs, outputs, files, metrics, labels, states, keys, errors."""
    script = "\n".join(f"          {line}" for line in TELLS.splitlines())
    secret = "{{ secret('PLANTED') }}"
    return f"""
id: tells
namespace: shop.daily
tasks:
  - id: script
    type: python.script
    env:
      SECRET: "{secret}"
      LINES: "{{{{ secret('LINES') }}}}"
    outputFiles: [told.txt, told.bin]
    script: |
{script}
  - {{id: gives, type: return, format: "{secret} and more"}}
  - {{id: labels, type: labels, labels: {{told: "{secret}"}}}}
  - id: dir
    type: working_directory
    outputFiles: ["*.txt"]
    tasks:
      - {{id: writes, type: shell.commands, env: {{S: "{secret}"}}, commands: ['printf %s "$S" > kept.txt']}}
  - id: fails
    type: allow_failure
    tasks:
      - {{id: kept, type: kv.set, key: told, value: "{secret}"}}
  - id: raises
    type: allow_failure
    tasks:
      - {{id: raise, type: python.script, env: {{S: "{secret}"}}, script: 'import os; 1 / int(os.environ["S"])'}}
  - id: wrong
    type: allow_failure
    tasks:
      - {{id: odd, type: sleep, duration: "{secret}"}}
  - id: broken
    type: allow_failure
    tasks:
      - {{id: read, type: return, format: "{{{{ fromJson(secret('PLANTED')) }}}}"}}
"""


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it may have been told."""
    for each in (secret, *(line.strip() for line in secret.splitlines() if len(line.strip()) > 4)):
        yield each.encode()
        yield json.dumps(each)[1:-1].encode()
        yield json.dumps(each, ensure_ascii=False)[1:-1].encode()
        yield urllib.parse.quote(each, safe="").encode()
        yield urllib.parse.quote_plus(each).encode()
        yield each.encode().hex().encode()
        # the letters that are the same whatever stands around, of what begins at each of the three places
        for before in range(3):
            coded = base64.b64encode(b"\0" * before + each.encode())
            yield coded[4 if before else 0 : len(coded) - 4]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A project with a server."""
    made = House(tmp_path, str(tmp_path / ".penstock" / "penstock.db"))
    yield made
    made.close()


def everything(house: House, run_id: str) -> dict[str, bytes]:
    """All that is kept of a run, and all that the API tells of it, by where it stands."""
    store, client = house.core.store, house.client
    found: dict[str, bytes] = {}
    for what, rows in {
        "run": store.read(lambda tx: runs.load(tx, run_id)),
        "steps": store.read(lambda tx: steps.every(tx, run_id)),
        "attempts": store.read(lambda tx: attempts.every(tx, run_id)),
        "events": store.read(lambda tx: events.every(tx, run_id)),
        "outputs": store.read(lambda tx: outputs.every(tx, run_id)),
    }.items():
        found[what] = repr(rows).encode()
    found["log"] = b"".join(piece.text for chunk in store.logs.read(run_id) for piece in unpack(chunk))
    ours = [
        "",
        "/outputs?step=gives",
        "/steps",
        "/logs",
        "/logs/text",
        "/outputs?step=script",
        "/metrics",
        "/files",
        "/attempts?step=script",
        "/document",
        "/explain",
    ]
    others = ["/v1/secrets/shop", "/v1/secret-keys", "/v1/kv/shop.daily", "/v1/flows/shop.daily/tells", "/v1/runs"]
    for path in [*(f"/v1/runs/{run_id}{path}" for path in ours), *others]:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        found[f"GET {path}"] = answer.content
    return found


def test_a_secret_that_was_told_in_every_way_is_nowhere_but_sealed(house: House, tmp_path: Path) -> None:
    put = [
        house.client.put(f"/v1/secrets/shop/{name}", json={"value": text})
        for name, text in (("PLANTED", SECRET), ("LINES", LINES))
    ]
    assert [answer.status_code for answer in put] == [200, 200]

    run_id = house.ran(flow())

    found = everything(house, run_id)
    found |= {f"PUT {number}": answer.content for number, answer in enumerate(put)}
    for path in tmp_path.rglob("*"):
        if path.is_file():
            body = found[str(path.relative_to(tmp_path))] = path.read_bytes()
            found[f"{path.name}, packed"] = b"".join(_unpacked(body))
    told = [
        f"{where}: …{body[max(0, body.find(form) - 40) : body.find(form) + 60]!r}"
        for where, body in found.items()
        for secret in (SECRET, LINES)
        for form in forms(secret)
        if form in body
    ]
    assert not told, "\n".join(told)
    assert verbs.verify(house.core).good == 2
    # it was there, though: stars stand everywhere that it was told
    for where in ("log", "outputs", "attempts", "run"):
        assert b"********" in found[where], where


def _unpacked(body: bytes) -> Iterator[bytes]:
    """What zstandard packed anywhere in a file."""
    magic = b"\x28\xb5\x2f\xfd"
    at = body.find(magic)
    while at >= 0:
        try:
            yield zstandard.ZstdDecompressor().decompressobj().decompress(body[at:])
        except zstandard.ZstdError:
            yield b""
        at = body.find(magic, at + 1)
