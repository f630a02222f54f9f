"""`POST /circleci/webhook`: a webhook pulls the next look at its pipeline forward, and is never believed itself.

While those of a project come, its builds are looked at less often without one.
"""

import asyncio
import json
from datetime import timedelta

import structlog
from aiohttp import web

from bot import metrics
from bot.circleci.webhooks import Event, is_signed, read
from bot.errors import StoreError
from bot.models.circleci import PipelineId
from bot.models.slack import utc_now
from bot.server import only_header
from bot.store import Store
from bot.watching.engine import Engine
from bot.watching.hearing import is_known
from bot.watching.inbox import Inbox

ANSWER_SECONDS = 0.2  # CircleCI waits for ten, but nobody should have to
KEPT = timedelta(days=1)
log = structlog.get_logger(__name__)


class Knock:
    """Answers 401 to what is not signed, 400 to what is no JSON object, 200 to the rest.

    While Redis is away it answers 503, so that CircleCI tries again.
    """

    def __init__(self, secret: str, store: Store, engine: Engine, inbox: Inbox) -> None:
        self._secret = secret
        self._store = store
        self._engine = engine
        self._inbox = inbox

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Take one delivery."""
        body = await request.read()
        if not is_signed(body, only_header(request.headers, "circleci-signature"), self._secret):
            return self._answer("unsigned", 401)
        if not _is_object(body):
            log.warning("webhook_unreadable", bytes=len(body))
            return self._answer("unreadable", 400)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return self._answer(await self._outcome(body), 200)
        except (StoreError, TimeoutError):
            return self._answer("put_off", 503)

    async def _outcome(self, body: bytes) -> str:
        event = read(body)
        if event is None or event.pipeline_id is None:
            return "ping" if event and event.type == "ping" else "unknown"
        if not event.is_fresh(utc_now()):
            return "old"
        watches = await self._store.watches.of(event.pipeline_id)
        slugs = {event.project.slug, *(watch.project_slug for watch in watches)}
        await self._store.hooks.heard(slugs, event.happened_at)
        if not watches and not await self._store.watches.any(event.pipeline_id):
            return await self._for_subscribers(event, event.pipeline_id)
        once = _once(event)
        if await self._store.claims.is_taken(once):
            return "duplicate"
        if is_known(event, (await self._store.watches.last_look(event.pipeline_id)).build):
            return "known"
        await self._store.watches.announce(event.pipeline_id, event.model_dump_json())
        await self._engine.wake(event.pipeline_id)
        await self._store.claims.first(once, KEPT)  # only now: what was put off comes again
        return "woke"

    async def _for_subscribers(self, event: Event, pipeline_id: PipelineId) -> str:
        """Let those hear of it who have subscribed to its branch; what follows it tells of its end itself."""
        if await self._store.claims.is_taken(_once(event)):
            return "duplicate"
        if not await self._inbox.heard(event, pipeline_id):
            return "unwatched"
        await self._store.claims.first(_once(event), KEPT)
        return "news"

    @staticmethod
    def _answer(outcome: str, status: int) -> web.Response:
        metrics.WEBHOOKS.labels(outcome).inc()
        log.debug("webhook", outcome=outcome)
        return web.Response(status=status)


def _once(event: Event) -> str:
    return f"webhook:{event.id}"


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
