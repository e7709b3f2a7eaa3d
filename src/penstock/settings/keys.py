"""Which keys may stand in penstock.yaml? Values with a sentence each; the reference is written from them."""

from __future__ import annotations

import os
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from penstock.sdk.values import Duration, Size
from penstock.settings.branches import Branch

DAY: Final = 86_400_000_000
Weekday = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]


class Kestra(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`kestra`: how flows in Kestra's language behave where its versions differ."""

    version: Annotated[
        Literal["0.20", "1", "2"],
        Meta(description="The version of the language; one file says otherwise with a first line `# kestra: 0.20`."),
    ] = "1"
    allow_unknown: Annotated[
        bool,
        Meta(
            description="Whether a flow may name task types that are not installed; a run fails where it gets to one."
        ),
    ] = False


class PluginDefault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `pluginDefaults`: values for every task of a type."""

    type: Annotated[str, Meta(description="A task type, or the beginning of the names of several (`shell`).")]
    values: Annotated[dict[str, object], Meta(description="Properties and their values.")]
    forced: Annotated[bool, Meta(description="Whether the value counts even where a task says another.")] = False


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`limits`: how much may happen at once, and how long is waited."""

    attempts: Annotated[
        int,
        Meta(
            ge=0,
            le=10_000,
            description="Attempts that one worker does at once; 0: eight for each processor.",
        ),
    ] = 0
    log: Annotated[Size, Meta(description="Bytes of text that one attempt may log; what comes after is dropped.")] = (
        Size(100 * 1024 * 1024)
    )
    grace: Annotated[
        Duration, Meta(description="Between asking a process to end (SIGTERM) and ending it (SIGKILL).")
    ] = Duration(10_000_000)
    lease: Annotated[
        Duration,
        Meta(
            description="After so much silence a worker on another machine counts as dead, and its work is done anew."
        ),
    ] = Duration(10_000_000)
    calls: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Calls that one caller of the API may make in a second, of each server; 0: as many as wanted.",
        ),
    ] = 1_000


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`retention`: how long ended runs are kept; workers and `penstock db prune` remove what is older."""

    runs: Annotated[
        Duration | None,
        Meta(description="Runs with all that belongs to them, since their end; `null` keeps them for ever."),
    ] = Duration(90 * DAY)
    logs: Annotated[Duration | None, Meta(description="Their logs alone; `null` keeps them as long as their run.")] = (
        Duration(30 * DAY)
    )
    audit: Annotated[
        Duration | None,
        Meta(description="What people did, as the audit tells it, since then; `null` keeps it for ever."),
    ] = None


class Containers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`containers`: what a task's container may ask of the machine that it runs on."""

    volumes: Annotated[bool, Meta(description="Whether containers may have folders of the machine (`volumes`).")] = (
        False
    )
    privileged: Annotated[bool, Meta(description="Whether containers may have all of its powers (`privileged`).")] = (
        False
    )


class ClosedDays(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One entry of `calendars`: which days are closed for the schedules that name it."""

    country: Annotated[str, Meta(description="Its public holidays are closed (`FR`); needs `penstock[holidays]`.")] = ""
    region: Annotated[str, Meta(description="The part of the country whose holidays are meant, too (`BY`).")] = ""
    working_days: Annotated[
        tuple[Weekday, ...], Meta(description="The days of the week that are open; all, where none is named.")
    ] = ()
    closed: Annotated[tuple[str, ...], Meta(description="Further days that are closed (`2026-12-24`).")] = ()
    opened: Annotated[tuple[str, ...], Meta(description="Days that are open, whatever else is said.")] = ()
    file: Annotated[
        str,
        Meta(description="A file with further closed days, one at the beginning of each line; `#` begins a comment."),
    ] = ""


class Oidc(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """`oidc`: the OpenID provider by which people log in; needs `penstock[oidc]`."""

    issuer: Annotated[str, Meta(description="Its address, as it calls itself (`https://login.example.com`).")]
    client_id: Annotated[str, Meta(description="What it calls this installation.")]
    client_secret: Annotated[
        str, Meta(description="What proves to it that we are that; `${NAME}` takes it from the environment.")
    ] = ""
    callback: Annotated[
        str, Meta(description="Where it sends people back: this server's address and `/v1/oidc/callback`.")
    ]
    scopes: Annotated[tuple[str, ...], Meta(description="What it is asked to tell.")] = ("openid", "profile", "email")
    create: Annotated[
        bool,
        Meta(description="Whether whoever it vouches for becomes a user, who may do nothing until granted a role."),
    ] = False


class Metrics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`metrics`: who may read the figures at `/metrics` besides those with the right to."""

    token: Annotated[
        str,
        Meta(
            description="What a scraper sends as `Authorization: Bearer …`; `${NAME}` takes it from the environment. "
            "It opens nothing but the figures."
        ),
    ] = ""


class Traces(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`traces`: runs, their steps and attempts are told as OpenTelemetry's traces; needs `penstock[otel]`."""

    url: Annotated[str, Meta(description="The collector's address for OTLP over HTTP (`http://collector:4318`).")]
    headers: Annotated[
        dict[str, str],
        Meta(description="What is sent with each call; `${NAME}` takes it from the environment."),
    ] = {}
    share: Annotated[
        float, Meta(ge=0, le=1, description="The share of runs that are told; who starts one within a trace decides.")
    ] = 1.0
    service: Annotated[str, Meta(description="What traces call this installation (`service.name`).")] = "penstock"
    resource: Annotated[
        dict[str, str], Meta(description="What else they say of it (`deployment.environment.name: test`).")
    ] = {}


class Lineage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`lineage`: runs and attempts are told as OpenLineage's events, with the data that they read and write."""

    url: Annotated[
        str, Meta(description="Where events are sent (`http://marquez:5000/api/v1/lineage`), one in each call.")
    ] = ""
    headers: Annotated[
        dict[str, str], Meta(description="What is sent with them; `${NAME}` takes it from the environment.")
    ] = {}
    file: Annotated[str, Meta(description="A file that they are appended to, a line each.")] = ""
    namespace: Annotated[str, Meta(description="The namespace of the jobs in them.")] = "penstock"


class Alerts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`alerts`: what the calls of alerts may reach."""

    allow: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks that may be called though they are this machine's own or its link's (`127.0.0.1/32`)."
        ),
    ] = ()


class Vault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """`vault`: a server that keeps secrets as HashiCorp's Vault and OpenBao do, in a KV engine of version 2."""

    address: Annotated[str, Meta(description="Where it is (`https://vault.example.com:8200`).")]
    token: Annotated[str, Meta(description="What lets us in; `${NAME}` takes it from the environment.")] = ""
    role_id: Annotated[str, Meta(description="The role that we are, by AppRole, where no token is given.")] = ""
    secret_id: Annotated[str, Meta(description="What proves it; `${NAME}` takes it from the environment.")] = ""
    mount: Annotated[str, Meta(description="Where its KV engine is mounted.")] = "secret"
    path: Annotated[
        str,
        Meta(description="What ours lie below: `NAME` of the namespace `shop.daily` is at `PATH/shop/daily/NAME`."),
    ] = "penstock"
    field: Annotated[
        str, Meta(description="The entry that is a secret's text; without it a secret is all its entries, as JSON.")
    ] = "value"
    namespace: Annotated[str, Meta(description="The namespace of the server's own, where it has some.")] = ""
    ca: Annotated[str, Meta(description="A file with the certificate that its own is signed by.")] = ""


class Aws(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """`aws`: secrets of AWS Secrets Manager (source `aws`) and parameters of Systems Manager (source `ssm`).

    Credentials are those that boto3 finds: the environment's, or the role of the machine.
    """

    region: Annotated[str, Meta(description="The region (`eu-west-1`); else the machine's.")] = ""
    prefix: Annotated[
        str, Meta(description="What ours begin with: `NAME` of `shop.daily` is `PREFIX/shop/daily/NAME`.")
    ] = "penstock"
    endpoint: Annotated[str, Meta(description="Another address that answers as AWS does.")] = ""
    keep: Annotated[Duration, Meta(description="How long a text is not asked for again.")] = Duration(60_000_000)


class Google(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """`gcp`: secrets of Google Cloud's Secret Manager (source `gcp`)."""

    project: Annotated[str, Meta(description="The project whose secrets they are.")]
    prefix: Annotated[
        str, Meta(description="What ours begin with: `NAME` of `shop.daily` is `PREFIX--shop--daily--NAME`.")
    ] = "penstock"
    credentials: Annotated[str, Meta(description="The file of a service account's key; else the machine's own.")] = ""
    endpoint: Annotated[str, Meta(description="Where it answers.")] = "https://secretmanager.googleapis.com"
    keep: Annotated[Duration, Meta(description="How long a text is not asked for again.")] = Duration(60_000_000)


class Azure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """`azure`: secrets of an Azure Key Vault (source `azure`), entered by an application or by this machine."""

    vault: Annotated[str, Meta(description="Where it is (`https://NAME.vault.azure.net`).")]
    tenant: Annotated[str, Meta(description="The directory of the application.")] = ""
    client_id: Annotated[str, Meta(description="The application, or the identity of this machine.")] = ""
    client_secret: Annotated[str, Meta(description="What proves it; `${NAME}` takes it from the environment.")] = ""
    prefix: Annotated[
        str, Meta(description="What ours begin with: `DB_KEY` of `shop.daily` is `PREFIX--shop--daily--DB-KEY`.")
    ] = "penstock"
    login: Annotated[str, Meta(description="Where tokens are given.")] = "https://login.microsoftonline.com"
    keep: Annotated[Duration, Meta(description="How long a text is not asked for again.")] = Duration(60_000_000)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The whole of penstock.yaml: every key may be left out, and paths are relative to its folder."""

    namespace: Annotated[
        str, Meta(description="The namespace of flows that say none, and of flows named without one.")
    ] = ""
    flows: Annotated[
        tuple[str, ...],
        Meta(description="Folders in which the project's flows stand, subfolders included; or single files."),
    ] = ("flows",)
    kestra: Annotated[Kestra, Meta(description="How Kestra's language is read.")] = Kestra()
    python: Annotated[
        str, Meta(description="The Python that tasks run in: a virtual environment's folder or an interpreter.")
    ] = ""
    pythons: Annotated[
        dict[str, str],
        Meta(description="Further Pythons by name, for tasks that say `python: NAME`: folders or interpreters, too."),
    ] = {}
    preimports: Annotated[
        tuple[str, ...],
        Meta(description="Packages that the tasks' Python finds imported already (`pandas`): each is imported once."),
    ] = ()
    environment: Annotated[
        dict[str, str],
        Meta(description="Environment variables of every task's process; `${NAME}` takes one of Penstock's own."),
    ] = {}
    variables: Annotated[
        dict[str, object],
        Meta(description="Values that every flow of the project sees as `globals.name`."),
    ] = {}
    plugin_defaults: Annotated[
        tuple[PluginDefault, ...], Meta(description="Values that tasks of a type get in every flow of the project.")
    ] = ()
    store: Annotated[
        str, Meta(description="Where runs are kept: a file, or `postgresql://…`; PENSTOCK_STORE has the last word.")
    ] = ".penstock/penstock.db"
    blobs: Annotated[
        str,
        Meta(
            description="Where files and large outputs are kept: a folder, or `s3://bucket/prefix`; "
            "PENSTOCK_BLOBS has the last word."
        ),
    ] = ".penstock/blobs"
    secrets: Annotated[
        str,
        Meta(
            description="A file of lines `NAME=value` that only its owner may read (mode 0600); "
            "SECRET_NAME in the environment comes first."
        ),
    ] = ""
    secret_sources: Annotated[
        tuple[Literal["env", "file", "store", "vault", "aws", "ssm", "gcp", "azure"], ...],
        Meta(description="Where secrets are looked for, the first one first; what is not named is not looked at."),
    ] = ("env", "file", "store", "vault")
    vault: Annotated[Vault | None, Meta(description="The server that keeps secrets.")] = None
    aws: Annotated[Aws, Meta(description="Where AWS keeps secrets.")] = Aws()
    gcp: Annotated[Google | None, Meta(description="Where Google keeps secrets.")] = None
    azure: Annotated[Azure | None, Meta(description="Where Azure keeps secrets.")] = None
    calendars: Annotated[
        dict[str, ClosedDays], Meta(description="Which days are closed, by the names that schedules use (`calendar:`).")
    ] = {}
    limits: Annotated[Limits, Meta(description="How much may happen at once.")] = Limits()
    containers: Annotated[Containers, Meta(description="What containers may ask for.")] = Containers()
    retention: Annotated[Retention, Meta(description="How long ended runs are kept.")] = Retention()
    metrics: Annotated[Metrics, Meta(description="Who may read the figures.")] = Metrics()
    git: Annotated[
        dict[str, Branch],
        Meta(description="Branches that are the source of flows and of files of namespaces, by name."),
    ] = {}
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses or networks of reverse proxies: they alone are believed where a call comes from "
            "(`X-Forwarded-For`, `Forwarded`)."
        ),
    ] = ()
    traces: Annotated[Traces | None, Meta(description="The collector that traces are told to.")] = None
    lineage: Annotated[Lineage | None, Meta(description="Where lineage is told.")] = None
    alerts: Annotated[Alerts, Meta(description="What alerts may call.")] = Alerts()
    oidc: Annotated[Oidc | None, Meta(description="The OpenID provider by which people log in.")] = None


def capacity(limits: Limits) -> int:
    """How many attempts a worker of this project does at once."""
    return limits.attempts or 8 * (os.cpu_count() or 1)
