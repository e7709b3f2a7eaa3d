"""What are months, days and halves of the day called, in the languages that dates are written in?"""

from __future__ import annotations

import msgspec

from penstock.errors.expr import ExprFailed


class Names(msgspec.Struct, frozen=True):
    """The words of one language; months from January, days from Monday."""

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]
    halves: tuple[str, str] = ("AM", "PM")
    eras: tuple[str, str] = ("AD", "Anno Domini")
    quarters: tuple[str, ...] = ("1st quarter", "2nd quarter", "3rd quarter", "4th quarter")
    # The week begins on this day (1 is Monday), and the first of a year has at least so many days.
    first_day: int = 7
    least_days: int = 1
    utc: str = "Coordinated Universal Time"
    styles: tuple[str, str, str, str] = (
        "EEEE, MMMM d, y, h:mm:ss\u202fa zzzz",
        "MMMM d, y, h:mm:ss\u202fa z",
        "MMM d, y, h:mm:ss\u202fa",
        "M/d/yy, h:mm\u202fa",
    )


def names_of(locale: str | None) -> Names:
    """Give the words of a locale such as `fr`, `fr-FR` or `fr_FR`; English when none is given."""
    language = (locale or "en").replace("_", "-").partition("-")[0].lower()
    found = _NAMES.get(language)
    if found is None:
        known = ", ".join(f"`{name}`" for name in _NAMES)
        raise ExprFailed(f"Dates cannot be written in `{str(locale)[:40]}`.", hint=f"Languages are {known}.")
    if locale is not None and language == "en" and locale.replace("_", "-").upper() in ("EN-GB", "EN-IE"):
        return msgspec.structs.replace(found, first_day=1, least_days=4)
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_NAMES = {
    "en": Names(
        _words("January February March April May June July August September October November December"),
        _words("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
        _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
        _words("Mon Tue Wed Thu Fri Sat Sun"),
    ),
    "fr": Names(
        _words("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
        _words("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
        _words("lundi mardi mercredi jeudi vendredi samedi dimanche"),
        _words("lun. mar. mer. jeu. ven. sam. dim."),
        eras=("ap. J.-C.", "après Jésus-Christ"),
        quarters=("1er trimestre", "2e trimestre", "3e trimestre", "4e trimestre"),
        first_day=1,
        least_days=4,
        utc="temps universel coordonné",
        styles=("EEEE d MMMM y, HH:mm:ss zzzz", "d MMMM y, HH:mm:ss z", "d MMM y, HH:mm:ss", "dd/MM/y HH:mm"),
    ),
    "de": Names(
        _words("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
        _words("Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."),
        _words("Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag"),
        _words("Mo. Di. Mi. Do. Fr. Sa. So."),
        eras=("n. Chr.", "n. Chr."),
        quarters=("1. Quartal", "2. Quartal", "3. Quartal", "4. Quartal"),
        first_day=1,
        least_days=4,
        utc="Koordinierte Weltzeit",
        styles=("EEEE, d. MMMM y, HH:mm:ss zzzz", "d. MMMM y, HH:mm:ss z", "dd.MM.y, HH:mm:ss", "dd.MM.yy, HH:mm"),
    ),
    "es": Names(
        _words("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
        _words("ene feb mar abr may jun jul ago sept oct nov dic"),
        _words("lunes martes miércoles jueves viernes sábado domingo"),
        _words("lun mar mié jue vie sáb dom"),
        halves=("a.\u202fm.", "p.\u202fm."),
        eras=("d. C.", "después de Cristo"),
        quarters=("1.er trimestre", "2.º trimestre", "3.er trimestre", "4.º trimestre"),
        first_day=1,
        least_days=4,
        utc="tiempo universal coordinado",
        styles=(
            "EEEE, d 'de' MMMM 'de' y, H:mm:ss (zzzz)",
            "d 'de' MMMM 'de' y, H:mm:ss z",
            "d MMM y, H:mm:ss",
            "d/M/yy, H:mm",
        ),
    ),
}
