"""Where do exports come from when no product sends them? From a seed: the same days, byte for byte, each time.

python -m projects.warehouse.generate FOLDER --events 5000
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.store import ObjectStore

from projects.warehouse.faults import FAULTS, header, month_around, spoil, text
from projects.warehouse.features import CODES
from projects.warehouse.population import Tenant, User, draw_tenants, draw_users

FIRST_DATE = datetime.date(2016, 1, 2)


@dataclass(frozen=True)
class Recipe:
    """What decides every byte of the exports: events of a day, one bad line in `bad_every`, lines of a part."""

    events: int = 5_000
    seed: int = 2016
    bad_every: int = 100
    part_lines: int = 250_000
    middle: datetime.date = FIRST_DATE

    @property
    def days(self) -> list[datetime.date]:
        """The month that can be generated."""
        return month_around(self.middle)


@dataclass(frozen=True)
class World:
    """The recipe's tenants and users."""

    recipe: Recipe
    tenants: list[Tenant]
    users: list[User]


def draw(recipe: Recipe) -> World:
    """Draw the population of a recipe: a user for fifty events a day, a tenant for twenty users."""
    users = max(40, recipe.events // 50)
    tenants = draw_tenants(recipe.seed, max(12, users // 20), recipe.days)
    return World(recipe, tenants, draw_users(recipe.seed, users, tenants, recipe.days))


def write_day(world: World, day: datetime.date, folder: Path) -> list[Path]:
    """Write the three exports of one day under `folder`, and give the files; a day that is there is written again."""
    files = []
    tables = {
        "tenants": (tenant.row(day) for tenant in world.tenants if tenant.joined <= day),
        "users": (user.row(day) for user in world.users if user.joined <= day),
        "feature_usage": _usage(world, day),
    }
    for table, rows in tables.items():
        place = folder / "exports" / table / f"batch_date={day}"
        place.mkdir(parents=True, exist_ok=True)
        for old in place.iterdir():
            old.unlink()
        lines = _spoiled(table, rows, world.recipe, day)
        for number in itertools.count():
            part = list(itertools.islice(lines, world.recipe.part_lines))
            if number and not part:
                break
            path = place / f"part-{number:05d}.csv"
            path.write_bytes(b"\n".join([header(table), *part, b""]))
            files.append(path)
    return files


def write_days(recipe: Recipe, days: Iterable[datetime.date], folder: Path) -> list[Path]:
    """Write the days that `folder` does not hold yet by this recipe; give all their files."""
    mark = folder / "recipe.json"
    said: dict[str, object] = {
        "events": recipe.events,
        "seed": recipe.seed,
        "bad_every": recipe.bad_every,
        "lines": recipe.part_lines,
    }
    said |= {"middle": recipe.middle.isoformat(), "version": 1}
    known = json.loads(mark.read_text()) if mark.exists() else {}
    done = set(known["days"]) if known.get("recipe") == said else set[str]()
    world = None
    files: list[Path] = []
    for day in days:
        if day.isoformat() in done:
            files += sorted((folder / "exports").glob(f"*/batch_date={day}/part-*.csv"))
            continue
        world = world or draw(recipe)
        files += write_day(world, day, folder)
        done.add(day.isoformat())
        # Written after the files: a day whose writing was cut short is written again.
        mark.write_text(json.dumps({"recipe": said, "days": sorted(done)}, indent=1))
    return files


def upload(store: ObjectStore, folder: Path, files: Iterable[Path]) -> int:
    """Put files that the bucket lacks, or holds at another size, under their names relative to `folder`; how many."""
    there = {meta["path"]: meta["size"] for page in obstore.list(store, "exports/") for meta in page}
    sent = 0
    for path in files:
        key = path.relative_to(folder).as_posix()
        if there.get(key) != path.stat().st_size:
            obstore.put(store, key, path)
            sent += 1
    return sent


def _usage(world: World, day: datetime.date) -> Iterator[tuple[str, ...]]:
    """Give the day's events, some of them late; before them what the day before sent already, one in five hundred."""
    if day > world.recipe.days[0]:
        again = _events(world, day - datetime.timedelta(days=1))
        yield from itertools.islice(again, 3, 3 + max(2, world.recipe.events // 500))
    yield from _events(world, day)


def _events(world: World, day: datetime.date) -> Iterator[tuple[str, ...]]:
    chance = random.Random(f"{world.recipe.seed}:{day}")
    tomorrow = day + datetime.timedelta(days=1)
    # Who joins tomorrow is active today already: the event arrives before the user does.
    people = [(user.user_id, user.state(day)[0]) for user in world.users if user.joined <= tomorrow]
    today, before = f"{day} ", f"{day - datetime.timedelta(days=1)} "
    clock = [f"{number:02d}" for number in range(60)]
    first = int(f"{day:%Y%m%d}") * 100_000_000 + 1
    draw_one, between = chance.random, chance.getrandbits
    for number in range(first, first + world.recipe.events):
        user_id, tenant_id = people[int(draw_one() * len(people))]
        bits = between(40)
        late = before if draw_one() < 0.01 else today
        moment = f"{late}{clock[bits % 24]}:{clock[(bits >> 8) % 60]}:{clock[(bits >> 16) % 60]}"
        yield (str(number), tenant_id, user_id, CODES[(bits >> 24) % 18], moment, str(int(draw_one() ** 3 * 90_000)))


def _spoiled(table: str, rows: Iterable[tuple[str, ...]], recipe: Recipe, day: datetime.date) -> Iterator[bytes]:
    """Give the rows as lines and, after some of them, a bad line: each known fault at least once if rows suffice."""
    chance = random.Random(f"{recipe.seed}:{day}:{table}")
    bad, due = 0, 1
    plain = table == "feature_usage"
    for place, row in enumerate(rows):
        cells = list(row)
        yield ",".join(cells).encode() if plain else text(cells)
        if recipe.bad_every and place >= due:
            yield _bad_line(table, bad, cells, place)
            bad += 1
            due = place + (1 if bad < len(FAULTS[table]) else chance.randrange(1, 2 * recipe.bad_every))


def _bad_line(table: str, bad: int, cells: list[str], place: int) -> bytes:
    # A bad event has an id of its own, so that it is bad for its fault and not for being there twice.
    if table == "feature_usage":
        whole = spoil(table, bad, cells)
        return whole if whole == text(cells) else spoil(table, bad, [str(int(cells[0]) + 50_000_000), *cells[1:]])
    return spoil(table, bad, cells)


def main() -> int:
    """Write the month, or the days asked for, into a folder."""
    parser = argparse.ArgumentParser(description="Write the exports of a month around 2016-01-02.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=5_000, help="events of a day (default 5000)")
    parser.add_argument("--seed", type=int, default=2016)
    parser.add_argument("--bad-every", type=int, default=100, help="one bad line in about so many; 0 for none")
    parser.add_argument(
        "--day", type=datetime.date.fromisoformat, action="append", help="only this day; may be repeated"
    )
    given = parser.parse_args()
    recipe = Recipe(events=given.events, seed=given.seed, bad_every=given.bad_every)
    files = write_days(recipe, given.day or recipe.days, given.folder)
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files):,} bytes under {given.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
