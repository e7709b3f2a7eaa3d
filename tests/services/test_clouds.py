"""Do managers of secrets in clouds tell what is there, for the nearest namespace, and say so when they cannot?

AWS is moto's server, asked by boto3. Of Google and Azure the servers here are small ones of the tests' own that answer
as documented, the first one asked by Google's own library: that the real ones answer so is not shown.
"""

from __future__ import annotations

import base64
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

from penstock.app import open_app
from penstock.clock import ManualClock
from penstock.errors.project import WrongSetting
from penstock.errors.secrets import SecretsUnreachable
from penstock.model.policy import SECOND
from penstock.sdk.values import dec_hook
from penstock.services.secrets import aws, azure, flat, google
from penstock.services.secrets.aws import OfAws
from penstock.services.secrets.azure import OfAzure
from penstock.services.secrets.google import OfGoogle
from penstock.services.secrets.remembered import MOST, Remembered
from penstock.settings.keys import Settings
from penstock.settings.read import Project

REGION = "eu-west-1"
WHERE = ["shop.daily", "shop.weekly", "other"]


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """AWS, as moto's server is it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    heard = (tmp_path_factory.mktemp("moto") / "said").open("wb")
    process = subprocess.Popen(command, stdout=heard, stderr=heard)
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{address}/moto-api/", timeout=5).close()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < until, "moto's server has not come up"
    yield address
    process.terminate()
    process.wait()
    heard.close()


@pytest.fixture
def rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials as boto3 finds them."""
    for name, value in {"ACCESS_KEY_ID": "us", "SECRET_ACCESS_KEY": "s", "EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.mark.usefixtures("rights")
def test_secrets_and_parameters_of_aws_are_those_of_the_nearest_namespace(moto: str) -> None:
    keeps = boto3.client("secretsmanager", region_name=REGION, endpoint_url=moto)
    for path, text in {"shop/daily/KEY": "daily", "shop/KEY": "shop", "KEY": "all"}.items():
        keeps.create_secret(Name=f"penstock/{path}", SecretString=text)
    keeps.create_secret(Name="penstock/shop/BYTES", SecretBinary=b"\0\xff")
    parameters = boto3.client("ssm", region_name=REGION, endpoint_url=moto)
    parameters.put_parameter(Name="/ours/shop/KEY", Value="sealed", Type="SecureString")
    of_secrets = OfAws(aws.Place(service="secretsmanager", region=REGION, endpoint=moto))
    of_parameters = OfAws(aws.Place(service="ssm", region=REGION, endpoint=moto, prefix="ours"))

    assert [of_secrets.get(where, "KEY") for where in WHERE] == ["daily", "shop", "all"]
    assert [of_secrets.get("shop", name) for name in ("NONE", "../KEY")] == [None, None]
    assert of_secrets.get("shop", "BYTES") == base64.b64encode(b"\0\xff").decode()
    assert [of_parameters.get(where, "KEY") for where in WHERE] == ["sealed", "sealed", None]
    keeps.put_secret_value(SecretId="penstock/shop/KEY", SecretString="turned")
    assert of_secrets.get("shop", "KEY") == "turned"


@pytest.mark.usefixtures("rights")
def test_aws_that_does_not_answer_or_refuses_is_an_error_that_names_it(web: Web) -> None:
    web.answers["POST /"] = (400, {"__type": "AccessDeniedException", "message": "no"})
    source = OfAws(aws.Place(service="secretsmanager", region=REGION, endpoint=web.address))
    with pytest.raises(SecretsUnreachable, match=f"Secrets Manager in {REGION} does not let us read penstock/shop/KEY"):
        source.get("shop", "KEY")
    web.answers["POST /"] = (400, {"__type": "DecryptionFailure"})
    with pytest.raises(SecretsUnreachable, match="answers DecryptionFailure"):
        source.get("shop", "KEY")

    closed = OfAws(aws.Place(service="ssm", region=REGION, endpoint="http://127.0.0.1:9"))
    with pytest.raises(SecretsUnreachable, match="Systems Manager in eu-west-1 does not answer"):
        closed.get("shop", "KEY")


class Web(http.server.ThreadingHTTPServer):
    """What answers as a test says: by method and path, a status and JSON; closes with the test."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.answers: dict[str, tuple[int, object]] = {}
        self.asked: list[str] = []
        self.bodies: list[dict[str, list[str]]] = []
        self.token = "t1"
        self.entries = 0
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


class Answers(http.server.BaseHTTPRequestHandler):
    """Tells what the server holds to who has its token; a token at `/token` and where Azure gives them."""

    server: Web

    def do_GET(self) -> None:
        """Tell what is asked for."""
        self._answer()

    def do_POST(self) -> None:
        """Take a body, and tell."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(self.path)
        path = self.path.partition("?")[0]
        if path.endswith("/token"):
            self.server.bodies.append(urllib.parse.parse_qs(body.decode()))
            self.server.entries += 1
            told: tuple[int, object] = (
                200,
                {"access_token": self.server.token, "expires_in": 3600, "token_type": "Bearer"},
            )
        elif f"{self.command} {path}" in self.server.answers:
            told = self.server.answers[f"{self.command} {path}"]
            if self.command == "GET" and self.headers["Authorization"] != f"Bearer {self.server.token}":
                told = 401, {"error": "who are you?"}
        else:
            told = 404, {"error": {"code": 404}}
        text = json.dumps(told[1]).encode()
        self.send_response(told[0])
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def web() -> Iterator[Web]:
    """A server with nothing in it."""
    made = Web()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def google_keeps(web: Web, name: str, text: str) -> None:
    """Keep a secret as Google does."""
    data = base64.b64encode(text.encode()).decode()
    path = f"/v1/projects/ours/secrets/{name}/versions/latest:access"
    web.answers[f"GET {path}"] = (200, {"name": "x", "payload": {"data": data, "dataCrc32c": "1"}})


def test_secrets_of_google_are_asked_for_as_a_service_account(web: Web, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    account = {"type": "service_account", "client_email": "us@ours", "token_uri": f"{web.address}/token"}
    file = tmp_path / "key.json"
    file.write_text(json.dumps(account | {"private_key": key.private_bytes(*form).decode(), "project_id": "ours"}))
    for name, text in {"shop--daily--KEY": "daily", "shop--KEY": "shop", "KEY": "all"}.items():
        google_keeps(web, f"penstock--{name}", text)
    source = OfGoogle(google.Place(project="ours", credentials=str(file), endpoint=web.address))

    assert [source.get(where, "KEY") for where in WHERE] == ["daily", "shop", "all"]
    assert source.get("shop", "NONE") is None and web.entries == 1
    said = jwt.decode(web.bodies[0]["assertion"][0], RSAKey.import_key(key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)))  # fmt: skip
    assert said.claims["iss"] == "us@ours" and "cloud-platform" in said.claims["scope"]

    web.answers["GET /v1/projects/ours/secrets/penstock--KEY/versions/latest:access"] = (403, {})
    with pytest.raises(SecretsUnreachable, match="Google Secret Manager does not let us read penstock--KEY"):
        source.get("other", "KEY")
    web.answers["GET /v1/projects/ours/secrets/penstock--KEY/versions/latest:access"] = (500, {})
    with pytest.raises(SecretsUnreachable, match="answers 500"):
        source.get("other", "KEY")
    missing = OfGoogle(google.Place(project="ours", credentials=str(tmp_path / "none"), endpoint=web.address))
    with pytest.raises(SecretsUnreachable, match="no credentials"):
        missing.get("shop", "KEY")


def test_secrets_of_azure_are_asked_for_as_an_application(web: Web) -> None:
    place = azure.Place(vault=web.address, tenant="t", client="us", secret="proof", login=web.address)
    for name, text in {"shop--daily--DB-KEY": "daily", "shop--DB-KEY": "shop", "DB-KEY": "all"}.items():
        web.answers[f"GET /secrets/penstock--{name}"] = (200, {"value": text, "id": "x"})
    clock = ManualClock()
    source = OfAzure(place, clock.steady)

    assert [source.get(where, "DB_KEY") for where in WHERE] == ["daily", "shop", "all"]
    assert source.get("shop", "NONE") is None
    assert web.bodies[0]["client_id"] == ["us"] and web.bodies[0]["scope"] == ["https://vault.azure.net/.default"]
    assert all("api-version=7.4" in path for path in web.asked if path.startswith("/secrets/"))
    clock.advance(3600 * SECOND)
    assert [source.get("shop", "DB_KEY"), web.entries] == ["shop", 2]
    web.token = "t2"
    assert [source.get("shop", "DB_KEY"), web.entries] == ["shop", 3]

    web.answers["GET /secrets/penstock--DB-KEY"] = (403, {})
    with pytest.raises(SecretsUnreachable, match="Azure Key Vault does not let us read penstock--DB-KEY"):
        source.get("other", "DB_KEY")
    machine = OfAzure(azure.Place(vault=web.address, identity=web.address), clock.steady)
    assert machine.get("shop", "DB_KEY") == "shop" and "resource=https%3A%2F%2Fvault.azure.net" in web.asked[-2]


def test_no_name_is_read_as_another_ones() -> None:
    assert flat.names("p", "shop.daily", "KEY") == ["p--shop--daily--KEY", "p--shop--KEY", "p--KEY"]
    assert flat.names("p", "shop--daily", "KEY") == ["p--KEY"]
    assert [flat.names("p", "shop", name) for name in ("a--b", "-a", "a-", "a/b", "a.b", "")] == [[]] * 6
    assert flat.names("p", "a_b.c", "X_Y", underscores=False) == ["p--X-Y"]
    assert flat.names("p", "Shop", "KEY", underscores=False) == ["p--KEY"]


class Counted:
    """A source that counts how often it was asked; opens nothing."""

    def __init__(self) -> None:
        self.asked = 0
        self.kept: str | None = "one"

    def get(self, namespace: str, name: str) -> str | None:
        """What it has just now."""
        self.asked += 1
        return self.kept


def test_a_text_is_asked_for_once_in_a_while_and_what_is_missing_each_time() -> None:
    counted, clock = Counted(), ManualClock()
    source = Remembered(counted, 60 * SECOND, clock.steady)

    assert [source.get("shop", "KEY") for _ in range(3)] == ["one"] * 3 and counted.asked == 1
    counted.kept = "two"
    clock.advance(60 * SECOND)
    assert [source.get("shop", "KEY"), counted.asked] == ["two", 2]
    for number in range(MOST + 10):
        source.get("shop", f"K{number}")
    assert [source.get("shop", "KEY"), counted.asked] == ["two", MOST + 13]
    counted.kept = None
    assert [source.get("shop", "NEW"), source.get("shop", "NEW"), counted.asked] == [None, None, MOST + 15]


@pytest.mark.usefixtures("rights")
def test_the_settings_name_them(moto: str, tmp_path: Path) -> None:
    keeps = boto3.client("secretsmanager", region_name=REGION, endpoint_url=moto)
    keeps.create_secret(Name="named/shop/KEY", SecretString="of aws")

    def opened(**said: Any) -> str | None:
        with open_app(
            Project(root=tmp_path, settings=msgspec.convert(said, Settings, dec_hook=dec_hook)), dict(os.environ)
        ) as app:
            return app.core.secrets.get("shop", "KEY")

    told = {"region": REGION, "prefix": "named", "endpoint": moto, "keep": "PT5S"}
    assert opened(secretSources=["store", "aws"], aws=told) == "of aws"
    for name in ("gcp", "azure"):
        with pytest.raises(WrongSetting, match=name):
            opened(secretSources=[name])
    with pytest.raises(WrongSetting, match="https"):
        opened(secretSources=["azure"], azure={"vault": "http://vault.example.com"})
