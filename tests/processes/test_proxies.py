"""The bot where nothing leads out but a proxy, and the far sides show certificates of an own authority."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from playground.__main__ import the_bot
from playground.circleci.api import CircleCI
from playground.circleci.world import default_world
from playground.clock import Clock
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace
from tests.faults.redis_servers import certificate

SLACK, CIRCLECI = "slack.test", "circleci.test"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.CancelledError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    from_there, to_there = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_pump(reader, to_there), _pump(from_there, writer))


@asynccontextmanager
async def behind_tls(url: str, context: ssl.SSLContext) -> AsyncIterator[int]:
    """Put a certificate before a far side; yields the port."""
    port = urlsplit(url).port
    assert port is not None

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _joined(reader, writer, port)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


@asynccontextmanager
async def a_proxy(leads: dict[str, int], asked: list[str]) -> AsyncIterator[str]:
    """Pass on what asks for one of the names that it `leads` to; notes who `asked` for what, with which word."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, where, _ = head.split("\r\n")[0].split(" ")
        asked.append(f"{method} {where}" + (" with a password" if "proxy-authorization: basic" in head.lower() else ""))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _joined(reader, writer, leads[where.partition(":")[0]])

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://somebody:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def test_all_that_leaves_takes_the_proxy_and_trusts_the_own_authority(tmp_path: Path) -> None:
    key, chain = await certificate(tmp_path, f"DNS:{SLACK},DNS:{CIRCLECI}")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    asked: list[str] = []
    async with AsyncExitStack() as stack:
        circleci = await stack.enter_async_context(CircleCI(default_world(Clock())))
        slack = await stack.enter_async_context(Slack(default_workspace(), socket_mode=True))
        leads = {
            SLACK: await stack.enter_async_context(behind_tls(slack.url, context)),
            CIRCLECI: await stack.enter_async_context(behind_tls(circleci.url, context)),
        }
        slack.url, circleci.url = f"https://{SLACK}", f"https://{CIRCLECI}"
        proxy = await stack.enter_async_context(a_proxy(leads, asked))
        way = {"HTTPS_PROXY": proxy, "SSL_CERT_FILE": str(chain)}
        async with the_bot(slack, circleci, tmp_path, ADMINS="U0ADMIN", **way):  # type: ignore[arg-type]  # of `cwd`
            await slack.connected()
            admin = slack.person("admin")
            await admin.command("deploys", "/ci", "doctor")
            await slack.wait_for(lambda: "belongs to acme-bot" in "".join(one.visible for one in admin.sees_only), 30)
    assert set(asked) == {f"CONNECT {name}:443 with a password" for name in (SLACK, CIRCLECI)}
    assert "secret@" not in (tmp_path / "bot.log").read_text()
    assert slack.problems == []
