"""Whatever bytes come as an answer, they are data, or one of our errors."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
from aiohttp import web
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.circleci.answers import answer, asked_to_wait, items
from bot.circleci.documents import MEGABYTE, MOST_MEGABYTES
from bot.circleci.reads import circleci_reads
from bot.circleci.transport import Transport
from bot.errors import CircleCIError, Rejected, TooLarge, Unavailable
from tests.circleci.conftest import SECRET, FarSide, page, serving

NOW = datetime(2026, 11, 25, tzinfo=UTC)
HEAD = b"HTTP/1.1 200 OK\r\n"
CHARSETS = ["base64", "hex", "zlib", "bz2", "rot13", "undefined", "utf-7", "idna", "nowhere", "utf-16", "\xff"]


ODD_BODIES = [b"[" * 5000, b"\xef\xbb\xbf[]", b"\xed\xa0\xbd", b'"\\ud83d"', b"<html>", b"NaN", b"1" * 5000, b"{"]
ODD_HEADERS = [
    *("nan", "inf", "-1", "1e999", "0", "Fri, 20 Nov 99999999999 10:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 +2359"),
    *("Fri, 20 Nov 2026 10:00:00 +9999999999", *(f"application/json; charset={one}" for one in CHARSETS)),
]


@given(
    st.binary() | st.sampled_from(ODD_BODIES),
    st.sampled_from([200, 201, 204, 299, 302, 400, 401, 404, 418, 429, 500, 599]),
    st.dictionaries(
        st.sampled_from(["date", "retry-after", "ratelimit-reset", "ratelimit-remaining", "location", "content-type"]),
        st.text(st.characters(max_codepoint=255)) | st.sampled_from(ODD_HEADERS),
    ),
)
def test_any_bytes_are_an_answer_or_an_error_of_ours(body: bytes, status: int, headers: dict[str, str]) -> None:
    encoded = [(name, value.encode("latin-1")) for name, value in headers.items()]
    response = httpx.Response(status, headers=[(name.encode(), value) for name, value in encoded], content=body)
    asked_to_wait(response, now=NOW)
    try:
        items(answer(response, secret=SECRET, now=NOW))
    except CircleCIError as error:
        str(error).encode()


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
@example({"items": None, "next_page_token": 1})
@example({"items": [], "next_page_token": {"a": 1}})
@example({"message": {"a": 1}})
def test_any_json_is_a_page_or_an_error_of_ours(value: object) -> None:
    for status in (200, 400):
        try:
            items(answer(httpx.Response(status, json=value), secret="", now=NOW))
        except CircleCIError as error:
            str(error).encode()


def test_the_words_of_a_refusal_are_masked() -> None:
    message = f"bad value ghp_{'a' * 36} \ud83d"
    response = httpx.Response(400, content=json.dumps({"message": message}).encode())
    with pytest.raises(Rejected) as caught:
        answer(response, secret="", now=NOW)
    assert caught.value.message.startswith("bad value [masked]")
    caught.value.message.encode()


@asynccontextmanager
async def saying(raw: bytes) -> AsyncIterator[str]:
    """Serve the same bytes to whoever connects, and close."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def sent(body: bytes, *headers: bytes) -> bytes:
    return HEAD + b"".join(header + b"\r\n" for header in headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body


PACKED = gzip.compress(b'{"a":"%s"}' % (b"xyz" * 500))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\xff\x16\x03\x01", id="not http"),
        pytest.param(b"HTTP/1.1 abc OK\r\n\r\n", id="a status that is none"),
        pytest.param(b"HTTP/1.1 99999 OK\r\n\r\n", id="a status that is too large"),
        pytest.param(HEAD + b"a" * 100_000 + b": b\r\n\r\n", id="an endless header"),
        pytest.param(HEAD + b"Content-Length: -1\r\n\r\n", id="a negative length"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx", id="a chunk that is none"),
        pytest.param(HEAD + b"Content-Length: 100\r\n\r\n{", id="cut"),
        pytest.param(HEAD + b"Set-Cookie: \xff\xfe;;=\r\nContent-Length: 2\r\n\r\n{", id="a cookie, and cut"),
        pytest.param(sent(PACKED[:28], b"Content-Encoding: gzip"), id="gzip, cut"),
        pytest.param(sent(PACKED[:20] + b"\x00\xff" * 9 + PACKED[38:], b"Content-Encoding: gzip"), id="gzip, damaged"),
        pytest.param(sent(b"not packed", b"Content-Encoding: gzip"), id="gzip that is none"),
        pytest.param(sent(zlib.compress(b"{")[:5], b"Content-Encoding: deflate"), id="deflate, cut"),
        pytest.param(sent(gzip.compress(PACKED), b"Content-Encoding: gzip, gzip"), id="packed twice"),
        pytest.param(sent(b"\x1b\x00", b"Content-Encoding: br"), id="packed as nobody asked"),
        pytest.param(sent(b"\xff\xfe\xfd{", b"Content-Type: application/json; charset=base64"), id="no text"),
        pytest.param(sent(b"<html><body>Gateway</body></html>", b"Content-Type: text/html"), id="html"),
        pytest.param(sent(b"[" * 5000), id="deep"),
    ],
)
async def test_bytes_that_are_no_answer_are_an_outage(raw: bytes) -> None:
    async with saying(raw) as url, Transport(url, SecretStr(SECRET), timeout_seconds=5) as transport:
        with pytest.raises(Unavailable) as caught:
            await transport.request("GET", "/x")
    assert caught.value.arrived
    assert SECRET not in str(caught.value)


async def test_a_file_that_comes_broken_is_an_outage_too() -> None:
    raw = sent(b"not packed", b"Content-Encoding: gzip")
    async with saying(raw) as url, Transport(url, SecretStr(SECRET), timeout_seconds=5) as transport:
        with pytest.raises(Unavailable):
            await transport.artifact(f"{url}/x", max_bytes=10)
        with pytest.raises(Unavailable):
            async with transport.download(f"{url}/x", deadline_seconds=5) as chunks:
                assert [chunk async for chunk in chunks] == []


@pytest.mark.parametrize("status", [200, 400])
async def test_an_answer_is_read_as_far_as_memory_goes(status: int) -> None:
    asked, bomb = 0, gzip.compress(b" " * (MOST_MEGABYTES * MEGABYTE + 1))

    async def handle(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=status, body=bomb, headers={"Content-Encoding": "gzip"})

    async with serving(handle) as url, Transport(url, SecretStr(SECRET)) as transport:
        if status == 200:
            with pytest.raises(TooLarge, match="larger than 64 MB"):
                await transport.request("GET", "/x")
        else:
            with pytest.raises(Rejected, match="Bad Request"):
                await transport.request("GET", "/x")
    assert (asked, len(bomb) < MEGABYTE) == (1, True)


async def test_all_pages_of_a_list_are_as_long_as_one_answer_may_be(far_side: FarSide) -> None:
    path = "GET /api/v2/project/gh/acme/frontend/7/"
    filler = {"name": "t", "result": "failure", "other": "x" * 7_000_000}
    large = page(*[filler] * 3, token="next")
    for kind in ("tests", "artifacts"):
        far_side.says(path + kind, large)
        far_side.says(f"{path}{kind}?page-token=next", page(*[filler | {"file": "-"}] * 3, token="next0"))
        for n in range(5):
            others = page(*[filler | {"file": str(n)}] * 3, token=f"next{n + 1}")
            far_side.says(f"{path}{kind}?page-token=next{n}", others)
    reads = circleci_reads(far_side.transport)
    found, more = await reads.some_tests("gh/acme/frontend", 7, 20)
    assert (len(found), more) == (9, True)
    with pytest.raises(TooLarge):
        await reads.some_artifacts("gh/acme/frontend", 7, 20)
