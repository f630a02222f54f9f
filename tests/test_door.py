"""What strangers send to the door: answered with a 4xx or not at all, without a traceback; and nobody waits for it."""

import asyncio
import hashlib
import hmac
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import cast
from urllib.parse import urlencode

import aiohttp
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.models.checkup import Identity
from bot.server import EVENTS as SLACK
from bot.server import MAX_BODY_BYTES, Server
from bot.server import WEBHOOK as CIRCLECI
from bot.slack.bolt import bolt
from bot.slack.http import EventsHandler
from bot.store import Store
from bot.watching.engine import Engine
from bot.watching.inbox import Inbox
from bot.watching.knock import Knock

SECRET = "0123456789abcdef0123456789abcdef"
TOKEN = "a-token-for-prometheus"
DEEP = "[" * 100_000


@asynccontextmanager
async def door(*, patience: float = 10, metrics_token: str | None = None) -> AsyncIterator[Server]:
    """Open it with both routes; nothing that is not signed comes as far as to need a store."""
    who = Identity(team="acme", team_id="T0ACME", user="ci", user_id="U0BOT", bot_id="B0BOT", scopes=frozenset())
    app = bolt(AsyncWebClient(), who, SecretStr("xoxb-1"), SecretStr(SECRET))
    store = Store("unix:///nothing", retention=timedelta(days=1))
    server = Server(
        "127.0.0.1",
        0,
        not_ready=lambda: asyncio.sleep(0, ["Redis does not answer"]),
        metrics_token=metrics_token,
        taken={
            SLACK: EventsHandler(app, SecretStr(SECRET)).handle,
            CIRCLECI: Knock(SECRET, store, cast("Engine", None), cast("Inbox", None)).handle,
        },
        patience=patience,
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        await store.close()


async def say(server: Server, sent: bytes) -> bytes:
    """Send bytes as they are; return what came back before the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        async with asyncio.timeout(5):
            writer.write(sent)
            return await reader.read(-1)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def signed(path: str, body: bytes) -> dict[str, str]:
    """Return the headers of one who knows the secret."""
    if path == CIRCLECI:
        return {"circleci-signature": "v1=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}
    stamp = str(int(time.time()))
    signature = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}"}


class Stage:
    """A door that stands open for all examples."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._door = door(patience=0.2)
        self._server = self._runner.run(self._door.__aenter__())

    def answers(self, sent: bytes) -> bytes:
        return self._runner.run(say(self._server, sent))

    def close(self) -> None:
        self._runner.run(self._door.__aexit__(None, None, None))
        self._runner.close()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


NAMES = (
    b"X-Slack-Signature",
    b"X-Slack-Request-Timestamp",
    b"circleci-signature",
    b"Content-Type",
    b"Content-Encoding",
    b"Content-Length",
    b"Transfer-Encoding",
    b"Expect",
    b"Upgrade",
    b"Cookie",
)
VALUES = (
    b"v0=00",
    b"v1=\xff",
    b"9" * 5000,
    "٣".encode(),
    b"application/json; charset=nonsense",
    b"multipart/form-data; boundary=",
    b"gzip",
    b"chunked",
    b"100-continue",
    b"7",
    b"x" * 9000,
)
BODIES = (b"\xff\xfe", b"{", b"[]", b"payload=%ff", DEEP.encode(), b"zz\r\n", b"5\r\nabc", b"\x1f\x8b\x08", b"")
HEADER = st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.binary(max_size=20))
REQUEST = st.tuples(
    st.sampled_from((b"POST", b"GET", b"BREW")),
    st.sampled_from((SLACK, CIRCLECI, "/readyz", "/nothing", "//", "/%ff?%ff", "*")),
    st.lists(HEADER, max_size=5),
    st.sampled_from(BODIES) | st.binary(max_size=40),
)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=REQUEST)
@example(request=(b"POST", SLACK, [(b"Expect", b"\x80")], b""))
def test_no_stranger_meets_an_error_of_ours(
    stage: Stage, request: tuple[bytes, str, list[tuple[bytes, bytes]], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    method, path, headers, body = request
    lines = [b"%s %s HTTP/1.1" % (method, path.encode()), b"Host: ci", b"Connection: close"]
    lines += [b"%s: %s" % header for header in headers]
    if not any(name in (b"Content-Length", b"Transfer-Encoding") for name, _ in headers):
        lines.append(b"Content-Length: %d" % len(body))
    _is_no_error(stage.answers(b"\r\n".join([*lines, b"", body])), caplog)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(sent=st.binary(min_size=1, max_size=200))
def test_nor_does_who_speaks_no_http(stage: Stage, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    _is_no_error(stage.answers(sent + b"\r\n\r\n"), caplog)


def _is_no_error(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert not answer or answer.split(b" ")[1][:1] in (b"1", b"2", b"4") or b" 503 " in answer.split(b"\r\n")[0], answer
    assert not [record for record in caplog.records if record.exc_info or record.levelname == "ERROR"]


SIGNED = [
    (SLACK, "application/json", b"\xff\xfe"),
    (SLACK, "application/json", b'{"type":'),
    (SLACK, "application/json", b"[1]"),
    (SLACK, "application/json", b"7"),
    (SLACK, "application/json", DEEP.encode()),
    (SLACK, "application/json", b'{"type": "event_callback", "event": 5, "authorizations": [7]}'),
    (SLACK, "application/x-www-form-urlencoded", urlencode({"payload": DEEP}).encode()),
    (SLACK, "application/x-www-form-urlencoded", b"payload=secret-mark"),
    (CIRCLECI, "application/json", b"\xff\xfe"),
    (CIRCLECI, "application/json", b"secret-mark"),
    (CIRCLECI, "application/json", b"[1]"),
    (CIRCLECI, "application/json", DEEP.encode()),
]


@pytest.mark.parametrize(("path", "kind", "body"), SIGNED)
async def test_what_is_signed_and_broken_is_one_line_without_the_body(
    path: str, kind: str, body: bytes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with door() as server, aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
        headers = {"Content-Type": kind, **signed(path, body)}
        async with session.post(path, data=body, headers=headers) as answer:
            assert answer.status == 400
    told = capfd.readouterr()
    lines = [line for line in (told.out + told.err + caplog.text).splitlines() if line]
    assert len([line for line in lines if "unreadable" in line and "warning" in line]) == 1
    assert not [line for line in lines if "secret-mark" in line or "[[[" in line or "Traceback" in line]


@pytest.mark.parametrize("path", [SLACK, CIRCLECI])
async def test_what_is_unsigned_and_broken_is_no_line_at_all(
    path: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with door() as server, aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
        for body in (b"\xff\xfe", b"[1]", DEEP.encode(), b"x" * (MAX_BODY_BYTES + 1)):
            for kind in ("application/json", "text/plain; charset=nonsense"):
                async with session.post(path, data=BytesIO(body), headers={"Content-Type": kind}) as answer:
                    assert answer.status == (413 if len(body) > MAX_BODY_BYTES else 401)
            twice = [*signed(path, body).items()] * 2
            async with session.post(path, data=BytesIO(body), headers=twice) as answer:
                assert answer.status == (413 if len(body) > MAX_BODY_BYTES else 401)
    told = capfd.readouterr().out + caplog.text
    assert [line for line in told.splitlines() if "level='debug' event='webhook'" not in line] == []


async def test_what_another_secret_signed_is_one_line_a_minute(capfd: pytest.CaptureFixture[str]) -> None:
    async with door() as server, aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
        for body in (b"{}", b"[]", b"{}"):
            wrong = {**signed(SLACK, body), "X-Slack-Signature": "v0=" + "0" * 64}
            async with session.post(SLACK, data=BytesIO(body), headers=wrong) as answer:
                assert answer.status == 401
    assert capfd.readouterr().out.count("is SLACK_SIGNING_SECRET that of this app?") == 1


async def test_figures_and_reasons_are_for_who_shows_the_token() -> None:
    async with door(metrics_token=TOKEN) as server, aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
        for shown, may in (
            ("", False),
            (f"Bearer {TOKEN}x", False),
            (f"Basic {TOKEN}", False),
            (f"Bearer {TOKEN}", True),
        ):
            headers = {"Authorization": shown}
            async with session.get("/metrics", headers=headers) as answer:
                assert (answer.status, b"python_info" in await answer.read()) == ((200, True) if may else (401, False))
            async with session.get("/readyz", headers=headers) as answer:
                assert answer.status == 503
                reasons = {"problems": ["Redis does not answer"]} if may else {}
                assert await answer.json() == {"ready": False, **reasons}
        async with session.get("/healthz") as answer:
            assert answer.status == 200


async def test_who_does_not_finish_is_let_go_and_who_does_may_stay() -> None:
    async with door(patience=0.2) as server:
        began = time.monotonic()
        halves = (
            b"",
            b"POST /slack",
            b"POST / HTTP/1.1\r\nHost: x\r\n",
            b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx",
        )
        answers = await asyncio.gather(*(say(server, half) for half in halves))
        assert all(not answer or b" 408 " in answer for answer in answers)
        assert time.monotonic() - began < 3
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
            for _ in range(2):
                async with session.get("/healthz") as answer:
                    assert answer.status == 200


# In a process of its own, whose files are few: the limit holds for all that a process opens.
CROWDED = """
import asyncio, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
from bot.logs import configure
from bot.server import Server
async def said():
    await asyncio.to_thread(sys.stdin.readline)
async def unused(*_):
    raise AssertionError
async def main():
    configure("INFO")
    server = Server("127.0.0.1", 0, not_ready=unused, taken={"/slack/events": unused})
    await server.start()
    print(server.port, flush=True)
    await said()
    taken = []
    try:
        while True:
            taken.append(open("/dev/null"))
    except OSError:
        print("full", flush=True)
    await said()
    del taken
    await said()
    await server.stop()
asyncio.run(main())
"""
HALF = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nabc"


async def test_a_crowd_is_in_nobodys_way() -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CROWDED), cwd=Path(__file__).parents[1], stdin=pipe, stdout=pipe
    )
    assert process.stdin is not None
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    crowd = [await half_sent(port) for _ in range(400)]
    assert await alive(port)
    process.stdin.write(b"\n")
    assert await process.stdout.readline() == b"full\n"
    crowd += [await half_sent(port) for _ in range(20)]
    assert b"outage_begins" in await process.stdout.readline()
    process.stdin.write(b"\n")
    assert await alive(port)
    assert b"outage_ends" in await process.stdout.readline()
    for writer in crowd:
        writer.close()
    told, _ = await process.communicate(b"\n")
    assert (told, process.returncode) == (b"", 0)


async def half_sent(port: int) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HALF)
    return writer


async def alive(port: int) -> bool:
    address = f"http://127.0.0.1:{port}/healthz"
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(address) as answer:
        return answer.status == 200
