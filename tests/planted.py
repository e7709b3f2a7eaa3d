"""How may a secret be told, and how is it found again? Flows that tell it in every way, and all the forms of it."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import zstandard

SECRET = "Tr0ub4dor&3/\u00fc 'x'"
LINES = "-----BEGIN KEY-----\nq8Zt1/7Hn+02xYwPl\n  mM4kD9sVb6RtQ==\n"
GIVEN = 'Gl0ria & "in" <excelsis>/7\u00e9'
TELLS = r"""
import base64, html, json, os, sys, urllib.parse
secrets = [os.environ[name] for name in ("SECRET", "LINES", "GIVEN")]
for each in secrets:
    print(each)
    print("in", json.dumps({"password": each}), json.dumps(each, ensure_ascii=False), repr(each), html.escape(each))
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
secret, lines, given = secrets
open("told.txt", "w").write("password=" + secret + "\n" + given)
open("told.bin", "wb").write(b"\0\1" + secret.encode() + b"\2" + base64.b64encode(given.encode()))
tell = {
    "outputs": {"plain": secret, "within": [{secret: "x" + given + "y"}], "lines": lines, "number": 7},
    "metrics": [{"name": "told", "type": "counter", "value": 1, "tags": {"by": secret, "for": given}}],
    "parts": [{"name": "part", "status": "success", "message": secret + given}],
    "logs": [{"level": "info", "message": secret + given}],
    "state": {"kept": secret, "given": given},
}
print("::" + json.dumps(tell) + "::")
"""
CALLED = """
id: called
namespace: shop.daily
inputs:
  - {id: password, type: SECRET}
  - {id: text, type: STRING}
tasks:
  - {id: says, type: log, message: "{{ inputs.password }} {{ inputs.text }}"}
outputs:
  - {id: back, type: STRING, value: "{{ inputs.password }}"}
"""


# What stands between two @ is put in: secrets as their author writes them, and more tasks.
FLOW = """
id: tells
namespace: shop.daily
inputs:
  - {id: given, type: SECRET}
tasks:
@first@
  - id: script
    type: python.script
    env:
      SECRET: "@secret@"
      LINES: "@lines@"
      GIVEN: "@given@"
    outputFiles: [told.txt, told.bin]
    script: |
@script@
  - {id: gives, type: return, format: "@secret@ and more, @given@"}
  - {id: labels, type: labels, labels: {told: "@secret@", given: "@given@"}}
  - id: dir
    type: working_directory
    outputFiles: ["*.txt"]
    tasks:
      - {id: writes, type: shell.commands, env: {S: "@secret@@given@"}, commands: ['printf %s "$S" > kept.txt']}
  - id: inlined
    type: shell.commands
    outputFiles: ["*"]
    commands: ["cat > inlined.txt <<'END'", "@secret@@given@", END]
  - id: decides
    type: if
    condition: "{{ inputs.given == 'no' }}"
    then: [{id: never, type: log, message: never}]
    else: [{id: ever, type: log, message: "@given@"}]
  - id: calls
    type: subflow
    namespace: shop.daily
    flowId: called
    wait: true
    inputs: {password: "@given@", text: "@secret@"}
  - id: fails
    type: allow_failure
    tasks:
      - {id: kept, type: kv.set, key: told, value: "@secret@"}
  - id: fails_too
    type: allow_failure
    tasks:
      - {id: kept_too, type: kv.set, key: given, value: "@given@"}
  - id: raises
    type: allow_failure
    tasks:
      - {id: raise, type: python.script, env: {S: "@secret@@given@"}, script: 'import os; 1 / int(os.environ["S"])'}
  - id: wrong
    type: allow_failure
    tasks:
      - {id: odd, type: sleep, duration: "@secret@"}
  - id: wrong_too
    type: allow_failure
    tasks:
      - {id: odd_too, type: sleep, duration: "@given@"}
  - id: broken
    type: allow_failure
    tasks:
      - {id: read, type: return, format: "{{ fromJson(inputs.given) }}"}
outputs:
  - {id: given, type: STRING, value: "@given@"}
"""


def flow(*more: str) -> str:
    """A flow that tells secrets, one of them given to it, in logs, outputs, files, metrics, labels, states, keys,
    errors, and to other flows; `more` tasks stand first.
    """
    told = {
        "first": "\n".join(more),
        "script": "\n".join(f"          {line}" for line in TELLS.splitlines()),
        "secret": "{{ secret('PLANTED') }}",
        "lines": "{{ secret('LINES') }}",
        "given": "{{ inputs.given }}",
    }
    text = FLOW
    for name, put in told.items():
        text = text.replace(f"@{name}@", put)
    return text


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it may have been told."""
    for each in (secret, *(line.strip() for line in secret.splitlines() if len(line.strip()) > 4)):
        yield each.encode()
        yield json.dumps(each)[1:-1].encode()
        yield json.dumps(each, ensure_ascii=False)[1:-1].encode()
        yield urllib.parse.quote(each, safe="").encode()
        yield urllib.parse.quote_plus(each).encode()
        yield html.escape(each).encode()
        yield each.encode().hex().encode()
        # the letters that are the same whatever stands around, of what begins at each of the three places
        for before in range(3):
            coded = base64.b64encode(b"\0" * before + each.encode())
            yield coded[4 if before else 0 : len(coded) - 4]


def told(found: Mapping[str, bytes], secrets: Iterable[str]) -> list[str]:
    """Where secrets stand, by what was looked through, with what stands around them."""
    wanted = [(secret, form) for secret in secrets for form in dict.fromkeys(forms(secret))]
    return [
        f"{where}: …{body[max(0, body.find(form) - 40) : body.find(form) + 60]!r}"
        for where, body in found.items()
        for _, form in wanted
        if form in body
    ]


def files_below(folder: Path, *spared: Path) -> dict[str, bytes]:
    """Every file of a folder as it is, and what zstandard packed in it."""
    found: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        if path.is_file() and path not in spared:
            found[str(path.relative_to(folder))] = body = path.read_bytes()
            found[f"{path.name}, packed"] = b"".join(unpacked(body))
    return found


def unpacked(body: bytes) -> Iterator[bytes]:
    """What zstandard packed anywhere in a file."""
    magic = b"\x28\xb5\x2f\xfd"
    at = body.find(magic)
    while at >= 0:
        try:
            yield zstandard.ZstdDecompressor().decompressobj().decompress(body[at:])
        except zstandard.ZstdError:
            yield b""
        at = body.find(magic, at + 1)
