"""Nothing is fetched from inside the network that the bot runs in, however CircleCI's answer leads there."""

import socket
from ipaddress import ip_address

import aiohttp
import httpx
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport
from pydantic import SecretStr

from bot.circleci.addresses import CLOUD, Origin, check, is_public
from bot.circleci.transport import Transport
from bot.errors import CircleCIError, Elsewhere, Unavailable
from tests.circleci.conftest import SECRET, FarSide, serving


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104
        *("10.1.2.3", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1", "192.0.0.1"),
        *("192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1"),
        *("240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
        *("64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1"),
        *("2002:7f00:1::", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
    ],
)  # fmt: skip
def test_addresses_of_networks_machines_and_groups_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "34.198.1.1", "2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]
)
def test_addresses_of_the_world_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["storage.example", "s3.eu-1.amazonaws.com", "b\u00fccher.example", "local.example", "127.example", "1.1.1.1."],
)
def test_a_name_of_the_world_is_judged_when_it_is_connected_to(host: str) -> None:
    check(Origin("https", host, None), CLOUD)


@pytest.mark.parametrize("host", ["127\u30020.0.1", "\uff4cocalhost", "2130706433", "db.LOCAL"])
def test_a_name_is_read_as_a_resolver_reads_it(host: str) -> None:
    with pytest.raises(Elsewhere):
        check(Origin("https", host, None), CLOUD)


async def refused(transport: Transport, url: str) -> list[Elsewhere]:
    """Return what was said of an address, asked for as a file and as a log."""
    found = list[Elsewhere]()
    with pytest.raises(Elsewhere) as caught:
        await transport.artifact(url, max_bytes=10)
    found.append(caught.value)
    with pytest.raises(Elsewhere) as caught:
        async with transport.download(url, deadline_seconds=5):
            pass
    return [*found, caught.value]


@pytest.mark.parametrize(
    "url",
    [
        *("http://storage.example/x", "http://circleci.example/x", "http://circleci.example:443/x"),
        *("https://127.0.0.1/x", "https://[::1]/x", "https://[::ffff:10.0.0.1]/x", "https://169.254.169.254/latest"),
        "https://10.0.0.7:8443/x",
        # Other spellings of the same, which a proxy that looks names up itself would connect to.
        *("https://localhost:8443/x", "https://localhost./x", "https://db.localhost/x", "https://metadata/x"),
        *("https://127.1:8443/x", "https://2130706433/x", "https://0x7f.1/x", "https://0/x"),
        *("https://10.0.0.1./x", "https://127.0.0.1./x", "https://1.2.3.4.5/x", "https://a.127.1/x"),
        *("https://metadata.google.internal/x", "https://nas.local/x", "https://router.home.arpa./x"),
        "https://127.0.0.1%2f/x",
    ],
)
@pytest.mark.parametrize("first", ["https://storage.example/go", None], ids=["redirected", "named"])
async def test_an_address_that_says_it_leads_inside_is_never_asked(
    far_side: FarSide, url: str, first: str | None
) -> None:
    far_side.says("GET /go", httpx.Response(302, headers={"location": url}))
    said = await refused(far_side.transport, first or url)
    assert {request.url.path for request in far_side.requests} <= {"/go"}
    assert all(error.host in url and "I read nothing from there" in error.reason for error in said)
    assert not any(error.arrived for error in said)


@pytest.mark.parametrize("host", ["localhost", "0x7f000001"])
async def test_a_name_is_judged_by_the_address_it_leads_to(host: str) -> None:
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="inside")

    async with serving(handle) as url, Transport("https://circleci.example", SecretStr(SECRET)) as transport:
        port = url.rpartition(":")[2]
        for error in await refused(transport, f"https://{host}:{port}/x"):
            assert "at an address inside a network" in error.reason
    assert asked == []


class _Rebinding(AbstractResolver):
    """A name server of an attacker's, who leads a harmless name inside."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        hosts = ("169.254.169.254", "127.0.0.1")
        return [ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0) for one in hosts]

    async def close(self) -> None:
        """Nothing to close."""


async def test_it_is_the_address_connected_to_that_is_judged() -> None:
    async with Transport("https://circleci.example", SecretStr(SECRET)) as transport:
        inner = transport._stranger._transport
        assert isinstance(inner, AiohttpTransport)
        session = inner.client = inner.get_client()
        assert isinstance(session.connector, aiohttp.TCPConnector)
        session.connector._resolver = _Rebinding()
        await refused(transport, "https://rebinding.example/x")


async def test_circlecis_own_address_may_be_inside() -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(text="a log")

    async with serving(handle) as url, Transport(url, SecretStr(SECRET)) as transport:
        assert await transport.artifact(f"{url}/x", max_bytes=10) == b"a log"
        async with transport.download(f"{url}/x", deadline_seconds=5) as chunks:
            assert b"".join([chunk async for chunk in chunks]) == b"a log"
    async with serving(handle) as home, serving(handle) as neighbour, Transport(home, SecretStr(SECRET)) as transport:
        await refused(transport, f"{neighbour}/x")


@pytest.mark.parametrize("url", ["", "nowhere", "//host/x", "file:///etc/passwd", "gopher://a/x", "https://"])
async def test_what_is_no_address_is_told_as_such(far_side: FarSide, url: str) -> None:
    with pytest.raises(CircleCIError):
        await far_side.transport.artifact(url, max_bytes=10)
    with pytest.raises(Unavailable):
        async with far_side.transport.download(url, deadline_seconds=5):
            pass
    assert far_side.requests == []
