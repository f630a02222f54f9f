"""Says something to one person in their direct messages, once; what is refused for good ends what they asked for."""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple

import structlog

from bot.errors import NotAllowed, NotFound, SlackError, SlackLimited
from bot.messenger import Messenger
from bot.models.caller import Caller, Place
from bot.models.circleci import ProjectSlug, Ref
from bot.models.notices import Notice, ToldOf
from bot.models.refusals import MESSAGE_GONE, THREAD_GONE, Refused, refused
from bot.models.slack import utc_now
from bot.once import post_once
from bot.permissions import Permissions
from bot.policy import Kind
from bot.store import Store
from bot.watching.operator import Operator
from formatters.blocks import Message
from formatters.links import Links

SOON, LATER = timedelta(seconds=5), timedelta(minutes=1)  # until what Slack does not take for now is tried again
MOST_DENIALS, MOST_REFUSALS, COUNTED = 3, 5, timedelta(days=1)
ZONE_KEPT, MOST_ZONES = timedelta(hours=1), 1000
log = structlog.get_logger(__name__)


class Said(NamedTuple):
    """What words are made with: addresses, and what a project is called (which raises CircleCIError)."""

    links: Links
    title: Callable[[ProjectSlug], Awaitable[str]]


class Direct:
    """Whoever tells somebody of anything has their fence, and keeps what is returned."""

    def __init__(self, store: Store, messenger: Messenger, permissions: Permissions, operator: Operator) -> None:
        self._store = store
        self._messenger = messenger
        self._permissions = permissions
        self._operator = operator
        self._zones: dict[str, tuple[float, str]] = {}

    async def may(self, notice: Notice, word: str, slug: ProjectSlug, ref: Ref | None) -> bool:
        """Say whether somebody may do this in their direct messages."""
        try:
            await self._permissions.check(caller_of(notice), word, slug, ref)
        except (NotAllowed, NotFound):
            return False
        return True

    async def is_quiet(self, notice: Notice) -> bool:
        """Say whether it is one of somebody's quiet hours where they are by now, as Slack says once an hour."""
        if notice.quiet is None:
            return False
        since, zone = self._zones.pop(notice.person_id, (0.0, ""))
        if not zone or time.monotonic() - since > ZONE_KEPT.total_seconds():
            since, zone = time.monotonic(), await self._messenger.zone_of(notice.person_id) or notice.zone
        if len(self._zones) >= MOST_ZONES:
            self._zones.pop(next(iter(self._zones)))
        self._zones[notice.person_id] = (since, zone)
        return notice.model_copy(update={"zone": zone}).is_quiet(utc_now())

    async def say(self, notice: Notice, name: str, told: ToldOf, root: Message, reply: Message) -> ToldOf:
        """Post the message of this name, or write it anew where it stands and say below it what is new."""
        if told.root_ts and (shown := await self.show(notice, told, root)).root_ts:
            try:
                await self.post(notice, name, reply, thread_ts=told.root_ts)
            except SlackError as error:
                if error.code not in THREAD_GONE:
                    raise
            else:
                return shown
        ts = await self.post(notice, name, root)
        return told.model_copy(update={"root_ts": ts, "shown": root.digest})

    async def show(self, notice: Notice, told: ToldOf, root: Message) -> ToldOf:
        """Write the message anew where it stands, without a ping; it has no `root_ts` where it is gone."""
        if root.digest == told.shown:
            return told
        try:
            is_shown = await self._messenger.update(notice.channel_id, told.root_ts, root, urgent=True)
        except SlackError as error:
            if error.code not in MESSAGE_GONE:
                raise
            return told.model_copy(update={"root_ts": ""})
        return told.model_copy(update={"shown": root.digest}) if is_shown else told

    async def post(self, notice: Notice, name: str, word: Message, *, thread_ts: str | None = None) -> str:
        """Post something of this name once, and return its `ts`."""
        place = Place(channel_id=notice.channel_id, thread_ts=thread_ts)
        return await post_once(self._messenger, self._store.claims, place, word, kind="notice", name=name)

    async def denied(self, notice: Notice, what: str) -> timedelta | None:
        """Return when to ask once more whether somebody may look: a policy denies it while Slack does not answer too.

        Who has left is told nothing any more.
        """
        if await self._has_left(notice):
            await self._end(notice, "user_disabled")
            return None
        tries = await self._store.claims.count(f"notice-denied:{notice.person_id}:{what}", COUNTED)
        return LATER if tries < MOST_DENIALS else None

    async def refused(self, notice: Notice, what: str, error: SlackError) -> timedelta | None:
        """Return when Slack may take what it does not take now; for good, somebody is told nothing any more."""
        log.warning("notice_not_told", person=notice.person_id, method=error.method, code=error.code)
        if isinstance(error, SlackLimited):
            return error.retry_after
        how_long = refused(error.code)
        if how_long is Refused.NOBODY_KNOWS:
            tries = await self._store.claims.count(f"notice-refused:{notice.person_id}:{what}", COUNTED)
            how_long = Refused.FOR_NOW if tries < MOST_REFUSALS else how_long
        if how_long is Refused.FOR_NOW:
            return SOON if error.lost else LATER
        await self._end(notice, error.code)
        return None

    async def _has_left(self, notice: Notice) -> bool:
        try:
            return await self._messenger.kind_of(notice.person_id) is Kind.GONE
        except SlackError as error:
            return refused(error.code) is Refused.FOR_GOOD

    async def _end(self, notice: Notice, code: str) -> None:
        """Tell somebody nothing any more, and whoever runs the bot of it, once."""
        if await self._store.notices.remove(notice.person_id):
            await self._operator.notices_ended(notice, code)


def caller_of(notice: Notice) -> Caller:
    """Return somebody as who asks, in their direct messages with us."""
    return Caller(
        person_id=notice.person_id,
        name=notice.name,
        team_id=notice.team_id,
        place=Place(channel_id=notice.channel_id),
        delivery_id=f"notices:{notice.person_id}",
    )
