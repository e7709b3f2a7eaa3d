"""What can go wrong with what is kept? Codes PS-4xx."""

from __future__ import annotations

from penstock.errors import PenstockError


class StoreError(PenstockError):
    """The store cannot do what was asked; the subclasses say why."""

    code = "PS-400"


class StoreBusy(StoreError):
    """Somebody else held the store for longer than we wait."""

    code = "PS-401"
    hint = "Another process may be stopped or stuck in the middle of a write; `penstock doctor` shows who holds it."


class StoreFull(StoreError):
    """There is no room left where the store or a blob is kept."""

    code = "PS-402"
    hint = "Make room, or `penstock db prune`; runs go on by themselves."


class StoreGone(StoreError):
    """The database cannot be reached, or its file is not the one any more that was opened."""

    code = "PS-403"
    hint = "Is the address right, and the server up? Runs go on by themselves once it answers."


class CommitUnknown(StoreError):
    """The connection was lost while a COMMIT was under way: it may have happened or not."""

    code = "PS-404"
    hint = "Look at what is stored before repeating."


class StoreTooNew(StoreError):
    """The store was migrated by a newer Penstock than this one."""

    code = "PS-405"
    hint = "Use the Penstock that migrated it, or a newer one."


class StoreTooOld(StoreError):
    """The store wants migrations that have not been applied."""

    code = "PS-406"
    hint = "`penstock db migrate` applies them."


class MigrationChanged(StoreError):
    """A migration that was applied is not the text that this Penstock carries."""

    code = "PS-407"


class NetworkFileSystem(StoreError):
    """An SQLite store was put on a file system whose locks cannot be trusted."""

    code = "PS-408"
    hint = "Keep it on a local disk, or use PostgreSQL."


class NotAStore(StoreError):
    """The database is there, but it is not one of ours, or it is damaged."""

    code = "PS-409"


class NewerEvent(StoreError):
    """An event waits that only a newer Penstock understands; this one leaves the run alone."""

    code = "PS-410"


class DriverMissing(StoreError):
    """The package that speaks to this kind of store is not installed."""

    code = "PS-411"


class StoreMoved(StoreError):
    """The store has moved elsewhere, or is just being moved, filled or restored: nobody may work with it."""

    code = "PS-412"


class StoreInUse(StoreError):
    """Somebody works with a store that has to stand still."""

    code = "PS-413"
    hint = "Stop its servers and workers first: `penstock db status` names them."


class StoreNotEmpty(StoreError):
    """A store that was to be filled holds something already."""

    code = "PS-414"
    hint = "Name an empty database, or another schema of it."


class Unlike(StoreError):
    """What arrived in another store is not what was sent."""

    code = "PS-415"
    hint = "The store that was there is whole: `penstock db move --undo` goes on with it."


class BlobMissing(StoreError):
    """No blob has this address."""

    code = "PS-420"


class BlobFailed(StoreError):
    """The blob store refused or failed."""

    code = "PS-421"


class BadBlobAddress(StoreError):
    """The text is not the address of a blob, or the key cannot name one."""

    code = "PS-422"
