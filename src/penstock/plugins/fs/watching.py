"""Which files of a place are new, or have changed, since a trigger last looked, and what becomes of those?

A look has two attempts where files are moved or deleted: the first stores them and keeps what it took, the second takes
them away. So whatever dies in between, no file is gone that nothing was started for.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from penstock.plugins.fs import place
from penstock.plugins.fs.place import Action, Choice, Entry, Opening, Place
from penstock.sdk.context import Context
from penstock.sdk.task import Outcome, Outputs, Result, TaskFailed
from penstock.sdk.values import Duration

SEEN: Final = {
    "files": "Of each: uri and path (address of the stored file), serverPath, name, fileType, size, updatedDate, "
    "changeType (CREATE or UPDATE)."
}


class On(enum.StrEnum):
    """What counts."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    CREATE_OR_UPDATE = "CREATE_OR_UPDATE"


OnWhat = Annotated[On, Meta(description="Whether what is new counts, or what has changed, or both.")]
StateKey = Annotated[str, Meta(description="Read and not used: what was seen is kept with the trigger.")]
StateTtl = Annotated[
    Duration | None,
    Meta(
        description="For how long it is remembered that something was seen; for ever unless given.",
        extra={"unit": "ISO-8601, or seconds"},
    ),
]


class Memory(msgspec.Struct, frozen=True):
    """What a trigger remembers of things by name: their versions, and when each was seen first (seconds of 1970)."""

    known: Mapping[str, tuple[str, float]]

    @classmethod
    def of(cls, state: Mapping[str, object], ttl: Duration | None, now: float) -> Memory:
        """What an earlier look kept, as far as it still counts."""
        known = msgspec.convert(state.get("seen") or {}, dict[str, tuple[str, float]])
        if ttl is None:
            return cls(known)
        return cls({name: (version, at) for name, (version, at) in known.items() if at > now - ttl.seconds})

    def change(self, name: str, version: str, on: On) -> str:
        """CREATE or UPDATE where a thing counts; nothing where it does not."""
        before = self.known.get(name)
        if before is None:
            return "" if on is On.UPDATE else "CREATE"
        return "UPDATE" if before[0] != version and on is not On.CREATE else ""

    def after(self, seen: Mapping[str, str], left: Iterable[str], now: float) -> dict[str, object]:
        """What is to be kept: all that is there, but what was `left` for the next look."""
        for_later = set(left)
        kept: dict[str, object] = {}
        for name, version in seen.items():
            before = self.known.get(name)
            if name not in for_later:
                kept[name] = before if before is not None and before[0] == version else (version, now)
            elif before is not None:
                kept[name] = before
        return kept


class Found(msgspec.Struct, frozen=True):
    """What a look found: what fires, told for outputs, and what is to be remembered."""

    fires: list[dict[str, object]]
    seen: dict[str, object]


def look(
    context: Context, find: Callable[[], Found], settle: Callable[[list[dict[str, object]]], None] | None, name: str
) -> Outputs:
    """Find what counts; then take it away with `settle`, in an attempt of its own, where that is wanted."""
    taken = context.state.get("taken")
    if isinstance(taken, list):
        if settle is not None:
            settle(taken)
        context.save_state({"seen": context.state.get("seen")})
        return {name: taken}
    found = find()
    if not found.fires:
        context.save_state({"seen": found.seen})
        return Result(outcome=Outcome.SKIPPED)
    if settle is None:
        context.save_state({"seen": found.seen})
        return {name: found.fires}
    context.save_state({"seen": found.seen, "taken": found.fires})
    return Result(outcome=Outcome.SNOOZED, wait=0)


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """What a trigger on files looks for, and what it does with those that it finds."""

    choice: Choice
    action: Action
    move_to: str
    on: On
    ttl: Duration | None

    def looked(self, opening: Callable[[], Opening], context: Context, now: float) -> Outputs:
        """One look."""
        if self.action is Action.MOVE and not self.move_to:
            raise TaskFailed("MOVE needs the property moveDirectory.")

        def settle(taken: list[dict[str, object]]) -> None:
            with opening() as there:
                for each in taken:
                    self._away(there, str(each["serverPath"]), str(each["name"]))

        acts = None if self.action is Action.NONE else settle
        return look(context, lambda: self._found(opening, context, now), acts, "files")

    def _found(self, opening: Callable[[], Opening], context: Context, now: float) -> Found:
        memory = Memory.of(context.state, self.ttl, now)
        fires: list[dict[str, object]] = []
        with opening() as there:
            files = {each.path: each for each in _all(self.choice).found(there)}
            changes = {path: memory.change(path, _version(each), self.on) for path, each in files.items()}
            wanted = [path for path, change in changes.items() if change]
            most = self.choice.max_files
            for number, path in enumerate(wanted[:most], 1):
                target = context.workdir / f"file-{number}"
                there.get(path, target)
                uri = context.store(target, files[path].name)
                target.unlink()
                beside = {"path": uri, "uri": uri, "serverPath": path, "changeType": changes[path]}
                fires.append({**place.told(files[path]), **beside})
                context.progress(number, len(wanted), "files")
        left = () if most is None else wanted[most:]
        return Found(fires, memory.after({path: _version(each) for path, each in files.items()}, left, now))

    def _away(self, there: Place, path: str, name: str) -> None:
        if not there.exists(path):  # taken away by an attempt before this one
            return
        if self.action is Action.DELETE:
            there.delete(path)
        else:
            there.make_folder(self.move_to)
            there.move(path, f"{self.move_to.rstrip('/')}/{name}")


def _all(choice: Choice) -> Choice:
    """The same files, however many."""
    return msgspec.structs.replace(choice, max_files=None)


def _version(each: Entry) -> str:
    return f"{each.updated.timestamp() if each.updated else 0:.3f}/{each.size}"
