"""How do people size pools? A change lets in at once whoever has room by it."""

from __future__ import annotations

from penstock.model import ids
from penstock.model.access import Action
from penstock.services.access import audited
from penstock.services.commit import After
from penstock.services.core import Core
from penstock.services.fold import follow_up
from penstock.services.unanswered import repeat_unknown
from penstock.store import pools
from penstock.store.pools import Pool


@audited(Action.POOLS_EDIT, "pools.set", "{name}", keeps=("slots",))
def set_slots(core: Core, name: str, slots: int) -> None:
    """Give a pool a size; who is in stays in, however small it becomes. Raises BadId."""
    ids.check_flow_id(name, "a pool")
    now = core.clock.now()
    repeat_unknown(core, lambda: core.store.write(lambda tx: pools.set_slots(tx, name, slots, now)))
    follow_up(core, After(limits={ids.POOL + name}))


@audited(Action.POOLS_EDIT, "pools.delete", "{name}")
def delete(core: Core, name: str) -> bool:
    """Forget a pool: who wants it waits until it is set again. False when there was none."""
    return core.store.write(lambda tx: pools.delete(tx, name))


def every(core: Core) -> tuple[list[Pool], list[str]]:
    """The pools, and the names of those that are waited for and that nobody has set."""
    return core.store.read(lambda tx: (pools.every(tx), pools.unknown(tx)))
