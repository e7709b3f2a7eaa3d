"""How are kept values, secrets, pools and maintenance looked after where a server has them?"""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.cli import kv as values
from penstock.cli import maintenance as still
from penstock.cli import secrets as hidden
from penstock.cli.ending import Exit
from penstock.cli.kv import KvGiven
from penstock.cli.maintenance import MaintenanceGiven
from penstock.cli.options import instant, project_of
from penstock.cli.pools import tell_pools
from penstock.cli.remote.asking import asked
from penstock.cli.remote.flows import micros
from penstock.cli.said import note
from penstock.cli.secrets import SecretGiven
from penstock.client.shapes.kept import KeyRow, KeyValue, SecretRow
from penstock.errors.api import NoSuchAddress
from penstock.services.document import instant as shown
from penstock.services.secrets.verbs import Rotated, Verified
from penstock.store.kv import Entry
from penstock.store.maintenance import Held
from penstock.store.secrets import Named


def get_value(url: str, given: dict[str, Any]) -> None:
    """Tell the value of a key."""
    wanted = msgspec.convert(given, KvGiven)
    with asked(url, given) as client:
        found = client.kv.get(values.namespace_of(wanted), wanted.key)
    values.tell_value(found, wants_json=wanted.json)


def put_value(url: str, given: dict[str, Any]) -> None:
    """Keep a value under a key."""
    wanted = msgspec.convert(given, KvGiven)
    namespace = values.namespace_of(wanted)
    expires = shown(instant(wanted.expires, "--expires")) if wanted.expires else None
    with asked(url, given) as client:
        made = client.kv.set(namespace, wanted.key, values.value_of(wanted.value), expires)
    values.tell_kept(_entry(namespace, made), wants_json=wanted.json)


def list_keys(url: str, given: dict[str, Any]) -> None:
    """List the keys of a namespace."""
    wanted = msgspec.convert(given, KvGiven)
    namespace = values.namespace_of(wanted)
    with asked(url, given) as client:
        found = [_entry(namespace, one) for one in client.kv.list(namespace, wanted.prefix)]
    values.tell_list(found, wants_json=wanted.json)


def delete_value(url: str, given: dict[str, Any]) -> None:
    """Forget the value of a key."""
    wanted = msgspec.convert(given, KvGiven)
    namespace = values.namespace_of(wanted)
    with asked(url, given) as client:
        client.kv.delete(namespace, wanted.key)
    note(f"{wanted.key} of {namespace} is forgotten.")


def put_secret(url: str, given: dict[str, Any]) -> None:
    """Keep a secret, new or changed."""
    wanted = msgspec.convert(given, SecretGiven)
    namespace = hidden.namespace_of(project_of(wanted.project), wanted)
    with asked(url, given) as client:
        made = client.secrets.set(namespace, wanted.name, hidden.text_of(wanted.value))
    hidden.tell_kept(_named(made), wants_json=wanted.json)


def list_secrets(url: str, given: dict[str, Any]) -> None:
    """List the secrets of a namespace, or of all that have flows."""
    wanted = msgspec.convert(given, SecretGiven)
    with asked(url, given) as client:
        around = [wanted.within] if wanted.within else [one.namespace for one in client.flows.namespaces()]
        found = [_named(one) for namespace in around for one in client.secrets.list(namespace)]
    hidden.tell_list(found, wants_json=wanted.json)


def delete_secret(url: str, given: dict[str, Any]) -> None:
    """Forget a secret."""
    wanted = msgspec.convert(given, SecretGiven)
    namespace = hidden.namespace_of(project_of(wanted.project), wanted)
    with asked(url, given) as client:
        client.secrets.delete(namespace, wanted.name)
    note(f"{wanted.name} of {namespace} is forgotten.")


def rotate_secrets(url: str, given: dict[str, Any]) -> None:
    """Seal all secrets anew."""
    wanted = msgspec.convert(given, SecretGiven)
    with asked(url, given) as client:
        done = client.secrets.rotate(forget=wanted.forget)
    hidden.tell_rotated(msgspec.convert(done, Rotated, from_attributes=True), wanted)


def verify_secrets(url: str, given: dict[str, Any]) -> int:
    """See that every secret can be unsealed."""
    with asked(url, given) as client:
        found = client.secrets.verify()
    return hidden.tell_verified(msgspec.convert(found, Verified, from_attributes=True), wants_json=given["json"])


def begin_maintenance(url: str, given: dict[str, Any]) -> int:
    """Let no run begin."""
    wanted = msgspec.convert(given, MaintenanceGiven)
    with asked(url, given) as client:
        done = client.maintenance.begin(wanted.namespace, reason=wanted.reason, kill=wanted.kill, force=wanted.force)
    return still.tell_begun(wanted, len(done.killed))


def end_maintenance(url: str, given: dict[str, Any]) -> int:
    """Let runs begin again."""
    wanted = msgspec.convert(given, MaintenanceGiven)
    with asked(url, given) as client:
        done = client.maintenance.end(wanted.namespace)
        held = [one.namespace for one in client.maintenance.show().held]
    return still.tell_over(wanted, held, was=done.changed)


def show_maintenance(url: str, given: dict[str, Any]) -> None:
    """Show what is in maintenance."""
    with asked(url, given) as client:
        told = client.maintenance.show()
    held = [Held(one.namespace, micros(one.since), one.by, one.reason) for one in told.held]
    still.tell_held(held, told.waiting, wants_json=given["json"])


def list_pools(url: str, given: dict[str, Any]) -> None:
    """List pools."""
    with asked(url, given) as client:
        found = client.installation.pools()
    sized = [one for one in found if one.slots is not None]
    rows = [(one.name, str(one.slots), str(one.used), str(one.waiting)) for one in sized]
    tell_pools(rows, [one.name for one in found if one.slots is None], sized if given["json"] else None)


def set_slots(url: str, given: dict[str, Any]) -> int:
    """Give a pool a size."""
    with asked(url, given) as client:
        made = client.installation.set_pool(given["name"], given["slots"])
    note(f"The pool {made.name} has {made.slots} slots.")
    return Exit.SUCCESS


def delete_pool(url: str, given: dict[str, Any]) -> int:
    """Forget a pool."""
    with asked(url, given) as client:
        try:
            client.installation.delete_pool(given["name"])
        except NoSuchAddress:
            note(f"There is no pool {given['name']}.")
            return Exit.WRONG_CALL
    note(f"The pool {given['name']} is no more.")
    return Exit.SUCCESS


def _entry(namespace: str, row: KeyRow) -> Entry:
    value = row.value if isinstance(row, KeyValue) else None
    expires = micros(row.expires) if row.expires else None
    return Entry(namespace, row.key, value, expires, row.version, micros(row.changed))


def _named(row: SecretRow) -> Named:
    return Named(row.namespace, row.name, row.version, micros(row.changed), row.changed_by)
