"""How does a worker tell of the parts of an attempt while it goes? An event under its fence, folded at once."""

from __future__ import annotations

from penstock.model.event import Reported
from penstock.services import fold
from penstock.services.commit import After
from penstock.services.core import Core
from penstock.store import inbox, queue
from penstock.store.port import Tx
from penstock.store.queue import Claim


def parts(core: Core, claim: Claim, event: Reported) -> bool:
    """Leave the news of an attempt's parts for its run and fold them; False when the claim is not this one's now."""
    now = core.clock.now()

    def work(tx: Tx) -> bool:
        if not queue.holds(tx, claim):
            return False
        inbox.put(tx, claim.run, event, now)
        return True

    accepted = core.store.write(work)
    if accepted:
        fold.follow_up(core, After(fold={claim.run}))
    return accepted
