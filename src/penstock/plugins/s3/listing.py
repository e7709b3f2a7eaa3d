"""How does a flow look for objects, and act on all that it finds?"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from penstock.plugins.s3.options import MAX_KEYS, S3Task
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed

SIDE_BY_SIDE: Final = 8


class Filter(enum.StrEnum):
    """Which kinds of object count: a key that ends with `/` is a folder."""

    BOTH = "BOTH"
    FILES = "FILES"
    DIRECTORY = "DIRECTORY"


class Action(enum.StrEnum):
    """What becomes of an object once it was downloaded."""

    NONE = "NONE"
    MOVE = "MOVE"
    DELETE = "DELETE"


class Finding(S3Task, frozen=True, kw_only=True):
    """What tasks that look for objects declare."""

    prefix: Annotated[str, Meta(description="What keys begin with.", examples=["exports/tenant/"])] = ""
    delimiter: Annotated[str, Meta(description="Keys are grouped up to this; groups are left out.")] = ""
    marker: Annotated[str, Meta(description="Only keys after this one.")] = ""
    max_keys: Annotated[int, Meta(description="Keys in one answer of the store; all answers are read.")] = MAX_KEYS
    regexp: Annotated[str, Meta(description="What a whole key must match.", examples=[".*\\.csv"])] = ""
    filter: Annotated[Filter, Meta(description="Which kinds count.")] = Filter.BOTH
    expected_bucket_owner: Annotated[str, Meta(description="Account that must own the bucket.")] = ""
    max_files: Annotated[int | None, Meta(description="At most so many objects.")] = None

    def found(self, client: Any) -> Iterator[dict[str, Any]]:
        """The objects that match, in the order of their keys, as many as are wanted."""
        return islice(self.every(client), self.max_files)

    def every(self, client: Any) -> Iterator[dict[str, Any]]:
        """The objects that match, however many."""
        try:
            pattern = re.compile(self.regexp) if self.regexp else None
        except re.error as error:
            raise TaskFailed(f'The regexp "{self.regexp}" cannot be read: {error}.') from None
        given = {
            "Prefix": self.prefix,
            "Delimiter": self.delimiter,
            "StartAfter": self.marker,
            "ExpectedBucketOwner": self.expected_bucket_owner,
        }
        asked = {name: value for name, value in given.items() if value}
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, PaginationConfig={"PageSize": min(max(self.max_keys, 1), MAX_KEYS)}, **asked
        )
        return (
            each
            for page in pages
            for each in page.get("Contents", ())
            if self._counts(each["Key"]) and (pattern is None or pattern.fullmatch(each["Key"]))
        )

    def _counts(self, key: str) -> bool:
        match self.filter:
            case Filter.BOTH:
                return True
            case Filter.FILES:
                return not key.endswith("/")
            case Filter.DIRECTORY:
                return key.endswith("/")


class List(Finding, frozen=True, kw_only=True):
    """List objects of a bucket."""

    type_name: ClassVar[str] = "s3.list"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.aws.s3.List",)
    outputs: ClassVar[dict[str, str]] = {"objects": "Of each: uri, key, etag, size, lastModified."}
    example: ClassVar[dict[str, object]] = {"bucket": "exports", "prefix": "tenant/", "regexp": ".*\\.csv"}

    def run(self, context: Context) -> dict[str, object]:
        """List them."""
        with self.client() as client:
            objects = [described(self.bucket, each) for each in self.found(client)]
        context.metric("size", len(objects))
        return {"objects": objects}


class Place(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Where objects are moved to."""

    bucket: Annotated[str, Meta(description="The bucket; the same unless given.")] = ""
    key: Annotated[str, Meta(description="What the new keys begin with.")] = ""


class Downloads(Finding, frozen=True, kw_only=True):
    """Download all objects that match, and move or delete them if wanted."""

    type_name: ClassVar[str] = "s3.downloads"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.aws.s3.Downloads",)
    outputs: ClassVar[dict[str, str]] = {
        "objects": "Of each: uri of the stored file, key, etag, size, lastModified.",
        "outputFiles": "Address of each stored file, by key.",
    }
    example: ClassVar[dict[str, object]] = {"bucket": "inbox", "prefix": "orders/", "action": "DELETE"}

    action: Annotated[Action, Meta(description="What becomes of the objects afterwards.")] = Action.NONE
    move_to: Annotated[Place | None, Meta(description="Where MOVE moves them to.")] = None

    def run(self, context: Context) -> dict[str, object]:
        """Download them."""
        if self.action is Action.MOVE and self.move_to is None:
            raise TaskFailed("MOVE needs the property moveTo.")
        objects: list[dict[str, object]] = []
        with self.client() as client:
            wanted = [each for each in self.found(client) if not each["Key"].endswith("/")]
            for number, each in enumerate(wanted, 1):
                path = context.workdir / f"object-{number}"
                client.download_file(self.bucket, each["Key"], str(path))
                uri = context.store(path, each["Key"].rpartition("/")[2])
                path.unlink()
                objects.append({**described(self.bucket, each), "uri": uri})
                context.reads(f"s3://{self.bucket}", each["Key"], size=each.get("Size"))
                context.progress(number, len(wanted), "objects")
            # Nothing is taken away before everything has been stored.
            for each in wanted:
                act(client, self.bucket, each["Key"], self.action, self.move_to)
        context.metric("size", len(objects))
        return {"objects": objects, "outputFiles": {str(each["key"]): each["uri"] for each in objects}}


class DeleteList(Finding, frozen=True, kw_only=True):
    """Delete all objects that match."""

    type_name: ClassVar[str] = "s3.delete_list"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.aws.s3.DeleteList",)
    outputs: ClassVar[dict[str, str]] = {"count": "How many were deleted.", "size": "Bytes that they had."}
    example: ClassVar[dict[str, object]] = {"bucket": "exports", "prefix": "old/"}

    concurrent: Annotated[int, Meta(description="Requests side by side.")] = SIDE_BY_SIDE
    error_on_empty: Annotated[bool, Meta(description="Whether nothing to delete is a failure.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Delete them."""
        with self.client() as client:
            objects = list(self.found(client))
            if not objects and self.error_on_empty:
                raise TaskFailed(f'No object of "{self.bucket}" matches.')
            chunks = [objects[start : start + MAX_KEYS] for start in range(0, len(objects), MAX_KEYS)]

            def delete(chunk: list[dict[str, Any]]) -> None:
                keys = [{"Key": each["Key"]} for each in chunk]
                answer = client.delete_objects(Bucket=self.bucket, Delete={"Objects": keys, "Quiet": True})
                if wrong := answer.get("Errors"):
                    raise TaskFailed(f'{len(wrong)} objects stay, the first is "{wrong[0].get("Key")}".')

            with ThreadPoolExecutor(max(1, self.concurrent)) as pool:
                list(pool.map(delete, chunks))
        size = sum(each["Size"] for each in objects)
        context.metric("count", len(objects))
        return {"count": len(objects), "size": size}


def act(client: Any, bucket: str, key: str, action: Action, move_to: Place | None) -> None:
    """Move or delete an object that has been stored, or leave it."""
    if action is Action.NONE:
        return
    if action is Action.MOVE and move_to is not None:
        last = key.rpartition("/")[2]
        target = f"{move_to.key.rstrip('/')}/{last}" if move_to.key else last
        client.copy({"Bucket": bucket, "Key": key}, move_to.bucket or bucket, target)
        if (move_to.bucket or bucket, target) == (bucket, key):
            return
    client.delete_object(Bucket=bucket, Key=key)


def described(bucket: str, each: dict[str, Any]) -> dict[str, object]:
    """An object of a listing as outputs tell it."""
    return {
        "uri": f"s3://{bucket}/{each['Key']}",
        "key": each["Key"],
        "etag": str(each.get("ETag", "")).strip('"'),
        "size": each["Size"],
        "lastModified": each["LastModified"],
    }
