"""What are months, days and halves of the day called, in the languages that dates are written in?"""

from __future__ import annotations

import functools

import msgspec

from penstock.errors.expr import ExprFailed
from penstock.expr.dates.languages import LANGUAGES

_SUNDAY = frozenset(("US", "CA", "MX", "BR", "JP", "KR", "IN", "IL", "ZA", "PT", "CO", "PE", "VE", "HK", "TW", "PH"))
_EUROPE = frozenset(("AT", "BE", "BG", "CH", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HU", "IE", "IS"))
_EUROPE |= {"IT", "LT", "LU", "NL", "NO", "PL", "PT", "SE", "SK"}


class Names(msgspec.Struct, frozen=True):
    """The words of one language; months from January, days from Monday."""

    language: str
    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]
    halves: tuple[str, str]
    eras: tuple[str, str]
    quarters: tuple[str, ...]
    utc: str
    styles: tuple[str, str, str, str]
    # The week begins on this day (1 is Monday), and the first of a year has at least so many days.
    first_day: int
    least_days: int


@functools.lru_cache(maxsize=64)
def names_of(locale: str | None) -> Names:
    """Give the words of a locale such as `fr`, `fr-FR` or `fr_FR`; English when none is given."""
    written = (locale or "en").replace("_", "-")
    language, _, region = written.partition("-")
    language, region = language.lower(), region.upper()
    british = written.upper() in ("EN-GB", "EN-IE")
    rows = LANGUAGES.get("en-GB" if british else {"no": "nb"}.get(language, language))
    if rows is None:
        known = ", ".join(f"`{name}`" for name in LANGUAGES if "-" not in name)
        raise ExprFailed(f"Dates cannot be written in `{written[:40]}`.", hint=f"Languages are {known}.")
    words = [tuple(row.split("_")) for row in rows[:7]]
    months, short_months, days, short_days, halves, eras, quarters = words
    return Names(
        language=language,
        months=months,
        short_months=short_months,
        days=days,
        short_days=short_days,
        halves=_two(halves),
        eras=_two(eras),
        quarters=quarters,
        utc=rows[7],
        styles=_four(rows[8:]),
        first_day=1 if region and region not in _SUNDAY else 7,
        least_days=4 if region in _EUROPE else 1,
    )


def _two(words: tuple[str, ...]) -> tuple[str, str]:
    first, second = words
    return first, second


def _four(words: tuple[str, ...]) -> tuple[str, str, str, str]:
    full, long, medium, short = words
    return full, long, medium, short
