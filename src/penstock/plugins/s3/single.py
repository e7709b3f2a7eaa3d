"""How does a flow put, get, copy and delete single objects, and make buckets?"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta, field

from penstock.plugins.s3.options import S3Task
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed

KEY = "The object's key."


class Upload(S3Task, frozen=True, kw_only=True):
    """Put stored files into a bucket."""

    type_name: ClassVar[str] = "s3.upload"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.aws.s3.Upload",)
    outputs: ClassVar[dict[str, str]] = {
        "bucket": "The bucket.",
        "key": "The key.",
        "eTag": "The object's tag.",
        "versionId": "Its version, where the bucket keeps them.",
        "files": "Keys, when several files were given.",
    }
    example: ClassVar[dict[str, object]] = {
        "bucket": "exports",
        "key": "tenant/2016-01-02.csv",
        "from": "{{ outputs.write.uri }}",
    }

    from_: Annotated[
        str | list[str] | dict[str, str],
        Meta(description="Address of the file; or several, then `key` is what their keys begin with."),
    ] = field(name="from")
    key: Annotated[str, Meta(description=KEY, examples=["tenant/2016-01-02.csv"])]
    metadata: Annotated[dict[str, str], Meta(description="Words kept with the object.")] = field(default_factory=dict)
    content_type: Annotated[str, Meta(description="What the object is.", examples=["text/csv"])] = ""
    content_encoding: Annotated[str, Meta(description="How it is packed.", examples=["gzip"])] = ""
    content_disposition: Annotated[str, Meta(description="How browsers treat it.")] = ""
    content_language: Annotated[str, Meta(description="Its language.")] = ""
    cache_control: Annotated[str, Meta(description="How long it may be kept.")] = ""
    storage_class: Annotated[str, Meta(description="How it is kept.", examples=["STANDARD_IA"])] = ""
    server_side_encryption: Annotated[str, Meta(description="How it is encrypted.", examples=["AES256"])] = ""
    kms_key_id: Annotated[str, Meta(description="Key of aws:kms.")] = ""
    acl: Annotated[str, Meta(description="A canned access list.")] = ""
    tagging: Annotated[dict[str, str], Meta(description="Tags.")] = field(default_factory=dict)

    def run(self, context: Context) -> dict[str, object]:
        """Put them."""
        with self.client() as client:
            match self._files():
                case str() as uri:
                    return self._put(client, context, uri, self.key)
                case list() as uris:
                    several = {PurePosixPath(uri).name: uri for uri in uris}
                case mapping:
                    several = mapping
            keys = {name: f"{self.key.rstrip('/')}/{name}" for name in several}
            for number, (name, uri) in enumerate(several.items(), 1):
                self._put(client, context, uri, keys[name])
                context.progress(number, len(several), "files")
        return {"bucket": self.bucket, "key": self.key, "files": keys}

    def _files(self) -> str | list[str] | dict[str, str]:
        """What `from` means: a rendered list or map arrives as JSON text."""
        if isinstance(self.from_, str) and self.from_.strip()[:1] in ("[", "{"):
            try:
                return msgspec.json.decode(self.from_, type=list[str] | dict[str, str])
            except msgspec.MsgspecError as error:
                raise TaskFailed(f"`from` is no list and no map of addresses: {error}.") from None
        return self.from_

    def _put(self, client: Any, context: Context, uri: str, key: str) -> dict[str, object]:
        path = context.fetch(uri)
        client.upload_file(str(path), self.bucket, key, ExtraArgs=self._extra())
        context.metric("file.size", path.stat().st_size)
        context.writes(f"s3://{self.bucket}", key, size=path.stat().st_size)
        head = client.head_object(Bucket=self.bucket, Key=key)
        return {
            "bucket": self.bucket,
            "key": key,
            "eTag": str(head.get("ETag", "")).strip('"'),
            "versionId": head.get("VersionId"),
        }

    def _extra(self) -> dict[str, object]:
        given: dict[str, object] = {
            "Metadata": self.metadata,
            "ContentType": self.content_type,
            "ContentEncoding": self.content_encoding,
            "ContentDisposition": self.content_disposition,
            "ContentLanguage": self.content_language,
            "CacheControl": self.cache_control,
            "StorageClass": self.storage_class,
            "ServerSideEncryption": self.server_side_encryption,
            "SSEKMSKeyId": self.kms_key_id,
            "ACL": self.acl,
            "Tagging": "&".join(f"{name}={value}" for name, value in self.tagging.items()),
        }
        return {name: value for name, value in given.items() if value}


class Download(S3Task, frozen=True, kw_only=True):
    """Get an object and store it as a file."""

    type_name: ClassVar[str] = "s3.download"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.aws.s3.Download",)
    outputs: ClassVar[dict[str, str]] = {
        "uri": "Address of the stored file.",
        "contentLength": "Its bytes.",
        "contentType": "What the object is.",
        "eTag": "The object's tag.",
        "versionId": "Its version.",
        "metadata": "Words kept with the object.",
    }
    example: ClassVar[dict[str, object]] = {"bucket": "exports", "key": "tenant/2016-01-02.csv"}

    key: Annotated[str, Meta(description=KEY, examples=["tenant/2016-01-02.csv"])]
    version_id: Annotated[str, Meta(description="The version; the newest unless given.")] = ""

    def run(self, context: Context) -> dict[str, object]:
        """Get it."""
        version = {"VersionId": self.version_id} if self.version_id else {}
        path = context.workdir / "object.out"
        with self.client() as client:
            head = client.head_object(Bucket=self.bucket, Key=self.key, **version)
            client.download_file(self.bucket, self.key, str(path), ExtraArgs=version)
        context.metric("file.size", head["ContentLength"])
        context.reads(f"s3://{self.bucket}", self.key, size=head["ContentLength"])
        return {
            "uri": context.store(path, PurePosixPath(self.key).name),
            "contentLength": head["ContentLength"],
            "contentType": head.get("ContentType"),
            "eTag": str(head.get("ETag", "")).strip('"'),
            "versionId": head.get("VersionId"),
            "metadata": head.get("Metadata", {}),
        }


class From(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An object to copy."""

    bucket: Annotated[str, Meta(description="Its bucket.")]
    key: Annotated[str, Meta(description="Its key.")]
    version_id: Annotated[str, Meta(description="Its version.")] = ""


class To(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Where it goes."""

    bucket: Annotated[str, Meta(description="The bucket; the same unless given.")] = ""
    key: Annotated[str, Meta(description="The key; the same unless given.")] = ""


class Copy(S3Task, frozen=True, kw_only=True):
    """Copy an object, within the store."""

    type_name: ClassVar[str] = "s3.copy"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.aws.s3.Copy",)
    outputs: ClassVar[dict[str, str]] = {"bucket": "The new bucket.", "key": "The new key.", "eTag": "The new tag."}
    example: ClassVar[dict[str, object]] = {
        "from": {"bucket": "inbox", "key": "a.csv"},
        "to": {"bucket": "archive", "key": "2016/a.csv"},
    }

    bucket: Annotated[str, Meta(description="Not used: `from` and `to` name the buckets.")] = ""
    from_: Annotated[From, Meta(description="The object.")] = field(name="from")
    to: Annotated[To, Meta(description="Where it goes.")] = To()
    delete: Annotated[bool, Meta(description="Whether the first object is deleted afterwards.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Copy it."""
        bucket, key = self.to.bucket or self.from_.bucket, self.to.key or self.from_.key
        if (bucket, key) == (self.from_.bucket, self.from_.key):
            raise TaskFailed("An object cannot be copied to where it is.")
        source = {"Bucket": self.from_.bucket, "Key": self.from_.key}
        if self.from_.version_id:
            source["VersionId"] = self.from_.version_id
        with self.client() as client:
            client.copy(source, bucket, key)
            head = client.head_object(Bucket=bucket, Key=key)
            if self.delete:
                client.delete_object(**source)
        context.reads(f"s3://{self.from_.bucket}", self.from_.key)
        context.writes(f"s3://{bucket}", key)
        return {"bucket": bucket, "key": key, "eTag": str(head.get("ETag", "")).strip('"')}


class Delete(S3Task, frozen=True, kw_only=True):
    """Delete an object; one that is not there is no failure."""

    type_name: ClassVar[str] = "s3.delete"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.aws.s3.Delete",)
    outputs: ClassVar[dict[str, str]] = {"versionId": "The version.", "deleteMarker": "Whether a marker was set."}
    example: ClassVar[dict[str, object]] = {"bucket": "exports", "key": "tenant/2016-01-02.csv"}

    key: Annotated[str, Meta(description=KEY, examples=["tenant/2016-01-02.csv"])]
    version_id: Annotated[str, Meta(description="The version; the newest unless given.")] = ""

    def run(self, context: Context) -> dict[str, object]:
        """Delete it."""
        version = {"VersionId": self.version_id} if self.version_id else {}
        with self.client() as client:
            answer = client.delete_object(Bucket=self.bucket, Key=self.key, **version)
        return {"versionId": answer.get("VersionId"), "deleteMarker": answer.get("DeleteMarker")}


class CreateBucket(S3Task, frozen=True, kw_only=True):
    """Make a bucket; one that is ours already is no failure."""

    type_name: ClassVar[str] = "s3.create_bucket"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.aws.s3.CreateBucket",)
    outputs: ClassVar[dict[str, str]] = {
        "bucket": "The bucket.",
        "region": "Its region.",
        "created": "Whether it is new.",
    }
    example: ClassVar[dict[str, object]] = {"bucket": "exports", "region": "eu-west-1"}

    acl: Annotated[str, Meta(description="A canned access list.")] = ""
    object_lock_enabled_for_bucket: Annotated[bool, Meta(description="Whether objects can be locked.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Make it."""
        more: dict[str, object] = {"ACL": self.acl} if self.acl else {}
        if self.object_lock_enabled_for_bucket:
            more["ObjectLockEnabledForBucket"] = True
        if self.region and self.region != "us-east-1":
            more["CreateBucketConfiguration"] = {"LocationConstraint": self.region}
        created = True
        with self.client() as client:
            try:
                client.create_bucket(Bucket=self.bucket, **more)
            except client.exceptions.BucketAlreadyOwnedByYou:
                created = False
        return {"bucket": self.bucket, "region": self.region or None, "created": created}
