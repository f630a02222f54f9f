"""Calls Slack's methods: in turn, waiting when told to, and not at all while it takes our token no more."""

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple, Self

import aiohttp
import structlog
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot import metrics
from bot.budgets import NO_WAIT, Budget
from bot.errors import SlackError, SlackLimited, StoreError
from bot.logs import Outage
from bot.models.refusals import TOKEN_GONE, UNSURE
from bot.outside import NEVER_SENT, certificates, proxy_for

POST, UPDATE = "chat.postMessage", "chat.update"
PATIENCE = timedelta(seconds=3)
PROBE_SECONDS = 60
TIMEOUT_SECONDS = 10
log = structlog.get_logger(__name__)


class SlackBudgets(NamedTuple):
    """How often we may call: posts per channel, edits in the workspace, and every other method while it is not paused.

    https://docs.slack.dev/apis/web-api/rate-limits
    """

    posts: Budget
    updates: Budget
    others: Budget


class SlackCalls:
    """One way to Slack: with `budgets` all processes together keep to them, and to what Slack asks of any of them.

    `refused` is why Slack takes our token no more, empty while it does.
    """

    def __init__(self, *, token: SecretStr, api_url: str, budgets: SlackBudgets | None = None) -> None:
        self._api_url = api_url
        self._token = token
        self._budgets = budgets
        self._outage = Outage("Slack", after=3)
        self.refused = ""
        self.probe_at = 0.0
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None

    async def __aenter__(self) -> Self:
        # One session for all calls: slack_sdk opens a connection per call without one.
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS), connector=aiohttp.TCPConnector(ssl=certificates())
        )
        handlers: list[AsyncRetryHandler] = []  # a retried post is a second post: we decide ourselves
        self._client = AsyncWebClient(
            self._token.get_secret_value(),
            base_url=f"{self._api_url}/api/",
            session=self._session,
            timeout=TIMEOUT_SECONDS,
            ssl=certificates(),
            retry_handlers=handlers,
        )
        self._client.proxy = proxy_for(self._api_url)  # by itself it would send all to HTTPS_PROXY, NO_PROXY or not
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def client(self) -> AsyncWebClient:
        """Slack's own client, for Bolt."""
        if self._client is None:
            raise RuntimeError("Slack is called before it is opened")
        return self._client

    @property
    def session(self) -> aiohttp.ClientSession:
        """What else is sent goes through."""
        if self._session is None:
            raise RuntimeError("Slack is called before it is opened")
        return self._session

    async def read(self, method: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Call a method that only asks: those take no JSON, https://docs.slack.dev/apis/web-api#post-bodies ."""
        return await self.call(method, fields, asks=True)

    async def call(
        self, method: str, fields: dict[str, Any], *, asks: bool = False, hurried: bool = False
    ) -> dict[str, Any]:
        """Call a method; a `hurried` one is called once, if that can be now."""
        if self.refused and time.monotonic() < self.probe_at:
            raise SlackError(method, self.refused)  # a bot that was removed does not go on calling
        if method not in (POST, UPDATE):
            await self.turn(method, method, patience=NO_WAIT if hurried else PATIENCE)
        body = {name: value for name, value in fields.items() if value is not None}
        for attempt in (1, 2, 3):
            try:
                calling = self.client.api_call
                answer = await (calling(method, http_verb="GET", params=body) if asks else calling(method, json=body))
            except SlackApiError as error:
                await self._wait_if_limited(method, body, error, last=hurried or attempt == 3)
            except (aiohttp.ClientError, TimeoutError) as error:
                self._outage.failed(type(error).__name__)
                raise _unanswered(method, error) from error
            else:
                self._accepted()
                return dict(answer.data) if isinstance(answer.data, dict) else {}
        raise SlackError(method, "ratelimited")

    def _token_refused(self, code: str) -> None:
        """Ask Slack no more, but for a probe now and then; one line tells the operator."""
        if not self.refused:
            log.error("slack_refuses_the_bot_token", code=code, fix="reinstall the app, set SLACK_BOT_TOKEN, restart")
        self.refused = code
        self.probe_at = time.monotonic() + PROBE_SECONDS

    def _accepted(self) -> None:
        self._outage.worked()
        if self.refused:
            log.info("slack_accepts_the_bot_token_again")
            self.refused = ""

    async def turn(self, method: str, key: str, *, polite: bool = False, patience: timedelta = PATIENCE) -> None:
        """Wait for our turn; raises SlackLimited where that would take long.

        Without Redis nobody counts: the words that say so must still get out.
        """
        budget = self._budget(method)
        if budget is None:
            return
        with suppress(StoreError):
            if wait := await budget.turn(key, polite=polite, patience=patience):
                raise SlackLimited(method, wait)

    def _budget(self, method: str) -> Budget | None:
        if self._budgets is None:
            return None
        return {POST: self._budgets.posts, UPDATE: self._budgets.updates}.get(method, self._budgets.others)

    async def _wait_if_limited(self, method: str, body: dict[str, Any], error: SlackApiError, *, last: bool) -> None:
        """Stand still for a short Retry-After, raise in every other case."""
        code = code_of(error)
        if code != "ratelimited":
            if code in TOKEN_GONE:
                self._token_refused(code)
            # Slack's own troubles: https://docs.slack.dev/reference/methods/chat.postMessage#errors
            lost = _status(error) >= 500 or code in UNSURE
            raise SlackError(method, code, lost=lost) from error
        metrics.SLACK_LIMITED.labels(method).inc()
        wait = timedelta(seconds=float(error.response.headers.get("Retry-After", 1)))
        if budget := self._budget(method):
            key = {POST: str(body.get("channel")), UPDATE: ""}.get(method, method)
            with suppress(StoreError):
                await budget.pause(wait, key)
        if last or wait > PATIENCE:
            raise SlackLimited(method, wait) from error
        await asyncio.sleep(wait.total_seconds())


async def tried(method: str, asking: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
    """Return what a method answers that is asked once, budget or not; raises SlackError with Slack's own code."""
    try:
        return await asking
    except SlackApiError as error:
        raise SlackError(method, code_of(error)) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise _unanswered(method, error) from error


def code_of(error: SlackApiError) -> str:
    """Return Slack's own code, or the status of an answer that has none: it may be somebody else's."""
    data = getattr(error.response, "data", None)
    return str((isinstance(data, dict) and data.get("error")) or f"http_{_status(error)}")


def _status(error: SlackApiError) -> int:
    """Return the status of what was answered; slack_sdk hands on aiohttp's own answer where it is broken JSON."""
    answer = error.response
    return int(answer.status_code if isinstance(answer, AsyncSlackResponse) else getattr(answer, "status", 0))


def _unanswered(method: str, error: Exception) -> SlackError:
    return SlackError(method, type(error).__name__, lost=not isinstance(error, NEVER_SENT))
