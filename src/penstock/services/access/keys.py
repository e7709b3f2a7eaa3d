"""How does a secret look that Penstock hands out, and what is kept of it? Random letters; a hash of them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from penstock.model.ids import ALPHABET

TOKEN: Final = "pst_"
PREFIX: Final = len(TOKEN) + 8


def draw_token() -> str:
    """Draw a token: 8 letters that may be shown, and 40 (200 bits) that only its bearer knows."""
    return TOKEN + "".join(secrets.choice(ALPHABET) for _ in range(8)) + "_" + draw(40)


def draw(letters: int = 40) -> str:
    """Draw the secret of a session or a link."""
    return "".join(secrets.choice(ALPHABET) for _ in range(letters))


def kept(secret: str) -> str:
    """Give what is kept of a secret, and found by it; what is drawn so long needs no slow hash."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def prefix(token: str) -> str:
    """Give the part of a token that may be shown."""
    return token[:PREFIX]


def csrf_token(session: str) -> str:
    """Give what forms and scripts of a session send along, by which it is seen that they are ours."""
    return hmac.digest(session.encode(errors="surrogatepass"), b"penstock csrf", "sha256").hex()


def csrf_holds(session: str, sent: str) -> bool:
    """Whether what was sent along belongs to a session."""
    return hmac.compare_digest(csrf_token(session).encode(), sent.encode(errors="surrogatepass"))
