"""How do secrets stay out of what is kept? Every form that they are likely to be told in is replaced by stars.

In logs each secret of three letters or more is hidden; in what other tasks work with (outputs, files, labels) only one
that is hardly there by chance: stars in the middle of "warehouse" would do harm, and hide nothing.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import re
import threading
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar, cast

import msgspec

T = TypeVar("T")
STARS: Final = b"********"
SHORTEST: Final = 3
SHORTEST_CODED: Final = 6
CONTROL: Final = re.compile(rb"[\x00-\x1f]")
LONG: Final = 12
MIXED: Final = 8
CLASSES: Final = [re.compile(kind) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")]
# What base64 is broken into lines of: 76 letters (MIME), 64 (PEM).
WRAPPED: Final = (57, 48)
ADDRESS: Final = "penstock:///"
LARGEST_FILE: Final = 64 * 1024 * 1024
RUNS: Final = 1_000


class Masks:
    """The secrets of one run, ready to be found; `overlap` bytes may begin one that has not wholly come yet."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._told: frozenset[str] = frozenset()
        self._forms: tuple[bytes, ...] = ()
        self._grave: tuple[bytes, ...] = ()
        self.overlap = 0
        self.add(*secrets)

    def __bool__(self) -> bool:
        return bool(self._told)

    def add(self, *secrets: str) -> None:
        """Hide these, too, from now on."""
        fresh = frozenset(secrets) - self._secrets
        if fresh:
            self.add_to_logs(*fresh)
            grave = {form for secret in fresh if is_grave(secret) for form in (*_forms(secret), secret.encode())}
            self._grave = _longest_first({*self._grave, *grave})
            self._secrets |= fresh

    def add_to_logs(self, *secrets: str) -> None:
        """Hide these in logs alone: others may work with them, as with inputs that are handed on."""
        fresh = frozenset(secrets) - self._told
        if fresh:
            self._forms = _longest_first({*self._forms, *(form for secret in fresh for form in _forms(secret))})
            self.overlap = max((len(form) - 1 for form in self._forms), default=0)
            self._told |= fresh

    def hide(self, text: bytes) -> bytes:
        """A log's text with stars in the place of secrets."""
        # to look for each form is many times faster than one pattern of all
        found = [form for form in self._forms if form in text]
        return _pattern(found).sub(STARS, text) if found else text

    def hide_text(self, text: str) -> str:
        """The same for text that is not yet bytes."""
        return self.hide(text.encode(errors="backslashreplace")).decode(errors="replace") if self._forms else text

    def hide_data(self, value: T) -> T:
        """A value that others work with, of any shape, with stars in its texts; the very same where no secret is near.

        Addresses of files stay as they are.
        """
        if not self._grave:
            return value
        text = msgspec.json.encode(value, enc_hook=str)
        if b"\\" in text:
            # what JSON writes with a backslash is looked for as it is, too
            text += text.replace(b'\\"', b'"').replace(b"\\\\", b"\\")
        near = any(form in text or CONTROL.search(form) for form in self._grave)
        return cast("T", _hidden(value, _pattern(self._grave))) if near else value

    def file_without(self, path: Path) -> bytes | None:
        """A file with stars where a secret stands, as many as it has letters where the file is no text; None where it
        holds none. What is larger than 64 MB is not looked at.
        """
        if not self._grave or path.stat().st_size > LARGEST_FILE:
            return None
        body = path.read_bytes()
        found = [form for form in self._grave if form in body]
        if not found:
            return None
        if b"\0" in body:
            return _pattern(found).sub(lambda match: b"*" * len(match[0]), body)
        return _pattern(found).sub(STARS, body)


class KnownMasks:
    """The masks of the runs that a worker has to do with: what one attempt unseals is hidden in all of its run."""

    def __init__(self) -> None:
        self._runs: dict[str, Masks] = {}
        self._lock = threading.Lock()

    def of(self, run: str) -> Masks:
        """The masks of a run."""
        with self._lock:
            # not `or`: masks without secrets are false, and those are the ones that an attempt will add to
            found = self._runs.pop(run, None)
            self._runs[run] = found = Masks() if found is None else found
            if len(self._runs) > RUNS:
                del self._runs[next(iter(self._runs))]
            return found


def is_grave(secret: str) -> bool:
    """Whether a secret is hardly anywhere by chance."""
    kinds = sum(bool(kind.search(secret)) for kind in CLASSES)
    return len(secret) >= LONG or (len(secret) >= MIXED and kinds > 1)


def _hidden(value: object, pattern: re.Pattern[bytes]) -> object:
    match value:
        case str():
            text = value.encode(errors="surrogatepass")
            hidden = text if value.startswith(ADDRESS) else pattern.sub(STARS, text)
            return value if hidden == text else hidden.decode(errors="replace")
        case dict():
            return {_hidden(name, pattern): _hidden(item, pattern) for name, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return type(value)(_hidden(item, pattern) for item in value)
        case _:
            return value


@functools.lru_cache(maxsize=256)
def _forms(secret: str) -> frozenset[bytes]:
    """A secret, of several lines each of them, as it may be printed; what is too short hides nothing."""
    forms: set[bytes] = set()
    for line in secret.splitlines():
        part = line.strip() if "\n" in secret else line
        if len(part.strip()) >= SHORTEST:
            forms |= {form.encode(errors="backslashreplace") for form in _spelled(part)}
    whole = secret.encode(errors="backslashreplace")
    if "\n" in secret:
        forms |= {form.encode(errors="backslashreplace") for form in _spelled(secret) if "\n" not in form}
    coded = {*_in_base64(whole), whole.hex().encode(), whole.hex().upper().encode()}
    return frozenset(forms | {form for form in coded if len(form) >= SHORTEST_CODED})


def _spelled(part: str) -> Iterator[str]:
    """A text as it is, in JSON, in addresses, in HTML, in a shell's and in Python's quotes."""
    yield part
    for plain in (json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]):
        yield plain
        yield json.dumps(plain)[1:-1]
        yield plain.replace("/", "\\/")
        safe = plain
        for sign in "<>&'":
            safe = safe.replace(sign, f"\\u{ord(sign):04x}")
        yield safe
        yield re.sub(r"\\u[0-9a-f]{4}", lambda match: "\\u" + match[0][2:].upper(), safe)
    for safe in ("", "/", "!'()*~", ";,/?:@&=+$-_.!~*'()#"):
        quoted = urllib.parse.quote(part, safe=safe, errors="backslashreplace")
        yield quoted
        yield quoted.replace("%20", "+")
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), quoted)
    yield html.escape(part)
    yield html.escape(part, quote=False)
    yield repr(part)[1:-1]
    yield part.replace("'", "'\\''")
    yield part.replace("'", "'\"'\"'")


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """A text in base64, wherever among other bytes it begins, without the letters that those have a part in."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw)
        first, last = (before * 8 + 5) // 6, (before + len(raw)) * 8 // 6
        yield coded[first:last]
        yield coded[first:last].translate(bytes.maketrans(b"+/", b"-_"))
    for width in WRAPPED:
        if len(raw) > width:
            yield from (
                base64.b64encode(raw[start : start + width]).rstrip(b"=") for start in range(0, len(raw), width)
            )


def _longest_first(forms: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _pattern(forms: Iterable[bytes]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, forms)))
