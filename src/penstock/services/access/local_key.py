"""How does the owner of a machine's installation come in without a login? By a key in a file that only they can read.

Who can read the file can read the store beside it, so the key gives nothing that they do not have. It is good for calls
from this very machine alone.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
from pathlib import Path
from typing import Final

from penstock.model.access import Actor, Grant
from penstock.services.access import keys
from penstock.services.secrets.local import check_mode

NAME: Final = "key"
LETTERS: Final = 52


def read(state: Path) -> str:
    """The key of an installation, drawn when it is read first. Raises LooseSecrets where others may read it."""
    path = state / NAME
    try:
        check_mode(path)
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    state.mkdir(parents=True, exist_ok=True)
    fresh = state / f"{NAME}.{os.getpid()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(keys.draw(LETTERS) + "\n")
    try:
        os.link(fresh, path)  # of two that draw one at the same moment, the first counts
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text(encoding="ascii").strip()


def resolve(key: str, given: str, name: str, address: str) -> Actor | None:
    """Who brings the key along from this machine: the owner."""
    if not key or not hmac.compare_digest(key.encode(), given.encode(errors="surrogatepass")):
        return None
    if not is_loopback(address):
        return None
    return Actor(name=name, grants=(Grant("owner"),), via="local key", origin=address)


def is_loopback(host: str) -> bool:
    """Whether an address or a name is this machine's own, which nobody else reaches."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
