"""How does an image come to be there? By its policy: looked for, or fetched with what its registry wants to see."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

import msgspec

from penstock.errors.work import EngineRefused, NoImage
from penstock.runners.container.engine import NOT_FOUND, Engine
from penstock.sdk.container import Container, Pull, Registry

HUB: Final = "https://index.docker.io/v1/"
HEADER: Final = "X-Registry-Auth"


def provide(engine: Engine, wanted: Container, say: Callable[[str], None]) -> None:
    """See that an image is there, by its policy. Raises NoImage."""
    there = present(engine, wanted.image) if wanted.pull is not Pull.ALWAYS else False
    if there:
        return
    if wanted.pull is Pull.NEVER:
        raise NoImage(
            f'The image "{wanted.image}" is not on the container engine, and pullPolicy NEVER forbids to fetch it.',
            hint=f"Fetch it once (`docker pull {wanted.image}`), or say pullPolicy: IF_NOT_PRESENT.",
        )
    say(f"Fetching the image {wanted.image}.")
    try:
        fetch(engine, wanted)
    except EngineRefused as error:
        why = error.message
        raise NoImage(
            f'The image "{wanted.image}" could not be fetched (pullPolicy {wanted.pull}): {why.rstrip(".")}.',
            hint="Check its name and tag, the network, and the credentials of its registry.",
        ) from error


def present(engine: Engine, image: str) -> bool:
    """Whether an engine has an image."""
    try:
        engine.call("GET", f"/images/{image}/json")
    except EngineRefused as error:
        if error.status == NOT_FOUND:
            return False
        raise
    return True


def fetch(engine: Engine, wanted: Container) -> None:
    """Fetch an image from its registry. Raises EngineRefused."""
    name, tag = split(wanted.image)
    query = {"fromImage": name, "tag": tag} if tag else {"fromImage": name}
    header = auth(wanted.registry, registry_of(name))
    headers = {HEADER: header} if header else {}
    with engine.stream("POST", "/images/create", None, query, headers) as answer:
        for line in answer:
            told = msgspec.json.decode(line, type=dict[str, object]) if line.strip() else {}
            if told.get("error"):
                raise EngineRefused(str(told["error"]))


def split(image: str) -> tuple[str, str]:
    """An image's name and tag; a digest stays with the name."""
    if "@" in image:
        return image, ""
    name, colon, tag = image.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (image, "latest")


def registry_of(name: str) -> str:
    """The registry that an image's name names; the Hub where it names none."""
    first, slash, _ = name.partition("/")
    return first if slash and (any(sign in first for sign in ".:") or first == "localhost") else HUB


def auth(registry: Registry, address: str) -> str:
    """The header that shows a registry who asks: as the task says it, or by its or this user's config.json; or none."""
    said: dict[str, str] = {
        "username": registry.username,
        "password": registry.password,
        "auth": registry.auth,
        "registrytoken": registry.registry_token,
        "identitytoken": registry.identity_token,
    }
    said = {name: value for name, value in said.items() if value}
    entry = said or _entry(registry.config or _own_config(), address)
    if not entry:
        return ""
    if "auth" in entry and "username" not in entry:
        user, _, word = base64.b64decode(entry.pop("auth")).decode().partition(":")
        entry |= {"username": user, "password": word}
    entry["serveraddress"] = registry.address or address
    return base64.urlsafe_b64encode(msgspec.json.encode(entry)).decode()


def _entry(config: str, address: str) -> dict[str, str]:
    """What a config.json says of a registry."""
    try:
        auths = msgspec.json.decode(config, type=dict[str, object]).get("auths") if config else None
    except msgspec.MsgspecError as error:
        raise NoImage(f"The engine's configuration that the task names is no config.json: {error}.") from error
    entries = cast("dict[str, dict[str, str]]", auths) if isinstance(auths, dict) else {}
    bare = address.removeprefix("https://").split("/", 1)[0]
    for name, entry in entries.items():
        if name.removeprefix("https://").removeprefix("http://").split("/", 1)[0] == bare:
            return {key.lower(): str(value) for key, value in entry.items() if value}
    return {}


def _own_config() -> str:
    folder = os.environ.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    try:
        return path.read_text()
    except OSError:
        return ""
