"""Where the bot may be sent by an answer: to CircleCI itself, or over https to a public address, and nowhere else.

What stores a log or a file is named by CircleCI, and whoever writes its answers could name a server inside the network
that the bot runs in. A name is judged by the address that is connected to: what it leads to may change between a look
and the connection.
"""

import re
import socket
import unicodedata
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, NamedTuple

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient

from bot.errors import Elsewhere, Unavailable
from bot.outside import certificates

ARTIFACT_HOST = "circle-artifacts.com"
INSIDE = "at an address inside a network"
_V6_OF_THE_WORLD = IPv6Network("2000::/3")
# Registries' own, examples, and tunnels that hide an address of IPv4.
_V6_OF_NOBODY = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# Names that no registry gives to anybody (RFC 6761, 6762 and 8375, ICANN on `internal`), and those of routers.
_INSIDE = frozenset(
    ("localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "alt", "onion")
)
_INSIDE_TWO = (".home.arpa",)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NOBODY = IPv4Address(0)
_V4_IN_V6 = IPv6Network("64:ff9b::/96")  # a network without IPv4 reaches it so


class Origin(NamedTuple):
    """Who answers at an address: another port or plain http of one host may be somebody else."""

    scheme: str
    host: str
    port: int | None  # None for the scheme's own


CLOUD = Origin("https", "circleci.com", None)


def origin(url: str) -> Origin:
    """Return the origin of an address; raises Unavailable for what is none."""
    try:
        # By the parser that sends the request: two parsers may see two hosts in one address.
        parsed = httpx.URL(url)
        there = Origin(parsed.scheme, parsed.host, parsed.port)
    except (httpx.InvalidURL, ValueError):
        raise Unavailable("no address to read from", arrived=False) from None
    if there.scheme not in ("http", "https") or not there.host:
        raise Unavailable("no address to read from", arrived=False)
    return there


def is_trusted_with_token(there: Origin, home: Origin) -> bool:
    """Say whether CircleCI's token may go there."""
    return there == home or (home == CLOUD and _is_of_cloud(there))  # a Server's token is nothing for Cloud


def check(there: Origin, home: Origin) -> None:
    """Raise Elsewhere for where nothing is read from, as far as the address itself tells."""
    if there == home:
        return
    if there.scheme != "https":
        raise Elsewhere(there.host, "not behind https")
    literal = _literal(name := _spelled_plainly(there.host))
    # Any other name is judged when it is connected to, by us or by the proxy.
    if _is_inside(name) if literal is None else not is_public(literal):
        raise Elsewhere(there.host, INSIDE)


def _spelled_plainly(host: str) -> str:
    """Return a host as a resolver reads it: full-width letters and dots are plain, and the last dot says nothing."""
    return unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".").lower()


def _literal(name: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a name is, also where it is spelled as C does: `127.1`, `2130706433`, `0x7f.0.0.1`."""
    with suppress(ValueError):
        return ip_address(name)
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        with suppress(OSError):
            return IPv4Address(socket.inet_aton(name))
        return _NOBODY  # no name of the world's ends with a number
    return None


def _is_inside(name: str) -> bool:
    """Say whether a name is one of a machine or a network: a proxy would look it up there, and connect."""
    if "." not in name or "%" in name:  # a proxy may decode what no name holds
        return True
    return name.rpartition(".")[2] in _INSIDE or name.endswith(_INSIDE_TWO)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address is one of the world's, and none of a network, a machine or a group."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _V4_IN_V6:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _V6_OF_THE_WORLD and not any(address in network for network in _V6_OF_NOBODY)


class StrangersClient(HttpxAiohttpClient):
    """A client that connects to public addresses alone; a proxy of the environment is trusted to see to that itself."""

    def _init_transport(
        self, *_args: Any, transport: httpx.AsyncBaseTransport | None = None, **_more: Any
    ) -> httpx.AsyncBaseTransport:
        if transport is not None:
            return transport
        made = AiohttpTransport(verify=certificates())
        made.client = lambda: aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=made.ssl_context, socket_factory=_public_socket)
        )
        return made

    def _init_proxy_transport(self, proxy: httpx.Proxy, *_args: Any, **_more: Any) -> httpx.AsyncBaseTransport:
        return AiohttpTransport(verify=certificates(), proxy=proxy)


class Inside(OSError):
    """A connection to an address that is not public."""


def is_refusal(error: BaseException) -> bool:
    """Say whether we ourselves did not connect."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Inside):
            return True
        cause = cause.__cause__
    return False


def _public_socket(info: tuple[Any, ...]) -> socket.socket:
    """Make the socket for an address just before it is connected to."""
    family, kind, protocol, _, address = info
    if not is_public(ip_address(address[0])):
        raise Inside(INSIDE)
    return socket.socket(family=family, type=kind, proto=protocol)


def _is_of_cloud(there: Origin) -> bool:
    """Say whether Cloud keeps artifacts there."""
    return there._replace(host="") == CLOUD._replace(host="") and f".{there.host}".endswith(f".{ARTIFACT_HOST}")
