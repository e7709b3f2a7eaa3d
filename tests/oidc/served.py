"""How does a test come by an OpenID provider? npm's `oidc-provider`, which `make oidc` installs, on a free port."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from projects.servers.child import await_ready, free_port, listens, spawn, stop
from tests.servers import DEMANDED

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock" / "oidc-provider-8.8.1"
CALLBACK = "http://penstock.test/v1/oidc/callback"
ACTION = re.compile(r'action="([^"]+)"')


class OpenId(msgspec.Struct, frozen=True):
    """A provider that runs, and how it is reached."""

    issuer: str

    def visit(self, url: str, subject: str) -> httpx.URL:
        """Go where a login sends a browser, say who is there on the provider's pages, and end where it sends back."""
        with httpx.Client(follow_redirects=False) as browser:
            answer = browser.get(url)
            while not answer.headers.get("location", "").startswith(CALLBACK):
                if answer.is_redirect:
                    answer = browser.get(answer.url.join(answer.headers["location"]))
                    continue
                assert answer.status_code == 200, answer.text
                found = ACTION.search(answer.text)
                assert found, answer.text
                prompt = "login" if 'value="login"' in answer.text else "consent"
                sent = {"prompt": prompt} | ({"login": subject, "password": "any"} if prompt == "login" else {})
                answer = browser.post(answer.url.join(found[1]), data=sent)
            return httpx.URL(answer.headers["location"])


@pytest.fixture(scope="session")
def openid(server_folder: Path) -> Iterator[OpenId]:
    """An OpenID provider that knows everybody."""
    node = shutil.which("node")
    if node is None or not (CACHE / ".installed").exists():
        if DEMANDED:
            pytest.fail("the OpenID provider of the tests is not here: make oidc")
        pytest.skip("no OpenID provider on this machine: make oidc")
    port = free_port()
    log = server_folder / "openid.log"
    process = spawn([node, str(Path(__file__).with_name("provider.mjs")), str(CACHE), str(port), CALLBACK], log=log)
    try:
        await_ready(process, log, lambda: listens(port), what="the OpenID provider")
        yield OpenId(f"http://127.0.0.1:{port}")
    finally:
        stop(process, signal.SIGTERM)
