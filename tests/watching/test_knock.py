"""A webhook that could not be taken comes again, and is news then."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import cast

from aiohttp import web
from prometheus_client import REGISTRY

from bot.errors import StoreError
from bot.models.build import Snapshot
from bot.models.slack import utc_now
from bot.store import Store
from bot.watching.engine import NEWS, Engine
from bot.watching.inbox import Inbox
from bot.watching.knock import Knock
from tests.store.test_subscriptions import rule
from tests.store.test_watches import PIPELINE, watch
from tests.watching.test_schedule import build

SECRET, NO_PAUSE = "webhook-secret", timedelta(0)


class Moody:
    """An engine that Redis does not answer the first time."""

    def __init__(self) -> None:
        self.asked = 0

    async def put(self, name: str, pipeline_id: str, *, when: datetime) -> None:
        assert (name, when > utc_now()) == (NEWS, False)
        await self.wake(pipeline_id)

    async def wake(self, pipeline_id: str) -> None:
        self.asked += 1
        if self.asked == 1:
            raise StoreError(pipeline_id)


class Delivery:
    """What CircleCI sends, signed."""

    def __init__(self, pipeline_id: str = PIPELINE) -> None:
        event = {"id": "e1", "type": "workflow-completed", "happened_at": utc_now().isoformat()}
        about = {"pipeline": {"id": pipeline_id}, "project": {"id": "p", "slug": "github/acme/backend"}}
        about["workflow"] = {"id": "w0"}
        self._body = json.dumps({**event, **about}).encode()
        signature = hmac.new(SECRET.encode(), self._body, hashlib.sha256).hexdigest()
        self.headers = {"circleci-signature": f"v1={signature}"}

    async def read(self) -> bytes:
        return self._body


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("ci_webhooks_received_total", {"outcome": outcome}) or 0


async def test_a_webhook_that_was_put_off_wakes_when_it_comes_again(store: Store) -> None:
    await store.watches.add(watch())
    engine, delivery = Moody(), cast("web.Request", Delivery())
    knock = Knock(SECRET, store, cast("Engine", engine), Inbox(store, cast("Engine", engine), NO_PAUSE))
    woke, doubled = counted("woke"), counted("duplicate")
    statuses = [(await knock.handle(delivery)).status for _ in range(3)]
    assert statuses == [503, 200, 200]
    assert engine.asked == 2
    assert (counted("woke"), counted("duplicate")) == (woke + 1, doubled + 1)


async def test_each_of_a_project_shows_that_they_arrive(store: Store) -> None:
    engine, hooks = Moody(), store.hooks
    knock = Knock(SECRET, store, cast("Engine", engine), Inbox(store, cast("Engine", engine), NO_PAUSE))
    assert (await knock.handle(cast("web.Request", Delivery("somebody-else")))).status == 200
    assert [await hooks.last(slug) is not None for slug in ("gh/acme/backend", "gh/acme/frontend")] == [True, False]
    await store.watches.add(watch())  # it goes by another slug there
    await knock.handle(cast("web.Request", Delivery()))
    assert await hooks.last("gh/acme/frontend") is not None
    assert engine.asked == 1


async def test_what_the_last_look_has_seen_wakes_nobody_and_shows_that_they_arrive(store: Store) -> None:
    await store.watches.add(watch())
    await store.watches.save_snapshot(PIPELINE, Snapshot(build=build(["success"])))
    engine, known = Moody(), counted("known")
    knock = Knock(SECRET, store, cast("Engine", engine), Inbox(store, cast("Engine", engine), NO_PAUSE))
    assert (await knock.handle(cast("web.Request", Delivery()))).status == 200
    assert (engine.asked, counted("known")) == (0, known + 1)
    assert await store.hooks.last("gh/acme/backend") is not None


async def test_an_end_that_channels_may_want_to_hear_of_is_looked_at_once(store: Store) -> None:
    await store.subscriptions.add(rule(project_slug="gh/acme/backend"))
    engine, news, doubled = Moody(), counted("news"), counted("duplicate")
    knock = Knock(SECRET, store, cast("Engine", engine), Inbox(store, cast("Engine", engine), NO_PAUSE))
    delivery = cast("web.Request", Delivery("nobody-typed-it"))
    statuses = [(await knock.handle(delivery)).status for _ in range(3)]
    assert statuses == [503, 200, 200]
    assert (engine.asked, counted("news"), counted("duplicate")) == (2, news + 1, doubled + 1)
    assert await store.news.open() == {"nobody-typed-it"}
