"""How does a script say `import penstock`? By what it can tell; where Penstock is installed, with all of that, too."""

from __future__ import annotations

from penstock_given import (
    counter,
    files,
    gauge,
    give_way,
    log,
    logger,
    outputs,
    progress,
    reads,
    save_state,
    send,
    snooze,
    timer,
    writes,
)

TOLD = (counter, files, gauge, log, logger, outputs, progress, reads, save_state, send, snooze, timer, writes)
give_way("penstock", {each.__name__: each for each in TOLD})
