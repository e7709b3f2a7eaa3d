"""Which states of a table are no longer kept? What its branches and tags say decides, and then what is asked for.

The rules are Iceberg's own: iceberg.apache.org/spec → Snapshot Retention Policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from penstock.plugins.iceberg.catalog import MAIN, Ref, Table

# Properties of a table, and what holds without them.
AGE: Final = "history.expire.max-snapshot-age-ms", 5 * 24 * 3_600_000
KEEP: Final = "history.expire.min-snapshots-to-keep", 1
REF_AGE: Final = "history.expire.max-ref-age-ms", 2**63 - 1


class Rule(NamedTuple):
    """What is asked for: for how long (milliseconds) states are kept, and at least so many of each branch."""

    age: int | None = None
    keep: int | None = None


class Going(NamedTuple):
    """What is no longer kept: states by their ids, and names."""

    snapshots: frozenset[int]
    refs: tuple[str, ...]


def going(table: Table, rule: Rule, now: int) -> Going:
    """What is no longer kept at a time (milliseconds since 1970)."""
    age = rule.age if rule.age is not None else _number(table.properties, *AGE)
    keep = rule.keep if rule.keep is not None else _number(table.properties, *KEEP)
    refs = {name: ref for name, ref in table.refs.items() if _stays(name, ref, table, now)}
    staying: set[int] = set()
    named: set[int] = set()
    for ref in refs.values():
        staying.add(ref.snapshot)
        line = table.line(ref.snapshot)
        named.update(each.id for each in line)
        if ref.kind == "branch":
            oldest = now - ref.limits.get("max-snapshot-age-ms", age)
            least = ref.limits.get("min-snapshots-to-keep", keep)
            for number, each in enumerate(line):
                if number >= least and each.at < oldest:
                    break
                staying.add(each.id)
    # What no name leads to may be somebody's who is about to publish it.
    staying.update(each.id for each in table.snapshots.values() if each.id not in named and each.at >= now - age)
    return Going(frozenset(table.snapshots) - staying, tuple(sorted(set(table.refs) - set(refs))))


def _stays(name: str, ref: Ref, table: Table, now: int) -> bool:
    if name == MAIN:
        return True
    most = ref.limits.get("max-ref-age-ms", _number(table.properties, *REF_AGE))
    return ref.snapshot in table.snapshots and now - table.snapshots[ref.snapshot].at <= most


def _number(properties: Mapping[str, str], name: str, otherwise: int) -> int:
    return int(properties.get(name, otherwise))
