"""Who uses the product, and since when? Tenants and users drawn from a seed, and what changes about them."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass
from typing import TypeVar

WORDS = ("Alpen", "Birke", "Côte", "Delta", "Ember", "Fjord", "Garde", "Hafen", "Isère", "Jura", "Kiesel", "Loire")
KINDS = ("Analytics", "Bank", "Foods", "Health", "Labs", "Logistics", "Media", "Motors", "Power", "Retail")
PLANS = ("free", "team", "business", "enterprise")
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "ap-southeast-2")
ROLES = ("viewer", "editor", "admin", "steward")

State = TypeVar("State")


@dataclass(frozen=True)
class Tenant:
    """A customer; its plan may change once."""

    tenant_id: str
    name: str
    region: str
    joined: datetime.date
    plans: tuple[tuple[datetime.date, str], ...]

    def row(self, day: datetime.date) -> tuple[str, ...]:
        """Give the cells of the tenants file as they are on this day."""
        return (self.tenant_id, self.name, _at(self.plans, day), self.region, self.joined.isoformat())


@dataclass(frozen=True)
class User:
    """A person of a tenant; tenant, e-mail address or role may change, and change back."""

    user_id: str
    joined: datetime.date
    states: tuple[tuple[datetime.date, tuple[str, str, str]], ...]

    def state(self, day: datetime.date) -> tuple[str, str, str]:
        """Give tenant, e-mail address and role as they are on this day."""
        return _at(self.states, day)

    def row(self, day: datetime.date) -> tuple[str, ...]:
        """Give the cells of the users file as they are on this day."""
        return (self.user_id, *self.state(day), self.joined.isoformat())


def draw_tenants(seed: int, count: int, days: list[datetime.date]) -> list[Tenant]:
    """Draw tenants, most of them there from the first day on."""
    chance = random.Random(f"{seed}:tenants")
    tenants = []
    for number in range(1, count + 1):
        plans = [(datetime.date.min, chance.choice(PLANS))]
        if chance.random() < 0.2:
            plans.append((chance.choice(days), chance.choice(PLANS)))
        name = f"{chance.choice(WORDS)} {chance.choice(KINDS)}" + (", Inc." if chance.random() < 0.2 else "")
        tenants.append(
            Tenant(
                f"T{number:05d}",
                name,
                chance.choice(REGIONS),
                _joined(chance, days, late=number > count * 0.95),
                tuple(plans),
            )
        )
    return tenants


def draw_users(seed: int, count: int, tenants: list[Tenant], days: list[datetime.date]) -> list[User]:
    """Draw users, a tenth of them joining in the course of the days, a quarter changing at least once."""
    chance = random.Random(f"{seed}:users")
    users = []
    for number in range(1, count + 1):
        user_id = f"U{number:07d}"
        home = chance.choice(tenants)
        joined = max(home.joined, _joined(chance, days, late=chance.random() < 0.1))
        state = (home.tenant_id, f"{user_id.lower()}@example.com", chance.choice(ROLES))
        states = [(datetime.date.min, state)]
        while chance.random() < 0.25:
            day = chance.choice(days)
            if day <= states[-1][0]:
                break
            state = _changed(chance, states[-1][1], tenants, day) if len(states) != 2 else states[0][1]
            states.append((day, state))
        users.append(User(user_id, joined, tuple(states)))
    return users


def _changed(
    chance: random.Random, state: tuple[str, str, str], tenants: list[Tenant], day: datetime.date
) -> tuple[str, str, str]:
    tenant, email, _ = state
    match chance.randrange(3):
        case 0:
            there = [other for other in chance.sample(tenants, min(4, len(tenants))) if other.joined <= day]
            return (there[0].tenant_id if there else tenant, email, "viewer")
        case 1:
            return (tenant, email.replace("@", f".{day:%m%d}@"), state[2])
        case _:
            return (tenant, email, chance.choice(ROLES))


def _joined(chance: random.Random, days: list[datetime.date], *, late: bool) -> datetime.date:
    return chance.choice(days) if late else days[0] - datetime.timedelta(days=chance.randrange(1, 700))


def _at(states: tuple[tuple[datetime.date, State], ...], day: datetime.date) -> State:
    return next(state for since, state in reversed(states) if since <= day)
