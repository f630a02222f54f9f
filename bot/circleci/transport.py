"""One request function: token, turn, time-out and retry."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from copy import copy
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
import httpx
import stamina
from httpx_aiohttp import HttpxAiohttpClient
from pydantic import SecretStr

from bot import metrics
from bot.circleci.addresses import (
    INSIDE,
    StrangersClient,
    check,
    is_refusal,
    is_trusted_with_token,
    origin,
)
from bot.circleci.answers import Answer, asked_to_wait, phrase, without_queries
from bot.circleci.bodies import content, understood, unpacked, whole
from bot.circleci.keyring import Keyring
from bot.circleci.last_look import look_once_more, was_put_off
from bot.errors import (
    CircleCIError,
    Elsewhere,
    RateLimited,
    Rejected,
    Spent,
    TooLarge,
    Unauthorized,
    Unavailable,
    reading,
)
from bot.logs import Outage
from bot.outside import BROKE, NEVER_SENT, certificates, why_unreached
from bot.pacing import Lane

ATTEMPTS = 3
MOST_REDIRECTS = 4
BACK_OFF = timedelta(seconds=0.2)
SHORT_WAIT = timedelta(seconds=2)  # that of who has no lane; a longer one is the caller's to plan

log = logging.getLogger(__name__)

T = TypeVar("T")


class _NoQueries(logging.Filter):
    """Cut the query off the addresses httpx logs: the address of a step's output is the key to it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, without queries."""
        record.msg, record.args = without_queries(record.getMessage()), ()
        return True


logging.getLogger("httpx").addFilter(_NoQueries())


class Transport:
    """Speaks to one CircleCI with one token; use it as a context manager.

    `auth_header` is bearer, or circle-token for an old Server.
    `tokens` are those of other organisations (`gh/acme`) or projects (`gh/acme/frontend`).
    `timeout_seconds` bounds a whole request, and half of it the connecting. `back_off` is the pause before it is sent
    a second time; what chance adds is at most five times that, and no pause is longer than ten times.
    """

    def __init__(
        self,
        base_url: str,
        token: SecretStr,
        *,
        timeout_seconds: float = 10,
        back_off: timedelta = BACK_OFF,
        auth_header: str = "bearer",
        tokens: Mapping[str, SecretStr] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._home = origin(self._base_url)
        self._keys = Keyring(token, tokens or {})
        self._timeout_seconds = timeout_seconds
        self._back_off = back_off
        self._lane: Lane | None = None
        self._outage = Outage("CircleCI", after=3)
        timeout = httpx.Timeout(timeout_seconds, connect=timeout_seconds / 2, pool=timeout_seconds / 2)
        headers = {"User-Agent": "ci-chatops", "Accept": "application/json", "Accept-Encoding": "gzip"}
        self._auth_header = auth_header
        self._client = HttpxAiohttpClient(headers=headers, timeout=timeout, transport=transport, verify=certificates())
        # For addresses that CircleCI hands out and that may be anybody's.
        self._stranger = StrangersClient(headers=headers, timeout=timeout, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()
        await self._stranger.aclose()

    async def request(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: object = None
    ) -> Answer:
        """Send one request and return its 2xx; raises a CircleCIError for everything else.

        A GET is tried again after Unavailable, a write only when it surely never arrived. A 429 surely did nothing:
        both wait as CircleCI asks, and longer each time, if that is no longer in all than the lane is patient.
        """
        patience, pause = self._lane.patience if self._lane else SHORT_WAIT, self._back_off
        while True:
            try:
                return await self._tried(method, path, params, json)
            except Spent:
                raise  # it has waited for its turn already
            except RateLimited as error:
                pause, wait = 2 * pause, max(error.retry_after, pause)
                patience -= wait
                if patience < timedelta(0):
                    raise
            if self._lane:
                self._lane.waits(wait)
            await asyncio.sleep(wait.total_seconds() + random.uniform(0, 0.3))  # noqa: S311  # spreads, hides nothing

    async def _tried(self, method: str, path: str, params: Mapping[str, str] | None, json: object) -> Answer:
        def again(error: Exception) -> bool:
            return _again(method, error)

        pause = self._back_off
        async for attempt in stamina.retry_context(
            on=again, attempts=ATTEMPTS, wait_initial=pause, wait_jitter=5 * pause, wait_max=10 * pause
        ):
            with attempt:
                try:
                    with reading() if method == "GET" else nullcontext():
                        found = await self._send(method, path, params, json)
                except (TooLarge, Unauthorized):
                    raise  # it did answer
                except (Unavailable, RateLimited) as error:
                    self._outage.failed(repr(error))
                    raise
                self._outage.worked()
                return found
        raise AssertionError("the last attempt returns or raises")  # pragma: no cover

    async def _send(self, method: str, path: str, params: Mapping[str, str] | None, json: object) -> Answer:
        failed: CircleCIError | None = None
        for token in self._keys.for_path(path):
            try:
                return await self._send_as(token, method, path, params, json)
            except Rejected as error:
                if not error.is_gone:
                    raise
                failed = failed if isinstance(failed, RateLimited) else error  # to who may not see it it is not there
            except RateLimited as error:
                failed = error  # it may be this one that sees it
        raise failed or AssertionError("there is always a token")

    async def _send_as(
        self, token: str, method: str, path: str, params: Mapping[str, str] | None, json: object
    ) -> Answer:
        whose = self._keys.whose(token)
        if self._lane and (wait := await self._lane.turn(whose)):
            raise RateLimited(wait) if await self._lane.is_paused(whose) else Spent(wait)
        if method == "GET":
            return await self._exchanged(token, method, path, params, json)
        try:
            await look_once_more()
        except Unavailable as error:
            error.arrived = False  # it was a read that failed: nothing has been sent
            raise
        try:
            return await self._exchanged(token, method, path, params, json)
        except CircleCIError as error:
            if isinstance(error, RateLimited) or _again(method, error):
                await was_put_off()
            raise

    async def _exchanged(
        self, token: str, method: str, path: str, params: Mapping[str, str] | None, json: object
    ) -> Answer:
        whose = self._keys.whose(token)
        sent_at = time.monotonic()
        async with _errors(self._timeout_seconds):
            address, headers = f"{self._base_url}{path}", self._credential(token)
            async with self._client.stream(method, address, params=params, json=json, headers=headers) as streamed:
                response = await whole(streamed)
        metrics.CIRCLECI_REQUESTS.labels(str(response.status_code)).inc()
        log.debug("%s %s: %s", method, path, response.status_code)
        now = datetime.now(UTC)
        await self._heed(response, sent_at, now, whose)
        try:
            found = await understood(response, secret=token, now=now)
        except Unauthorized as error:
            error.token = self._keys.name_of(token)
            raise
        self._keys.learn(token, found.data)
        return found

    async def _heed(self, response: httpx.Response, sent_at: float, now: datetime, whose: str) -> None:
        """Let all that goes out with a token wait where CircleCI asks for it, and ask it less often after a 429."""
        if self._lane is None:
            return
        pause = asked_to_wait(response, now=now)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            await self._lane.limited(pause, sent_at=sent_at, whose=whose)
        elif pause:
            await self._lane.pause(pause, whose)

    def _credential(self, token: str) -> dict[str, str]:
        if not token:
            return {}  # an empty bearer is refused as malformed instead of being taken for nobody
        return {"Circle-Token": token} if self._auth_header == "circle-token" else {"Authorization": f"Bearer {token}"}

    @property
    def token_names(self) -> tuple[str, ...]:
        """The organisations and projects that have a token of their own."""
        return self._keys.names

    def with_token_of(self, name: str) -> Self:
        """Return the same transport with one token for everything: the default one where `name` is empty."""
        other = copy(self)
        other._keys = self._keys.alone(name)  # noqa: SLF001  # it is ourselves
        return other

    def on_lane(self, lane: Lane) -> Self:
        """Return the same transport, on the same connections, where `lane` gives each request its turn."""
        other = copy(self)
        other._lane = lane  # noqa: SLF001  # it is ourselves
        return other

    async def artifact(self, url: str, *, max_bytes: int, deadline_seconds: float = 60) -> bytes | None:
        """Return a stored file, None when it is larger; raises a CircleCIError.

        A token, the default one or an organisation's, goes to CircleCI's own scheme, hosts and port alone and never
        over a redirect: the storage behind one refuses a second credential (buildkite/cli#830), and may be anybody's.
        """
        async with _errors(deadline_seconds):
            tokens = self._keys.all if is_trusted_with_token(origin(url), self._home) else ("",)
            for token in tokens[:-1]:
                with suppress(Rejected):
                    return await self._fetched(url, token, max_bytes)
            return await self._fetched(url, tokens[-1], max_bytes)

    async def _fetched(self, url: str, token: str, max_bytes: int) -> bytes | None:
        async with self._opened(url, token) as response:
            return await content(response, max_bytes)

    @asynccontextmanager
    async def download(self, url: str, *, deadline_seconds: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """Stream what is behind `url`, without any credential; raises a CircleCIError, also when the time is up."""
        async with _errors(deadline_seconds), self._opened(url, "") as response:
            yield unpacked(response)

    @asynccontextmanager
    async def _opened(self, url: str, token: str) -> AsyncIterator[httpx.Response]:
        """Yield the response behind an address that CircleCI named; each redirect is judged as the address itself."""
        headers = self._credential(token)
        for _ in range(MOST_REDIRECTS):
            there = origin(url)
            check(there, self._home)
            client = self._client if there == self._home else self._stranger
            async with client.stream("GET", url, follow_redirects=False, headers=headers) as response:
                if response.is_success:
                    yield response
                    return
                if not response.has_redirect_location:
                    raise Rejected(response.status_code, phrase(response.status_code))
                url, headers = str(response.url.join(response.headers["location"])), {}
        raise Unavailable("it points nowhere", arrived=False)


@asynccontextmanager
async def _errors(deadline_seconds: float) -> AsyncIterator[None]:
    """Turn what the libraries raise into Unavailable; their own texts may hold addresses and stay behind."""
    try:
        async with asyncio.timeout(deadline_seconds):
            yield
    except TimeoutError:
        raise Unavailable("no answer in time") from None
    except httpx.DecodingError:
        raise Unavailable("an answer that cannot be read") from None
    except httpx.HTTPError as error:
        if is_refusal(error):
            raise Elsewhere(error.request.url.host, INSIDE) from None
        lost = _surely_lost(error)
        late = isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout)
        began = "no answer in time" if late else BROKE
        reason = why_unreached(type(error.__cause__).__name__, str(error.request.url)) if lost else began
        raise Unavailable(reason, arrived=not lost) from None
    except (httpx.InvalidURL, httpx.StreamError, aiohttp.ClientError, ValueError, OSError) as error:
        # Nobody knows all that an odd answer makes the libraries raise.
        raise Unavailable(type(error).__name__) from None


def _surely_lost(error: httpx.HTTPError) -> bool:
    """Say whether the request surely never arrived.

    httpx-aiohttp 0.2 calls every lost connection a ConnectTimeout, one that broke after the request was sent as well;
    only aiohttp's own exception knows.
    """
    cause = error.__cause__
    if isinstance(cause, aiohttp.ClientError):
        return isinstance(cause, NEVER_SENT)
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def _again(method: str, error: Exception) -> bool:
    if isinstance(error, Unavailable) and not isinstance(error, TooLarge):
        return method == "GET" or not error.arrived
    return False
