"""Where does a call come from? From who is connected; where that is a proxy that the settings trust, from whom it says.

What stands in headers can be written by anybody. So they are read from the right, where the nearest proxy has written,
and only as long as each hop is a trusted one: the first that is not is who calls.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Final

from starlette.types import Scope

from penstock.errors.project import WrongSetting

FURTHEST: Final = 20
PORT: Final = re.compile(r"\[(?P<six>[^\]]+)\](?::\d{1,5})?|(?P<four>[\d.]+):\d{1,5}")
PAIR: Final = re.compile(r'\s*(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*')
SCHEMES: Final = ("http", "https")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Hop = tuple[str, str]


class Proxies:
    """The proxies that are trusted, by addresses and networks."""

    def __init__(self, named: Sequence[str]) -> None:
        self._networks = [_network(each) for each in named]

    def seen(self, scope: Scope) -> Scope:
        """A call with the address and the scheme of who makes it, in the place of the proxy's."""
        client = scope.get("client")
        peer = address(client[0]) if client else None
        if not self._networks or peer is None or not self._trusts(peer):
            return scope
        caller, scheme = str(peer), ""
        for said, proto in hops(scope["headers"]):
            # how the hop before this one was reached, as whom we trust tells it
            scheme = proto or scheme
            found = address(said)
            if found is None:
                break
            caller = str(found)
            if not self._trusts(found):
                break
        shown = {**scope, "client": (caller, 0)}
        return shown | {"scheme": scheme} if scheme in SCHEMES else shown

    def _trusts(self, found: Address) -> bool:
        return any(found in network for network in self._networks)


def hops(headers: Sequence[tuple[bytes, bytes]]) -> Iterator[Hop]:
    """What proxies have written, the nearest first: who called it and by which scheme, empty where it does not say.

    `X-Forwarded-For` and `X-Forwarded-Proto` count, and `Forwarded` where there is none of the former.
    """
    by = _listed(headers, b"x-forwarded-for")
    if by:
        how = _listed(headers, b"x-forwarded-proto")[::-1]
        for place, each in enumerate(by[::-1][:FURTHEST]):
            yield each, (how[min(place, len(how) - 1)] if how else "").lower()
        return
    elements = _listed(headers, b"forwarded")[::-1]
    for element in elements[:FURTHEST]:
        said = {name.lower(): quoted or bare for name, quoted, bare in PAIR.findall(element)}
        yield said.get("for", ""), said.get("proto", "").lower()
    if not elements:
        how = _listed(headers, b"x-forwarded-proto")
        yield "", (how[-1] if how else "").lower()


def address(text: str) -> Address | None:
    """An address as proxies write it, with a port or in brackets; None for what is none (`unknown`, `_hidden`)."""
    bare = text.strip()
    if found := PORT.fullmatch(bare):
        bare = found["six"] or found["four"]
    try:
        made = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = made.ipv4_mapped if isinstance(made, ipaddress.IPv6Address) else None
    return mapped or made


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise WrongSetting(
            f'`trustedProxies` names "{text}", which is no address and no network.',
            hint="As 10.0.0.7, 10.0.0.0/24 or fd00::/8; names are not looked up.",
        ) from None


def _listed(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> list[str]:
    """The items of a header, of all lines that it has, in their order."""
    text = ",".join(value.decode("latin-1") for key, value in headers if key == name)
    found, quoted, start = [], False, 0
    for place, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif sign == "," and not quoted:
            found.append(text[start:place])
            start = place + 1
    found.append(text[start:])
    return [each.strip() for each in found if each.strip()]
