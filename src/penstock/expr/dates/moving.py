"""What is a date some days, months or hours from another? Days and longer move on the calendar, hours on the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from penstock.errors import nearest
from penstock.errors.expr import ExprFailed

_MONTHS = {"MONTHS": 1, "YEARS": 12, "DECADES": 120, "CENTURIES": 1200, "MILLENNIA": 12_000}
_DAYS_OF = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS = {"DAYS": 1, "WEEKS": 7}
_MICROS = {
    "NANOS": 0,
    "MICROS": 1,
    "MILLIS": 1_000,
    "SECONDS": 1_000_000,
    "MINUTES": 60_000_000,
    "HOURS": 3_600_000_000,
    "HALF_DAYS": 43_200_000_000,
}


def moved(value: datetime, amount: int, unit: str) -> datetime:
    """Give the date that lies so many units away; a time that a clock change skips moves on by the gap."""
    name = unit.upper()
    try:
        if name in _MICROS:
            micros = amount // 1000 if name == "NANOS" else amount * _MICROS[name]
            return (value.astimezone(UTC) + timedelta(microseconds=micros)).astimezone(value.tzinfo)
        if name in _DAYS:
            local = value + timedelta(days=amount * _DAYS[name])
        elif name in _MONTHS:
            local = _by_months(value, amount * _MONTHS[name])
        else:
            known = [*_MICROS, *_DAYS, *_MONTHS]
            raise ExprFailed(f"There is no unit of time `{unit[:40]}`.", hint=nearest(name, known) or ", ".join(known))
        return local.astimezone(UTC).astimezone(value.tzinfo)
    except (OverflowError, ValueError):
        raise ExprFailed("The date lies outside of the years 1 to 9999.") from None


def _by_months(value: datetime, months: int) -> datetime:
    year, month = divmod(value.year * 12 + value.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    last = _DAYS_OF[month] + (month == 1 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    return value.replace(year=year, month=month + 1, day=min(value.day, last))
