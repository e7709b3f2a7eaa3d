"""Do the functions of expressions that reach out give what is there, and refuse what may not be reached?"""

from __future__ import annotations

import base64
import dataclasses
import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock import expr
from penstock.errors.expr import ExprFailed
from penstock.services.project_folder import ProjectFolder
from penstock.services.reaching import Asker, functions
from penstock.testing import Harness

KEY = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="
# Made by the engine that flows were first written for.
FOREIGN = "lx6GkL3SNZ0HBn0Xd8wZ0GgcPpRKDZ//xQjUsK6D1u1QJA=="


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness(
        secrets={"db": '{"user": "ann", "port": 1}', "plain": "s3cret"}, environ={"KESTRA_PLACE": "here"}
    ) as made:
        yield made


def rendered(harness: Harness, text: str, version: str = "1") -> tuple[str, set[str]]:
    """What a text prints in a worker, and the secrets that it unsealed."""
    used: set[str] = set()
    calls = expr.Calls(functions=functions(harness.core, Asker("shop", version), used), version=version)
    return expr.compile(text).render({}, calls), used


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("{{ uuid() }}", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("{{ id() }}", r"[0-9A-Za-z]{10,22}"),
        ("{{ ksuid() }}", r"[0-9A-Za-z]{27}"),
        ("{{ nanoId() }}", r"[0-9A-Za-z_-]{21}"),
        ("{{ nanoId(5, 'ab') }}", r"[ab]{5}"),
        ("{{ nanoId(length=3) }}", r".{3}"),
        ("{{ randomInt(1, 4) }}", r"[123]"),
        ("{{ randomInt(7, 7) }}", r"7"),
        ("{{ randomPort() }}", r"\d{4,5}"),
        ("{{ env('place') }} {{ env('gone', 'x') }}{{ env('gone') }}", r"here x"),
        ("{{ isPublicHoliday('2024-07-14', 'FR') }} {{ isPublicHoliday('2024-01-06', 'DE', 'BY') }}", r"true true"),
        ("{{ isPublicHoliday('2024-01-06', 'DE') }}", r"false"),
        (f"{{{{ decrypt('{KEY}', encrypt('{KEY}', 'é')) }}}}", r"é"),
        (f"{{{{ decrypt('{KEY}', '{FOREIGN}') }}}}", r"secret"),
        ("{{ fileExists('no/such.txt') }}", r"false"),
        ("{{ errorLogs() }}", r"\[\]"),
    ],
)
def test_a_function_gives_what_it_promises(harness: Harness, text: str, shape: str) -> None:
    printed, _ = rendered(harness, text)

    assert re.fullmatch(shape, printed), printed


@pytest.mark.parametrize(
    "text",
    [
        "{{ randomInt(2, 1) }}",
        "{{ randomInt('1', 2) }}",
        "{{ nanoId(0) }}",
        "{{ nanoId(3, '') }}",
        "{{ isPublicHoliday('2024-07-14', 'XX') }}",
        "{{ isPublicHoliday('nonsense', 'FR') }}",
        f"{{{{ decrypt('{KEY}', 'nonsense') }}}}",
        "{{ encrypt('short', 'x') }}",
        "{{ read('no/such.txt') }}",
        "{{ read('../outside.txt') }}",
        "{{ fileSize('no/such.txt') }}",
        "{{ secret('gone') }}",
        "{{ secret('plain', subkey='user') }}",
        "{{ secret('db', subkey='gone') }}",
        "{{ kv('gone') }}",
        "{{ subflow('a', 'b') }}",
    ],
)
def test_what_cannot_be_had_is_refused(harness: Harness, text: str) -> None:
    with pytest.raises(ExprFailed):
        rendered(harness, text)


def test_a_key_that_is_missing_fails_from_version_1_on_unless_it_may_be_missing(harness: Harness) -> None:
    harness.set_kv("shop", colour={"name": "blue"})

    assert rendered(harness, "{{ kv('colour').name }}{{ kv('gone', errorOnMissing=false) }}")[0] == "blue"
    assert rendered(harness, "{{ kv('gone') ?? 'x' }}", "0.20")[0] == "x"


def test_an_entry_of_a_secret_is_kept_as_secret_as_the_whole(harness: Harness) -> None:
    printed, used = rendered(harness, "{{ secret('db', subkey='user') }} {{ secret('plain', namespace='shop') }}")

    assert printed == "ann s3cret"
    assert {"ann", "s3cret"} <= used


def test_a_file_that_was_stored_is_read_and_measured(harness: Harness) -> None:
    uri = harness.core.blobs.put("runs/r/one/1/out.txt", b"two\nlines")
    empty = harness.core.blobs.put("runs/r/one/1/empty.txt", b"")

    text = "{{ read(a) }} {{ fileSize(a) }} {{ [isFileEmpty(a), isFileEmpty(b), fileExists(a), fileExists(c)] }}"
    calls = expr.Calls(functions=functions(harness.core, Asker("shop"), set()))
    printed = expr.compile(text).render({"a": uri, "b": empty, "c": uri + "x"}, calls)

    assert printed == "two\nlines 9 [false,true,true,false]"


def test_the_errors_that_a_run_logged_are_seen_by_what_handles_them(harness: Harness) -> None:
    ran = harness.run(
        "id: f\nnamespace: shop\ntasks:\n  - {id: bad, type: fail, errorMessage: went wrong}\n"
        "errors:\n  - {id: tell, type: return, format: \"{{ errorLogs() | jq('.[].taskId') | join(',') }}\"}\n"
    )

    ran.assert_status("failed")
    assert "value" in ran.step("tell").outputs


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked, as JSON or as text."""

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        asked = {"path": self.path, "method": self.command, "body": body, "x": self.headers.get("X-Mark")}
        plain = self.path.startswith("/text")
        self.send_response(404 if self.path == "/gone" else 200)
        self.send_header("Content-Type", "text/plain" if plain else "application/json")
        self.end_headers()
        self.wfile.write(b"plain" if plain else json.dumps(asked).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_an_address_answers_with_data_or_text(harness: Harness, address: str) -> None:
    asked = "{{ http('ADDRESS/a', query={'q': 1}).path }} {{ http(uri='ADDRESS/text') }} "
    sent = "{{ http('ADDRESS/b', 'POST', body={'k': [1]}, headers={'X-Mark': 'm'}) | jq('.body, .x') | join('|') }}"

    printed, _ = rendered(harness, (asked + sent).replace("ADDRESS", address))

    assert printed == '/a?q=1 plain {"k": [1]}|m'


@pytest.mark.parametrize(
    "text", ["{{ http('ADDRESS/gone') }}", "{{ http('http://127.0.0.1:1/') }}", "{{ http('nonsense') }}"]
)
def test_an_address_that_does_not_answer_well_is_told(harness: Harness, address: str, text: str) -> None:
    with pytest.raises(ExprFailed, match="http"):
        rendered(harness, text.replace("ADDRESS", address))


def test_a_file_of_the_project_is_read_and_none_beside_it(tmp_path: Path) -> None:
    (tmp_path / "project" / ".penstock").mkdir(parents=True)
    (tmp_path / "project" / "query.sql").write_text("select 1")
    (tmp_path / "outside.txt").write_text("no")
    (tmp_path / "project" / ".penstock" / "key").write_text("no")

    with Harness() as harness:
        own = ProjectFolder(tmp_path / "project")
        core = dataclasses.replace(harness.core, state_dir=tmp_path / "project" / ".penstock", project=own)
        calls = expr.Calls(functions=functions(core, Asker("shop"), set()))
        scope = {"flow": {"namespace": "shop"}}

        assert expr.compile("{{ read('query.sql') }}{{ fileSize('query.sql') }}").render(scope, calls) == "select 18"
        assert expr.compile("{{ read(fileURI('query.sql')) }}").render(scope, calls) == "select 1"
        for path in ("../outside.txt", ".penstock/key", "/etc/hostname"):
            with pytest.raises(ExprFailed):
                expr.compile(f"{{{{ read('{path}') }}}}").render(scope, calls)


def test_keys_are_not_guessed(harness: Harness) -> None:
    other = base64.b64encode(b"0" * 32).decode()

    with pytest.raises(ExprFailed, match="was not encrypted with this key"):
        rendered(harness, f"{{{{ decrypt('{other}', '{FOREIGN}') }}}}")
