"""How does a demo or a test get an S3-compatible store of its own on loopback?"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import hmac
import http.client
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from projects.servers.child import ServerFailed, await_ready, free_port, kill, listens, spawn, stop

REGION = "us-east-1"


class S3Server:
    """An S3-compatible store that runs as our child; with versitygw its objects are plain files that stay."""

    access_key = "penstock"
    secret_key = "penstock-secret"
    region = REGION

    def __init__(self, folder: Path, versitygw: Path | None) -> None:
        """Prepare the store over `folder`; without the binary versitygw it is moto's server, in memory."""
        self.kind: Literal["versitygw", "moto"] = "versitygw" if versitygw else "moto"
        self._versitygw = versitygw
        self._folder = folder.resolve()
        self.log = self._folder / "s3.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def pid(self) -> int:
        """Its process; 0 where it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    @property
    def endpoint(self) -> str:
        """The address to give to an S3 client."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """The environment with which S3 clients find this store."""
        return {
            "S3_ENDPOINT": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
        }

    def start(self) -> None:
        """Run the store and wait until it answers; after a `stop` on the same port again."""
        if self.pid:
            return
        (self._folder / "objects").mkdir(parents=True, exist_ok=True)
        (self._folder / "iam").mkdir(exist_ok=True)
        again = self.port != 0
        for last in (False, False, True):
            self.port = self.port or free_port()
            try:
                self._launch()
            except ServerFailed:
                self.stop()
                if last:
                    raise
                # A port that clients know already is waited for; a new one may as well be another.
                self.port = self.port if again else 0
            else:
                return

    def stop(self) -> None:
        """Take the store down; safe to call twice. What moto held is gone then."""
        process, self._process = self._process, None
        if process is not None:
            stop(process, signal.SIGTERM, seconds=3)

    def crash(self) -> None:
        """Kill the store with SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            kill(process)

    def create_bucket(self, name: str) -> None:
        """Create a bucket; one that exists already is left as it is."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(link):
            link.request("PUT", f"/{name}", headers=_signed("PUT", f"/{name}", self))
            answer = link.getresponse()
            body = answer.read().decode(errors="replace")
        if answer.status not in (200, 409):
            raise ServerFailed(f"{self.kind} did not create the bucket {name}: {answer.status} {body}")

    def _launch(self) -> None:
        env = {**os.environ, "ROOT_ACCESS_KEY": self.access_key, "ROOT_SECRET_KEY": self.secret_key}
        address = f"127.0.0.1:{self.port}"
        if self._versitygw:
            command = [str(self._versitygw), "--port", address, "--region", REGION, "--quiet", "--keep-alive"]
            command += ["--iam-dir", str(self._folder / "iam"), "posix", str(self._folder / "objects")]
        else:
            command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        if listens(self.port):
            raise ServerFailed(f"Another server answers on port {self.port}.")
        self._process = spawn(command, log=self.log, env=env)
        await_ready(self._process, self.log, lambda: listens(self.port), what=f"{self.kind} on {address}")


@contextlib.contextmanager
def s3_server(folder: Path, *, versitygw: Path | None = None) -> Iterator[S3Server]:
    """Run an S3-compatible store over `folder` for the length of the block: versitygw where found, else moto."""
    binary = versitygw or find_versitygw()
    if binary is None and importlib.util.find_spec("moto") is None:
        raise ServerFailed(
            "No S3-compatible server found: build versitygw (`make test` does), or install moto[server]."
        )
    server = S3Server(folder, binary)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def find_versitygw() -> Path | None:
    """Find the binary versitygw on the PATH, or in the cache where it is kept once it was built."""
    if found := shutil.which("versitygw"):
        return Path(found)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    binary = cache / "penstock" / "bin" / "versitygw"
    return binary if os.access(binary, os.X_OK) else None


def _signed(method: str, path: str, server: S3Server) -> dict[str, str]:
    """Sign a request without body by AWS's Signature Version 4: creating a bucket is not worth a client library."""
    moment = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    empty = hashlib.sha256(b"").hexdigest()
    headers = {"host": f"127.0.0.1:{server.port}", "x-amz-content-sha256": empty, "x-amz-date": moment}
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = hashlib.sha256(f"{method}\n{path}\n\n{lines}\n{names}\n{empty}".encode()).hexdigest()
    scope = f"{moment[:8]}/{server.region}/s3/aws4_request"
    key = f"AWS4{server.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    proof = hmac.new(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{request}".encode(), "sha256").hexdigest()
    credential = f"AWS4-HMAC-SHA256 Credential={server.access_key}/{scope}"
    return {**headers, "Authorization": f"{credential}, SignedHeaders={names}, Signature={proof}"}
