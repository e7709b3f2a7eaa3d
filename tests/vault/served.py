"""How does a test come by a Vault? HashiCorp's own, which `make vault` builds, in memory, on a free port."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projects.servers.child import await_ready, free_port, listens, spawn, stop
from tests.servers import DEMANDED

BUILT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock" / "vault-1.21.4" / "vault"


class RealVault:
    """A Vault that runs: it is set up as the documentation says, sealed and unsealed."""

    def __init__(self, address: str) -> None:
        self.address = address
        told = self.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token="")
        self.key, self.root = str(told["keys"][0]), str(told["root_token"])
        self.unseal()

    def call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> dict[str, Any]:
        """Ask it as root, or by a token."""
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/v1/{path}", sent, method=method)
        request.add_header("X-Vault-Token", self.root if token is None else token)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        found: dict[str, Any] = json.loads(text) if text else {}
        return found

    def unseal(self) -> None:
        """Let it answer again."""
        self.call("PUT", "sys/unseal", {"key": self.key}, token="")

    def seal(self) -> None:
        """Keep it from telling anything."""
        self.call("PUT", "sys/seal")

    def keep(self, path: str, **entries: str) -> None:
        """Keep a secret in the KV engine `secret`."""
        self.call("POST", f"secret/data/{path}", {"data": entries})

    def role(self, policy: str, **more: object) -> tuple[str, str]:
        """A role of AppRole that may do what a policy says, and what proves it."""
        self.call("PUT", f"sys/policies/acl/{policy}", {"policy": POLICIES[policy]})
        self.call("POST", f"auth/approle/role/{policy}", {"token_policies": [policy], **more})
        role = self.call("GET", f"auth/approle/role/{policy}/role-id")["data"]["role_id"]
        proof = self.call("POST", f"auth/approle/role/{policy}/secret-id", {})["data"]["secret_id"]
        return role, proof


POLICIES = {
    "all": 'path "secret/data/penstock/*" { capabilities = ["read"] }',
    "shop": 'path "secret/data/penstock/shop/*" { capabilities = ["read"] }',
}


@pytest.fixture(scope="session")
def real_vault(server_folder: Path) -> Iterator[RealVault]:
    """A Vault with a KV engine of version 2 at `secret`, and AppRole."""
    if not BUILT.is_file():
        if DEMANDED:
            pytest.fail("the Vault of the tests is not here: make vault")
        pytest.skip("no Vault on this machine: make vault builds one")
    port = free_port()
    log = server_folder / "vault.log"
    process = spawn([str(BUILT), "-address", f"127.0.0.1:{port}"], log=log)
    try:
        await_ready(process, log, lambda: listens(port), what="the Vault")
        made = RealVault(f"http://127.0.0.1:{port}")
        made.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        made.call("POST", "sys/auth/approle", {"type": "approle"})
        yield made
    finally:
        stop(process, signal.SIGTERM)
