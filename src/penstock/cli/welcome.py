"""Who may come in at first? On this machine its owner, by a key; from elsewhere nobody, until there is an owner."""

from __future__ import annotations

from penstock.app import App
from penstock.errors.project import WrongCall
from penstock.services.access import local_key, people


def check_address(app: App, host: str) -> None:
    """Refuse to listen to the world while nobody could log in. Raises WrongCall."""
    if local_key.is_loopback(host) or people.every(app.core):
        return
    raise WrongCall(
        f"Nobody could log in: an address that others reach ({host}) wants an owner first.",
        hint="`penstock users add NAME --role owner` makes one.",
    )


def greeting(app: App) -> list[str]:
    """How to call the API from this machine."""
    path = app.where.state / local_key.NAME
    return [f'Call it with: curl -H "Authorization: Bearer $(cat {path})" …']
