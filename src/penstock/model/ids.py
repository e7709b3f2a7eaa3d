"""How are runs and steps named, and which ids of people are accepted?"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from penstock.errors.run import BadId

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
FLOW_ID: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}")
NAMESPACE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,149}")
NODE_ID: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}")
RUN_ID: Final = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
DEEPEST_SUBFLOW: Final = 50
POOL: Final = "pool:"


def run_id(millis: int, entropy: bytes) -> str:
    """Name a run: 10 characters of time in milliseconds, 16 of `entropy` (10 bytes); sorts by time."""
    return _base32(millis, 10) + _base32(int.from_bytes(entropy[:10], "big"), 16)


def child_run_id(parent: str, step: str, attempt: int) -> str:
    """Name the run that one attempt of a step starts: asked twice, it is the same run; it sorts beside its parent."""
    digest = hashlib.blake2b(f"{parent}\n{step}\n{attempt}".encode(), digest_size=10).digest()
    return parent[:10] + _base32(int.from_bytes(digest, "big"), 16)


def check_flow_id(text: str, what: str = "a flow") -> str:
    """Answer `text` when it may name a flow, or what else is named as flows are; raise BadId otherwise."""
    if not FLOW_ID.fullmatch(text) or ".." in text:
        raise BadId(f'"{text}" cannot name {what}: letters, digits, ".", "_", "-", at most 100, no "..".')
    return text


def check_namespace(text: str) -> str:
    """Answer `text` when it may name a namespace; raise BadId otherwise."""
    if not NAMESPACE.fullmatch(text) or ".." in text:
        raise BadId(f'"{text}" cannot name a namespace: lower-case letters, digits, ".", "_", "-", at most 150.')
    return text


def in_loop(prefix: str, index: int) -> str:
    """Key of one iteration of the loop whose key is `prefix`: `each[3]`."""
    return f"{prefix}[{index}]"


def part_key(step: str, name: str) -> str:
    """Key of a step that an attempt of `step` reports: `dbt#model.orders`. The name may hold anything."""
    return f"{step}#{name}"


def whole_of(key: str) -> str:
    """The step that reported this one: `dbt` of `dbt#model.orders`; any other key is its own."""
    return key.partition("#")[0]


def part_of(key: str) -> str:
    """The name under which a step was reported: `model.orders` of `dbt#model.orders`, nothing for other keys."""
    return key.partition("#")[2]


def loop_prefix(key: str) -> str:
    """The part of a step key that tells in which iterations it lies: `each[3]/` of `each[3]/load`."""
    if "#" in key:
        key = whole_of(key)
    return key[: key.rfind("/") + 1]


def node_of(key: str) -> str:
    """The node id in a step key: `load` of `each[3]/load`; `each` of `each[3]`; `dbt` of `dbt#model.orders`."""
    if "#" in key:
        key = whole_of(key)
    last = key[key.rfind("/") + 1 :]
    bracket = last.find("[")
    return last if bracket < 0 else last[:bracket]


def iteration_of(key: str) -> int | None:
    """The index of an iteration's own key (`each[3]` is 3), nothing for other keys."""
    return int(key[key.rfind("[") + 1 : -1]) if key.endswith("]") and "#" not in key else None


def _base32(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 32)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
