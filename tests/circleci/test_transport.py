import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, unquote

import httpx
import pytest
import stamina
from aiohttp import web
from httpx_aiohttp import AiohttpTransport
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from redis.asyncio import Redis
from stamina.instrumentation import RetryHook
from structlog.testing import capture_logs

from bot.circleci.answers import asked_to_wait, project_path, segments, without_queries
from bot.circleci.last_look import last_look
from bot.circleci.transport import Transport
from bot.errors import CircleCIError, RateLimited, Rejected, StoreError, Unauthorized, Unavailable
from bot.models.pace import bounds
from bot.pacing import Lane, Paced
from bot.store import Store
from bot.store.turns import CIRCLECI
from tests.circleci.conftest import DATE, SECRET, FarSide, serving
from tests.faults.redis_servers import certificate
from tests.one_redis import redis_url

GITHUB_SAYS = json.dumps({"message": json.dumps({"message": "Not Found", "documentation_url": "https://docs.example"})})
PAGE = "<!DOCTYPE html>\n<html><head><title>Continuous Integration</title></head></html>"
WAITS = (
    "retry-after",
    "date",
    "x-ratelimit-remaining",
    "ratelimit-remaining-day",
    "x-ratelimit-reset",
    "ratelimit-reset",
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(redis_url(tmp_path), retention=timedelta(days=1))
    yield store
    await store.close()


async def error_of(far_side: FarSide, *replies: object, method: str = "GET") -> CircleCIError:
    far_side.says(f"{method} /x", *replies)
    with pytest.raises(CircleCIError) as caught:
        await far_side.transport.request(method, "/x")
    return caught.value


async def test_a_request_carries_the_token_and_asks_for_json(far_side: FarSide) -> None:
    far_side.says("GET /x?branch=main", {"login": "ada"})
    answer = await far_side.transport.request("GET", "/x", params={"branch": "main"})
    headers = far_side.requests[0].headers
    assert (answer.status, answer.data, answer.date) == (200, {"login": "ada"}, DATE)
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert headers["accept"] == "application/json"
    assert headers["user-agent"] == "ci-chatops"


async def test_no_token_sends_no_empty_bearer() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=dict(request.headers))

    async with Transport("https://circleci.example", SecretStr(""), transport=httpx.MockTransport(handle)) as transport:
        answer = await transport.request("GET", "/x")
    assert "authorization" not in answer.data
    assert datetime.now(UTC) - answer.date < timedelta(minutes=1)  # no Date header: our clock


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param('{"message":"Project not found"}', "Project not found", id="json"),
        pytest.param(GITHUB_SAYS, "Not Found", id="github's document inside the message"),
        pytest.param('{"message":"404"}', "404", id="a message that is a number"),
        pytest.param(PAGE, "Gone", id="a page of html"),
        pytest.param("{}", "Gone", id="no message"),
        pytest.param('{"message":["a"]}', "Gone", id="a message that is no text"),
        pytest.param('{"message":"cut', "Gone", id="cut json"),
        pytest.param("", "Gone", id="nothing"),
        pytest.param("no such\nthing", "no such thing", id="plain text"),
        pytest.param(f'{{"message":"bad {SECRET}"}}', "bad [masked]", id="the token"),
        pytest.param(
            '{"message":"see https://a.example/x?circle-token=S now"}', "see https://a.example/x now", id="url"
        ),
        pytest.param(json.dumps({"message": "x" * 600}), "x" * 500, id="very long"),
    ],
)
async def test_a_refusal_keeps_circlecis_own_words(far_side: FarSide, body: str, message: str) -> None:
    error = await error_of(far_side, httpx.Response(410, text=body))
    assert isinstance(error, Rejected)
    assert (error.status, error.message) == (410, message)
    assert len(far_side.requests) == 1


async def test_a_status_without_a_name_is_still_told(far_side: FarSide) -> None:
    assert str(await error_of(far_side, httpx.Response(499))) == "499: HTTP 499"


async def test_a_refused_token_is_told_apart(far_side: FarSide) -> None:
    with capture_logs() as logged:
        for _ in range(3):
            error = await error_of(far_side, httpx.Response(401, json={"message": "You must log in first."}))
    assert isinstance(error, Unauthorized)
    assert str(error) == "You must log in first."
    assert logged == []  # it is no outage: the operator is told what it is


@pytest.mark.parametrize("place", ["https://circleci.example/x?circle-token=S", "/x?circle-token=S#f", "https://[x?S"])
async def test_a_redirect_is_not_followed_and_its_query_not_told(far_side: FarSide, place: str) -> None:
    error = await error_of(far_side, httpx.Response(302, headers={"Location": place}))
    assert isinstance(error, Rejected)
    assert "S" not in error.message
    assert len(far_side.requests) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"Retry-After": "7"}, 7, id="seconds"),
        pytest.param({"Retry-After": "Fri, 20 Nov 2026 10:00:30 GMT"}, 30, id="date, by CircleCI's clock"),
        pytest.param({"Retry-After": "Fri, 20 Nov 2026 09:00:00 GMT"}, 0, id="date gone by"),
        pytest.param({"Retry-After": "2.5"}, 2.5, id="a fraction"),
        pytest.param({"Retry-After": "0"}, 0, id="at once"),
        pytest.param({"Retry-After": "999999999"}, 3600, id="absurd"),
        pytest.param({"Retry-After": "1e400"}, 10, id="more than a number holds"),
        pytest.param({"Retry-After": "Fri, 20 Nov 2099 10:00:00 GMT"}, 3600, id="an absurd date"),
        pytest.param({"Retry-After": "Fri, 99 Nov 2026 10:00:00 GMT"}, 10, id="a date that is none"),
        pytest.param({"Retry-After": "-5"}, 10, id="negative"),
        pytest.param({"Retry-After": "-5", "RateLimit-Reset": "3"}, 3, id="negative, reset"),
        pytest.param({"Retry-After": "nan", "X-RateLimit-Reset": "-1"}, 10, id="nonsense in both"),
        pytest.param({"X-RateLimit-Reset": "4", "RateLimit-Reset": "9"}, 9, id="both families: the longer"),
        pytest.param({"Retry-After": "soon", "X-RateLimit-Reset": "9"}, 9, id="unreadable, reset"),
        pytest.param({"Retry-After": "inf", "RateLimit-Reset": "4"}, 4, id="infinite, other reset"),
        pytest.param({"x-ratelimit-limit": "151", "x-ratelimit-reset": "0"}, 10, id="recorded: reset 0 says nothing"),
        pytest.param({}, 10, id="silent"),
    ],
)
async def test_too_many_requests_says_how_long_to_wait(
    far_side: FarSide, headers: dict[str, str], seconds: float
) -> None:
    reply = httpx.Response(429, text="{}", headers={"Date": "Fri, 20 Nov 2026 10:00:00 GMT", **headers})
    error = await error_of(far_side, reply, method="POST")
    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("reply", "method", "tries"),
    [
        pytest.param(httpx.Response(502, text=PAGE), "GET", 3, id="server error, read"),
        pytest.param(httpx.Response(200, text='{"tests":['), "GET", 3, id="cut answer, read"),
        pytest.param(httpx.ReadTimeout(SECRET), "GET", 3, id="time-out, read"),
        pytest.param(httpx.ConnectError(SECRET), "GET", 3, id="no connection, read"),
        pytest.param(httpx.Response(429, headers={"Retry-After": "3"}), "GET", 1, id="long wait, read"),
        pytest.param(httpx.Response(429, headers={"Retry-After": "3"}), "POST", 1, id="long wait, write"),
        pytest.param(httpx.Response(404), "GET", 1, id="refused, read"),
        pytest.param(httpx.Response(502), "POST", 1, id="server error, write"),
        pytest.param(httpx.Response(201, text="<html>"), "POST", 1, id="unreadable answer, write"),
        pytest.param(httpx.ReadTimeout(""), "POST", 1, id="time-out, write"),
        pytest.param(httpx.RemoteProtocolError(""), "POST", 1, id="broken, write"),
        pytest.param(httpx.ConnectError(""), "POST", 3, id="no connection, write"),
        pytest.param(httpx.ConnectTimeout(""), "POST", 3, id="no connection in time, write"),
        pytest.param(httpx.PoolTimeout(""), "POST", 3, id="never left, write"),
    ],
)
async def test_only_what_is_safe_is_tried_again(far_side: FarSide, reply: object, method: str, tries: int) -> None:
    error = await error_of(far_side, reply, method=method)
    assert len(far_side.requests) == tries
    assert SECRET not in repr(error)


async def test_a_read_that_recovers_is_an_answer(far_side: FarSide) -> None:
    far_side.says("GET /x", httpx.Response(503), [1])
    assert (await far_side.transport.request("GET", "/x")).data == [1]


async def test_pauses_between_tries_are_multiples_of_the_back_off(far_side: FarSide) -> None:
    pauses: list[timedelta] = []
    on_retry: list[RetryHook] = [lambda details: pauses.append(timedelta(seconds=details.wait_for))]
    unit = timedelta(milliseconds=1)
    far_side.says("GET /x", httpx.Response(503))
    stamina.instrumentation.set_on_retry_hooks(on_retry)
    try:
        with stamina.set_testing(False):
            async with Transport("https://ci.example", SecretStr(""), back_off=unit, transport=far_side.mock) as client:
                with pytest.raises(Unavailable):
                    await client.request("GET", "/x")
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
    first, second = pauses
    assert unit <= first <= 6 * unit
    assert 2 * unit <= second <= 7 * unit


SOON = httpx.Response(429, text="{}", headers={"Retry-After": "0.05"})


async def test_a_429_with_a_short_wait_delays_a_write_and_is_no_reason_to_send_it_twice(
    far_side: FarSide, store: Store
) -> None:
    budget = Paced(store.turns, CIRCLECI, bounds(50))
    people = far_side.transport.on_lane(Lane(budget, patience=timedelta(seconds=1)))
    far_side.says("POST /x", SOON, httpx.Response(201, json={"number": 7}))
    assert (await people.request("POST", "/x")).data == {"number": 7}
    known = (await store.turns.standing(CIRCLECI)).pace
    assert known is not None
    assert (known.rate, known.halvings) == (25, 1)
    far_side.says("POST /x", SOON, httpx.ReadTimeout(""), httpx.Response(201))
    with pytest.raises(Unavailable) as lost:
        await people.request("POST", "/x")
    assert lost.value.arrived
    assert len(far_side.requests) == 4


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_waits_of_a_request_are_longer_each_time_and_no_longer_together_than_it_is_patient(
    far_side: FarSide, store: Store, method: str
) -> None:
    patience = timedelta(seconds=0.5)
    people = far_side.transport.on_lane(Lane(Paced(store.turns, CIRCLECI, bounds(50)), patience=patience))
    far_side.says(f"{method} /x", httpx.Response(429, headers={"Retry-After": "0"}))
    with pytest.raises(RateLimited):
        await people.request(method, "/x")
    assert len(far_side.requests) == 2


async def test_who_has_no_patience_for_a_429_is_told_how_long(far_side: FarSide, store: Store) -> None:
    budget = Paced(store.turns, CIRCLECI, bounds(50))
    looks = far_side.transport.on_lane(Lane(budget, patience=timedelta(seconds=0.01), polite=True))
    people = far_side.transport.on_lane(Lane(budget, patience=timedelta(seconds=10)))
    for transport, wait in ((looks, "0.5"), (people, "11")):
        far_side.says("GET /x", httpx.Response(429, headers={"Retry-After": wait}))
        with pytest.raises(RateLimited) as limited:
            await transport.request("GET", "/x")
        assert limited.value.retry_after == timedelta(seconds=float(wait))
    with pytest.raises(RateLimited) as limited:
        await people.request("GET", "/x")  # it is not asked before
    assert timedelta(seconds=10) < limited.value.retry_after < timedelta(seconds=12)
    assert len(far_side.requests) == 2


async def test_the_429_of_one_token_is_nothing_to_another(store: Store, tmp_path: Path) -> None:
    far_side, tokens = FarSide(), {"gh/other": SecretStr("OTHER"), "gh/third": SecretStr("THIRD")}
    several = Transport("https://circleci.example", SecretStr(SECRET), tokens=tokens, transport=far_side.mock)
    budget, app = Paced(store.turns, CIRCLECI, bounds(50)), "/api/v2/project/gh/{}/app".format
    async with several.on_lane(Lane(budget, patience=timedelta(seconds=1))) as people:
        far_side.says(f"GET {app('other')}", httpx.Response(429, headers={"Retry-After": "30"}))
        for _ in range(2):
            with pytest.raises(RateLimited):
                await people.request("GET", app("other"))
        assert far_side.calls == [f"GET {app('other')}"]
        for name in ("acme", "third"):
            far_side.says(f"GET {app(name)}", {})
            await people.request("GET", app(name))
        known = (await store.turns.standing(CIRCLECI)).pace
        assert known is not None
        assert (known.rate, known.halvings) == (50, 0)
        # What nobody has seen yet may be anybody's: the next one is asked, and the pause said where that sees nothing.
        with pytest.raises(RateLimited) as limited:
            await people.request("GET", "/pipeline/5034460f-c7c4-4c43-9457-de07e2029e7b")
        assert limited.value.retry_after > timedelta(seconds=28)
        assert [one.headers["authorization"][7:] for one in far_side.requests[-2:]] == [SECRET, "THIRD"]
    async with Redis.from_url(redis_url(tmp_path), decode_responses=True) as redis:
        assert not [name for name in await redis.keys("*") if "OTHER" in name or "THIRD" in name]


async def test_an_empty_success_is_no_data(far_side: FarSide) -> None:
    far_side.says("POST /x", httpx.Response(200, text=""))
    assert (await far_side.transport.request("POST", "/x")).data is None


@pytest.mark.parametrize(
    "name",
    [
        *("release/v2.0", "fix/#1234-some-fix", "größe/✓", "100%", "%2F", "what?", "a b+c", "a;b=c,d@e:f", "..x"),
        *("%2e%2e", "a&b", "back\\slash", "'\"<>|^`{}[]", "~x"),
    ],
)
async def test_a_name_arrives_whole_and_in_one_segment(name: str) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response(request.raw_path)

    async with serving(handle) as url, Transport(url, SecretStr(SECRET)) as transport:
        path = f"/api/v2/{project_path('gh/acme/frontend', name, 'x')}"
        raw = str((await transport.request("GET", path, params={"branch": name})).data)
    path, _, query = raw.partition("?")
    assert [unquote(part) for part in path.split("/")] == [
        "",
        "api",
        "v2",
        "project",
        "gh",
        "acme",
        "frontend",
        name,
        "x",
    ]
    assert parse_qs(query) == {"branch": [name]}


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text not in {".", ".."}),
        min_size=1,
    )
)
def test_segments_come_apart_as_they_were_joined(parts: list[str]) -> None:
    assert [unquote(part) for part in segments(*parts).split("/")] == parts


@pytest.mark.parametrize("slug", ["gh/acme", "gh/acme/frontend/pipeline", "gh/../me", "gh//frontend", "gh/acme/.", ""])
def test_a_slug_cannot_reach_another_path(slug: str) -> None:
    with pytest.raises(Rejected, match="404"):
        project_path(slug, "pipeline")


async def test_a_redirect_to_elsewhere_never_sees_the_token(far_side: FarSide) -> None:
    where = httpx.Response(302, headers={"location": "https://storage.example/storage?key=1"})
    far_side.says("GET /x", where)
    far_side.says("GET /storage?key=1", httpx.Response(200, text="a log"))
    with pytest.raises(Rejected, match="302"):
        await far_side.transport.request("GET", "/x")
    (asked,) = far_side.requests
    assert SECRET in str(asked.headers.raw)
    async with far_side.transport.download("https://circleci.example/x", deadline_seconds=5) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"a log"
    assert [request.url.host for request in far_side.requests[1:]] == ["circleci.example", "storage.example"]
    assert SECRET not in "".join(str(request.headers.raw) for request in far_side.requests[1:])


async def test_a_connection_lost_after_sending_counts_as_arrived() -> None:
    calls = 0

    async def handle(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with serving(handle) as url, Transport(url, SecretStr(SECRET)) as transport:
        with pytest.raises(Unavailable) as caught:
            await transport.request("POST", "/trigger", json={})
    assert caught.value.arrived
    assert calls == 1


async def test_all_clients_trust_the_same_certificates_read_once() -> None:
    async with (
        Transport("https://a.example", SecretStr("")) as one,
        Transport("https://b.example", SecretStr("")) as two,
    ):
        clients = (one._client, one._stranger, two._client, two._stranger)
        used = [client._transport for client in clients]
    (context,) = {one.ssl_context for one in used if isinstance(one, AiohttpTransport)}
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


async def test_a_certificate_that_nobody_we_know_has_signed_is_refused(tmp_path: Path) -> None:
    key, chain = await certificate(tmp_path)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(chain, key)
    seen: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response()

    async with serving(handle, theirs) as url, Transport(url, SecretStr(SECRET)) as transport:
        for asked in (transport.request("GET", "/x"), transport.artifact(f"{url}/x", max_bytes=1)):
            with pytest.raises(Unavailable, match="its certificate is not one that I trust"):
                await asked
    assert (url[:8], seen) == ("https://", [])


async def test_nobody_listening_means_that_nothing_arrived() -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response()

    async with serving(handle) as url:
        pass
    async with Transport(url, SecretStr(SECRET)) as transport:
        with pytest.raises(Unavailable, match="no connection") as caught:
            await transport.request("POST", "/trigger?circle-token=S")
    assert not caught.value.arrived


async def test_an_answer_that_never_ends_is_given_up() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"[")
        await asyncio.Event().wait()
        return response

    async with serving(handle) as url, Transport(url, SecretStr(SECRET), timeout_seconds=0.05) as transport:
        with pytest.raises(Unavailable, match="in time") as caught:
            await transport.request("POST", "/x")
    assert caught.value.arrived


async def test_no_log_line_holds_the_token_or_a_query(far_side: FarSide, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    far_side.says("GET /x?page-token=S1", httpx.Response(500))
    far_side.says("GET /log?X-Amz-Signature=S2", "a log")
    with pytest.raises(Unavailable):
        await far_side.transport.request("GET", "/x", params={"page-token": "S1"})
    async with far_side.transport.download("https://storage.example/log?X-Amz-Signature=S2", deadline_seconds=5):
        pass
    assert "storage.example/log" in caplog.text
    for secret in (SECRET, "S1", "S2"):
        assert secret not in caplog.text


AT = {"date": format_datetime(DATE, usegmt=True)}


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "7"}, 7),
        (429, {"x-ratelimit-reset": "3"}, 3),
        (429, {}, 10),
        (200, {"ratelimit-remaining": "0", "ratelimit-reset": "4"}, 4),
        (200, {"x-ratelimit-remaining-minute": "0", "x-ratelimit-reset": "30", "x-ratelimit-remaining-day": "12"}, 30),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "0"}, 0),
        (200, {"X-RateLimit-Remaining-Second": "0", "X-RateLimit-Reset-Second": "0.4"}, 0.4),
        (200, {"x-ratelimit-remaining": "0", "ratelimit-remaining": "7", "ratelimit-reset": "20"}, 20),
        (200, {"x-ratelimit-remaining": "-3", "x-ratelimit-reset": "5"}, 5),
        (200, {"x-ratelimit-remaining": "none", "x-ratelimit-reset": "5"}, 0),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "-5"}, 0),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "999999999"}, 3600),
        (200, {"x-ratelimit-remaining": "0"}, 0),
        (
            200,
            {"X-RateLimit-Remaining-Second": "0", "X-RateLimit-Reset-Second": "1", "X-RateLimit-Remaining-Hour": "9000"}
            | {"X-RateLimit-Reset-Hour": "3500"},
            1,
        ),
        (200, AT | {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(DATE.timestamp() + 30)}, 30),
        (429, {"x-ratelimit-remaining-day": "0", "x-ratelimit-reset-day": "7", "x-ratelimit-reset-minute": "50"}, 7),
        (404, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "5"}, 0),
        (403, {"retry-after": "3600"}, 0),
        (200, {"x-ratelimit-remaining": "150", "x-ratelimit-reset": "30"}, 0),
        (200, {}, 0),
        (503, {}, 0),
        (503, {"retry-after": "6"}, 6),
        (503, {"retry-after": "-6"}, 0),
        (503, {"retry-after": "3600"}, 60),
        (502, {"ratelimit-remaining": "0", "ratelimit-reset": "3000"}, 60),
        (429, {"retry-after": "3000"}, 3000),
    ],
)
def test_everybody_is_told_when_circleci_asks_to_wait(status: int, headers: dict[str, str], seconds: float) -> None:
    response = httpx.Response(status, headers=headers)
    assert asked_to_wait(response, now=datetime.now(UTC)) == timedelta(seconds=seconds)


@given(st.integers(200, 599), st.dictionaries(st.sampled_from(WAITS), st.text(st.characters(max_codepoint=126))))
def test_whatever_stands_there_nobody_waits_for_longer_than_an_hour(status: int, headers: dict[str, str]) -> None:
    response = httpx.Response(status, headers=headers)
    assert timedelta(0) <= asked_to_wait(response, now=datetime.now(UTC)) <= timedelta(hours=1)


@given(st.text())
def test_cutting_queries_leaves_text_without_addresses_alone(text: str) -> None:
    assert without_queries(text.replace("http", "")) == text.replace("http", "")


async def test_an_old_server_gets_the_token_in_its_own_header() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    transport = httpx.MockTransport(handle)
    async with Transport(
        "https://ci.example", SecretStr(SECRET), auth_header="circle-token", transport=transport
    ) as client:
        await client.request("GET", "/x")
    assert seen[0].headers["circle-token"] == SECRET
    assert "authorization" not in seen[0].headers


FILE = "https://output.circle-artifacts.com/output/job/x/artifacts/0/report.html"
ASKED_FILE = "GET /output/job/x/artifacts/0/report.html"


async def test_an_artifacts_redirect_never_carries_the_token_on(far_side: FarSide) -> None:
    # C28
    where = {"location": "https://storage.example/x?X-Amz-Signature=S"}
    far_side.says(ASKED_FILE, httpx.Response(302, headers=where))
    far_side.says("GET /x?X-Amz-Signature=S", httpx.Response(200, content=b"<html>"))
    async with Transport("https://circleci.com", SecretStr(SECRET), transport=far_side.mock) as cloud:
        assert await cloud.artifact(FILE, max_bytes=100) == b"<html>"
    first, second = far_side.requests
    assert SECRET in first.headers["authorization"]
    assert SECRET not in str(second.headers.raw)
    # A Server's token is nothing for Cloud's hosts.
    assert await far_side.transport.artifact(FILE, max_bytes=100) == b"<html>"
    assert SECRET not in str(far_side.requests[2].headers.raw)


async def test_an_artifact_elsewhere_is_fetched_without_the_token(far_side: FarSide) -> None:
    far_side.says("GET /a", httpx.Response(200, content=b"x" * 11))
    assert await far_side.transport.artifact("https://evil-circle-artifacts.com/a", max_bytes=10) is None
    assert SECRET not in str(far_side.requests[0].headers.raw)


ORGANISATIONS = {"gh/acme": SecretStr("CCIPAT_of_acme_SECRET"), "gh/other": SecretStr("CCIPAT_of_other_SECRET")}


def credentials(far_side: FarSide) -> list[str | None]:
    return [request.headers.get("authorization") for request in far_side.requests]


@pytest.mark.parametrize(
    ("home", "place"),
    [
        ("https://circleci.example", "https://circleci.example:8443/a"),
        ("https://circleci.example", "https://circleci.example:80/a"),
        ("https://circleci.example", "https://circleci.example./a"),
        ("https://circleci.example", "https://files.circleci.example/a"),
        ("https://circleci.example", "https://circleci.example@elsewhere.example/a"),
        ("https://circleci.example:8443", "https://circleci.example/a"),
        ("http://circleci.example", "https://circleci.example/a"),
        ("https://circleci.com", "https://output.circle-artifacts.com:8443/a"),
        ("https://circleci.com", "https://circle-artifacts.com.elsewhere.example/a"),
        ("http://circleci.com", "https://output.circle-artifacts.com/a"),
    ],
)
async def test_no_token_of_any_organisation_leaves_home(far_side: FarSide, home: str, place: str) -> None:
    async with Transport(home, SecretStr(SECRET), tokens=ORGANISATIONS, transport=far_side.mock) as transport:
        with pytest.raises(Rejected, match="404"):
            await transport.artifact(place, max_bytes=10)
    (asked,) = far_side.requests
    assert "SECRET" not in str(asked.headers.raw)


@pytest.mark.parametrize(
    ("home", "place"),
    [
        ("https://circleci.example", "https://circleci.example:443/a"),
        ("https://CircleCI.example:443/", "https://circleci.example/a"),
        ("http://circleci.example:80", "http://circleci.example/a"),
        ("http://circleci.example:8080", "http://circleci.example:8080/a"),
        ("https://circleci.com", "https://circleci.com/a"),
        ("https://circleci.com:443", "https://1842-1234-gh.circle-artifacts.com/a"),
    ],
)
async def test_at_home_each_token_is_tried_until_one_may_see_it(far_side: FarSide, home: str, place: str) -> None:
    far_side.says("GET /a", httpx.Response(404), httpx.Response(200, content=b"<html>"))
    async with Transport(home, SecretStr(SECRET), tokens=ORGANISATIONS, transport=far_side.mock) as transport:
        assert await transport.artifact(place, max_bytes=10) == b"<html>"
    assert credentials(far_side) == [f"Bearer {SECRET}", "Bearer CCIPAT_of_acme_SECRET"]


async def test_a_redirect_to_another_port_of_the_same_host_carries_no_token(far_side: FarSide) -> None:
    home, neighbour = "https://circleci.example", "https://circleci.example:8443"
    far_side.says("GET /first", httpx.Response(302, headers={"location": f"{neighbour}/second"}))
    far_side.says("GET /second", httpx.Response(302, headers={"location": f"{home}/third"}))
    far_side.says("GET /third", httpx.Response(200, content=b"a file"))
    assert await far_side.transport.artifact(f"{home}/first", max_bytes=10) == b"a file"
    assert await far_side.transport.artifact(f"{neighbour}/third", max_bytes=10) == b"a file"
    assert credentials(far_side) == [f"Bearer {SECRET}", None, None, None]


@pytest.mark.parametrize("place", ["https://circleci.example:port/a", "https://circleci.example\t/a", ""])
async def test_an_address_that_is_none_is_told_as_such(far_side: FarSide, place: str) -> None:
    with pytest.raises(Unavailable):
        await far_side.transport.artifact(place, max_bytes=10)
    assert far_side.requests == []


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.Response(404), Rejected),
        (httpx.Response(302, headers={"location": "ftp://storage.example/x"}), Unavailable),
        (httpx.Response(302, headers={"location": FILE}), Unavailable),
        (httpx.ReadTimeout("late"), Unavailable),
    ],
)
async def test_an_artifact_that_cannot_be_had_is_an_error(
    far_side: FarSide, reply: object, kind: type[CircleCIError]
) -> None:
    far_side.says(ASKED_FILE, reply)
    with pytest.raises(kind):
        await far_side.transport.artifact(FILE, max_bytes=100)


async def test_a_write_looks_once_more_each_time_it_goes_out(far_side: FarSide, store: Store) -> None:
    people = far_side.transport.on_lane(Lane(Paced(store.turns, CIRCLECI, bounds(50)), patience=timedelta(seconds=1)))
    looks: list[int] = []

    async def look() -> None:
        looks.append(len(far_side.requests))
        if len(looks) > 1:
            raise StoreError("it is locked by now")

    far_side.says("POST /x", SOON, httpx.Response(201))
    far_side.says("GET /x", httpx.Response(200, json={}))
    with last_look(look):
        await people.request("GET", "/x")
        with pytest.raises(StoreError):
            await people.request("POST", "/x")
    assert looks == [1, 2]
    assert len(far_side.requests) == 2


@pytest.mark.parametrize(
    ("first", "times"),
    [
        (SOON, 1),
        (httpx.ConnectError("no network"), 1),
        (httpx.Response(201), 0),
        (httpx.Response(400, json={"message": "no"}), 0),
        (httpx.ReadTimeout("late"), 0),
    ],
    ids=["429", "never arrived", "done", "refused", "answer lost"],
)
async def test_who_writes_hears_of_what_surely_did_nothing_before_it_goes_out_again(
    far_side: FarSide, store: Store, first: object, times: int
) -> None:
    people = far_side.transport.on_lane(Lane(Paced(store.turns, CIRCLECI, bounds(50)), patience=timedelta(seconds=1)))
    heard: list[str] = []

    async def hears(what: str) -> None:
        heard.append(what)

    far_side.says("POST /x", first, httpx.Response(201))
    around, inside = (
        last_look(partial(hears, "around")),
        last_look(partial(hears, "goes out"), partial(hears, "put off")),
    )
    with around, inside, suppress(CircleCIError):
        await people.request("POST", "/x")
    assert heard == ["around", "goes out", *times * ["put off", "around", "goes out"]]
