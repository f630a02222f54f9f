"""Keeps the message about a red branch true between two builds of it: who looks, and whether it is snoozed."""

from datetime import datetime, timedelta

import structlog

from bot.errors import CircleCIError, SlackError, SlackLimited
from bot.messenger import Messenger
from bot.models.caller import Place
from bot.models.circleci import ProjectSlug
from bot.models.red import Branch
from bot.models.refusals import Refused, refused
from bot.once import post_once
from bot.store import Store
from bot.watching.telling import LATER, LEASE, SOON, Telling
from formatters import snoozes
from formatters.blocks import Message
from formatters.links import Links

GIVEN_UP = timedelta(days=1)  # after its end a snooze is no news any more
log = structlog.get_logger(__name__)


class Roots:
    """One at a time writes it, and reads before how the branch stands; so does `telling.py`."""

    def __init__(self, store: Store, messenger: Messenger, telling: Telling, links: Links) -> None:
        self._store = store
        self._messenger = messenger
        self._telling = telling
        self._links = links

    async def show(self, state: Branch) -> None:
        """Let the message say how a branch stands by now; what Slack and CircleCI refuse is in the log."""
        kept, name = self._store.subscriptions, (state.channel_id, state.project_slug, state.branch)
        async with kept.fenced(*name, LEASE, wait=LEASE):  # without it, it is as true as it gets
            await self._show(await kept.known(*name) or state)

    async def say(self, state: Branch, message: Message, *, once: str) -> None:
        """Say it once in the thread of the branch, or where it has none in the channel. Raises SlackError."""
        place = Place(channel_id=state.channel_id, thread_ts=state.root_ts)
        await post_once(self._messenger, self._store.claims, place, message, kind="snooze", name=once)

    async def end_snooze(self, channel_id: str, slug: str, branch: str) -> timedelta | None:
        """Say of a branch whose snooze is over that it is still red; returns the pause before that, None where it is.

        A project that is called otherwise by now is the channel's still.
        """
        rules = await self._store.subscriptions.of_channel(channel_id)
        slugs = dict.fromkeys([ProjectSlug(slug), *(rule.project_slug for rule in rules)])
        pauses = [await self._end(channel_id, one, branch) for one in slugs]
        return min((pause for pause in pauses if pause is not None), default=None)

    async def _end(self, channel_id: str, slug: ProjectSlug, branch: str) -> timedelta | None:
        async with self._store.subscriptions.fenced(channel_id, slug, branch, LEASE) as is_ours:
            if not is_ours:
                return SOON
            state = await self._store.subscriptions.known(channel_id, slug, branch)
            if state is None or not state.is_red or state.snoozed_until is None:
                return None
            now = await self._store.now()
            if state.is_snoozed(now):
                return state.snoozed_until - now
            return await self._over(state, state.snoozed_until, now)

    async def _over(self, state: Branch, until: datetime, now: datetime) -> timedelta | None:
        if now - until > GIVEN_UP:
            return None
        if not (rules := await self._telling.rules_about(state)):
            return None
        once = f"over:{state.project_slug}:{state.branch}:{until.isoformat()}"
        try:
            await self.say(state, snoozes.over(state, rules[-1].project_title, self._links), once=once)
        except SlackError as error:
            return _later(state, error)
        await self._show(state)
        return None

    async def _show(self, state: Branch) -> None:
        try:
            await self._telling.shows(state)
        except (SlackError, CircleCIError) as error:
            log.warning("root_not_rewritten", channel=state.channel_id, error=repr(error))


def _later(state: Branch, error: SlackError) -> timedelta | None:
    """Return when Slack may take what it does not take now; None where it never will."""
    log.warning("end_of_snooze_not_said", channel=state.channel_id, method=error.method, code=error.code)
    if isinstance(error, SlackLimited):
        return error.retry_after
    return LATER if error.lost or refused(error.code) is Refused.FOR_NOW else None
