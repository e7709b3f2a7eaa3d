"""Which keys tell of a branch that flows come from? The entries of `git` in penstock.yaml."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.sdk.values import Duration


class BranchSecrets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """`secrets` of a branch: names of secrets, looked for in the namespace `within`."""

    password: Annotated[str, Meta(description="Of the password, or a token.")] = ""
    private_key: Annotated[str, Meta(description="Of the private key of SSH.")] = ""
    passphrase: Annotated[str, Meta(description="Of what the key is locked with.")] = ""
    webhook: Annotated[str, Meta(description="Of what requests of the repository are signed with.")] = ""


class Branch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One entry of `git`: a branch that is the source of flows, and of files of namespaces."""

    url: Annotated[str, Meta(description="The repository: `https://…`, `ssh://…`, `user@host:path`, or a folder.")]
    branch: Annotated[str, Meta(description="The branch.")] = "main"
    folder: Annotated[str, Meta(description="Where the project lies in the repository; else at its top.")] = ""
    flows: Annotated[tuple[str, ...], Meta(description="Folders of flows in it; an empty one is all of it.")] = (
        "flows",
    )
    files: Annotated[
        dict[str, str],
        Meta(description="Files of namespaces: the folder of each (`shop: code`)."),
    ] = {}
    namespaces: Annotated[
        dict[str, str],
        Meta(description="What namespaces of the flows become here, those below them included (`shop: staging.shop`)."),
    ] = {}
    within: Annotated[str, Meta(description="The one namespace that it may change, with those below; else any.")] = ""
    every: Annotated[Duration, Meta(description="How often it is looked at.")] = Duration(60_000_000)
    prune: Annotated[
        bool, Meta(description="Whether what it has brought, and has no more, starts no more runs, or is deleted.")
    ] = True
    username: Annotated[str, Meta(description="Who asks; `${NAME}` takes it from the environment.")] = ""
    password: Annotated[str, Meta(description="The password, or a token; `${NAME}` takes it from the environment.")] = (
        ""
    )
    private_key: Annotated[str, Meta(description="The file of a private key of SSH.")] = ""
    known_hosts: Annotated[
        str, Meta(description="A file as `known_hosts`: the keys that the machine may have; SSH is not spoken without.")
    ] = ""
    webhook: Annotated[
        str,
        Meta(description="What requests of the repository are signed with; `${NAME}` takes it from the environment."),
    ] = ""
    secrets: Annotated[BranchSecrets, Meta(description="The same as secrets, by their names.")] = BranchSecrets()
