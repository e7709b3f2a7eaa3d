"""Where are tokens of servers kept? In the keyring of the system where there is one, else in a file of the owner's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from penstock.errors.client import NoKeyring
from penstock.services.secrets.local import check_mode

SERVICE: Final = "penstock"
TOKEN: Final = "PENSTOCK_TOKEN"


class Login(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A server that one is logged in to: as whom, and the token; an empty one is kept in the keyring.

    `begins` is what the token begins with where the login made it, so that a logout can make it worthless.
    """

    url: str
    name: str
    token: str = ""
    begins: str = ""


class Logins(msgspec.Struct, frozen=True):
    """All logins of somebody on a machine, the newest last."""

    logins: tuple[Login, ...] = ()


def every() -> tuple[Login, ...]:
    """The logins that there are, the newest last. Raises LooseSecrets where others may read them."""
    path = _file()
    try:
        check_mode(path)
        return msgspec.json.decode(path.read_bytes(), type=Logins).logins
    except FileNotFoundError:
        return ()
    except msgspec.MsgspecError as error:
        raise NoKeyring(f"{path} does not hold logins: {error}.", hint="Remove it, and log in again.") from None


def newest() -> str:
    """The address of the server that one logged in to last; empty where there is none."""
    found = every()
    return found[-1].url if found else ""


def token_of(url: str) -> str:
    """The token of a server; empty where one is not logged in to it. Raises NoKeyring."""
    login = next((each for each in every() if each.url == url), None)
    if login is None or login.token:
        return login.token if login else ""
    return _asked_of_keyring(lambda ring: ring.get_password(SERVICE, url)) or ""


def keep(login: Login) -> str:
    """Keep a login, and say where its token is: `keyring`, or the file."""
    others = [each for each in every() if each.url != login.url]
    where = "keyring"
    try:
        _asked_of_keyring(lambda ring: ring.set_password(SERVICE, login.url, login.token))
        login = msgspec.structs.replace(login, token="")
    except NoKeyring:
        where = str(_file())
    _write((*others, login))
    return where


def forget(login: Login) -> None:
    """Forget a login."""
    if not login.token:
        _asked_of_keyring(lambda ring: ring.delete_password(SERVICE, login.url))
    _write(tuple(each for each in every() if each.url != login.url))


def _asked_of_keyring(ask: Any) -> Any:
    """Ask the keyring of the system. Raises NoKeyring."""
    try:
        import keyring
    except ImportError:
        raise NoKeyring("There is no keyring here.", hint='pip install "penstock[keyring]"') from None
    try:
        return ask(keyring)
    except keyring.errors.KeyringError as error:
        raise NoKeyring(f"The keyring of this system does not answer: {error}.") from None


def _file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base else Path.home() / ".config") / "penstock" / "logins.json"


def _write(logins: tuple[Login, ...]) -> None:
    path = _file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(Logins(logins)))
    fresh.replace(path)
