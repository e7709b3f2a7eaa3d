"""Who may come in at first? On this machine its owner, by a key; from elsewhere nobody, until there is an owner."""

from __future__ import annotations

from penstock.app import App
from penstock.errors.project import WrongCall
from penstock.model.access import ActorKind
from penstock.services.access import local_key, people, sessions
from penstock.store.people import Person


def check_address(app: App, host: str) -> None:
    """Refuse to listen to the world while nobody could log in. Raises WrongCall."""
    if local_key.is_loopback(host) or any(_comes_in(each) for each in people.every(app.core)):
        return
    raise WrongCall(
        f"Nobody could log in: an address that others reach ({host}) wants an owner first.",
        hint="`penstock users add NAME --role owner` makes one.",
    )


def _comes_in(person: Person) -> bool:
    return person.kind is ActorKind.USER and not person.disabled and any(each.role == "owner" for each in person.grants)


def invitation(app: App, url: str) -> list[str]:
    """How the first owner comes in from a browser or a program, while nobody is there."""
    secret = sessions.first_owner(app.core)
    if secret is None:
        return []
    body = f'{{"invitation": "{secret}", "name": "…", "password": "…"}}'
    return [
        "Nobody has been added yet: `penstock users add NAME --role owner`, or once, within a day:",
        f"  curl {url}/v1/welcome -H 'Content-Type: application/json' -d '{body}'",
    ]


def greeting(app: App, url: str) -> list[str]:
    """How to call the API from this machine, and where it is told what can be called."""
    path = app.where.state / local_key.NAME
    return [f'{url}/docs shows what it serves. Call it with: curl -H "Authorization: Bearer $(cat {path})" {url}/v1/…']
