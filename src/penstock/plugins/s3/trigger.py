"""Which trigger looks for objects of a bucket that are new or have changed?"""

from __future__ import annotations

import time
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from penstock.plugins.fs.watching import Found, Memory, On, OnWhat, StateKey, StateTtl, look
from penstock.plugins.s3.listing import Action, Finding, Place, act, described
from penstock.sdk.context import Context
from penstock.sdk.task import Fires, Outputs, TaskFailed


class Trigger(Finding, frozen=True, kw_only=True):
    """Start a run for the objects of a bucket that are new or have changed."""

    type_name: ClassVar[str] = "s3.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.aws.s3.Trigger",)
    fires: ClassVar[Fires] = Fires.POLLING
    outputs: ClassVar[dict[str, str]] = {
        "objects": "Of each: uri of the stored file, key, etag, size, lastModified, changeType (CREATE or UPDATE)."
    }
    example: ClassVar[dict[str, object]] = {"bucket": "inbox", "prefix": "orders/", "action": "DELETE"}

    action: Annotated[Action, Meta(description="What becomes of the objects once they are stored.")] = Action.NONE
    move_to: Annotated[Place | None, Meta(description="Where MOVE moves them to.")] = None
    max_files: Annotated[int | None, Meta(description="At most so many objects for one run.")] = 25
    on: OnWhat = On.CREATE_OR_UPDATE
    state_key: StateKey = ""
    state_ttl: StateTtl = None

    def run(self, context: Context) -> Outputs:
        """Look once."""
        if self.action is Action.MOVE and self.move_to is None:
            raise TaskFailed("MOVE needs the property moveTo.")

        def settle(taken: list[dict[str, object]]) -> None:
            with self.client() as client:
                for each in taken:
                    if self._version(client, str(each["key"])) == each["etag"]:
                        act(client, self.bucket, str(each["key"]), self.action, self.move_to)

        return look(context, lambda: self._look(context), None if self.action is Action.NONE else settle, "objects")

    def _look(self, context: Context) -> Found:
        memory, fires, now = Memory.of(context.state, self.state_ttl, time.time()), [], time.time()
        with self.client() as client:
            objects = {each["Key"]: described(self.bucket, each) for each in self.every(client)}
            versions = {key: str(each["etag"]) for key, each in objects.items()}
            changes = {key: memory.change(key, version, self.on) for key, version in versions.items()}
            wanted = [key for key, change in changes.items() if change and not key.endswith("/")]
            for number, key in enumerate(wanted[: self.max_files], 1):
                path = context.workdir / f"object-{number}"
                client.download_file(self.bucket, key, str(path))
                uri = context.store(path, key.rpartition("/")[2])
                path.unlink()
                fires.append({**objects[key], "uri": uri, "changeType": changes[key]})
                context.progress(number, len(wanted), "objects")
        left = () if self.max_files is None else wanted[self.max_files :]
        return Found(fires, memory.after(versions, left, now))

    def _version(self, client: Any, key: str) -> str:
        """What an object is now; nothing where it was taken away by an attempt before this one."""
        found = client.list_objects_v2(Bucket=self.bucket, Prefix=key, MaxKeys=1).get("Contents", ())
        return next((str(described(self.bucket, each)["etag"]) for each in found if each["Key"] == key), "")
