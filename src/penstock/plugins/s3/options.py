"""What have S3 tasks in common? How the store is reached, and by whom."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from penstock.errors.task import MissingExtra
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Secret

MAX_KEYS: Final = 1000


class S3Task(TaskType, frozen=True, kw_only=True):
    """What every S3 task declares."""

    mode: ClassVar[Mode] = Mode.WARM
    example: ClassVar[dict[str, object]] = {"bucket": "exports"}

    bucket: Annotated[str, Meta(description="The bucket.", examples=["exports"])]
    region: Annotated[str, Meta(description="Its region.", examples=["eu-west-1"])] = ""
    access_key_id: Annotated[str, Meta(description="Who asks; from the environment unless given.")] = ""
    secret_key_id: Annotated[Secret, Meta(description="The secret key.")] = Secret("")
    session_token: Annotated[Secret, Meta(description="Token of a session.")] = Secret("")
    endpoint_override: Annotated[
        str, Meta(description="Address of another store that speaks as S3 does.", examples=["http://127.0.0.1:9000"])
    ] = ""
    force_path_style: Annotated[
        bool | None,
        Meta(description="Whether the bucket stands in the path; yes with an endpoint of one's own unless said."),
    ] = None
    compatibility_mode: Annotated[
        bool, Meta(description="Whether only what old stores know is spoken: no checksums but what is required.")
    ] = False
    sts_role_arn: Annotated[str, Meta(description="Role to take on first.")] = ""
    sts_role_session_name: Annotated[str, Meta(description="Name of that session.")] = "penstock"
    sts_role_external_id: Annotated[str, Meta(description="External id that the role asks for.")] = ""
    sts_endpoint_override: Annotated[str, Meta(description="Address of the service that gives roles.")] = ""

    def libraries(self) -> tuple[str, ...]:
        """boto3."""
        return ("boto3",)

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        """A client for the time of the task; what the store refuses is a TaskFailed."""
        library, errors = driver()
        from botocore.config import Config

        own = bool(self.endpoint_override)
        path_style = own if self.force_path_style is None else self.force_path_style
        checksums = "when_required" if own or self.compatibility_mode else "when_supported"
        config = Config(
            s3={"addressing_style": "path" if path_style else "auto"},
            retries={"mode": "standard", "max_attempts": 5},
            request_checksum_calculation=checksums,
            response_checksum_validation=checksums,
        )
        where = {"region_name": self.region or ("us-east-1" if own else None)}
        try:
            login = self._role(library, where) if self.sts_role_arn else self._keys()
            client = library.client("s3", endpoint_url=self.endpoint_override or None, config=config, **where, **login)
            with contextlib.closing(client):
                yield client
        except errors.ClientError as error:
            raise TaskFailed(told(error)) from error
        except (errors.BotoCoreError, library.exceptions.Boto3Error) as error:
            raise TaskFailed(f"{error}") from error

    def _keys(self) -> dict[str, str | None]:
        return {
            "aws_access_key_id": self.access_key_id or None,
            "aws_secret_access_key": str(self.secret_key_id) or None,
            "aws_session_token": str(self.session_token) or None,
        }

    def _role(self, library: Any, where: dict[str, str | None]) -> dict[str, str | None]:
        roles = library.client("sts", endpoint_url=self.sts_endpoint_override or None, **where, **self._keys())
        more = {"ExternalId": self.sts_role_external_id} if self.sts_role_external_id else {}
        given = roles.assume_role(RoleArn=self.sts_role_arn, RoleSessionName=self.sts_role_session_name, **more)
        keys = given["Credentials"]
        return {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }


def driver() -> tuple[Any, Any]:
    """The library and its errors; MissingExtra when it is not installed."""
    try:
        import boto3
        import boto3.exceptions
        from botocore import exceptions
    except ImportError:
        raise MissingExtra(
            "S3 needs the package boto3.", hint="Install it with `pip install 'penstock[s3]'`."
        ) from None
    return boto3, exceptions


def told(error: Any) -> str:
    """What the store said, in a sentence."""
    said = error.response.get("Error", {})
    return f"{error.operation_name}: {said.get('Message') or said.get('Code')} ({said.get('Code')})."
