"""Why a channel is not told what it subscribed to: the rule is kept, people hear of it, and it goes on by itself."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.errors import NotAllowed, NotFound, SlackError
from bot.messenger import Messenger
from bot.models.build import Build
from bot.models.caller import Caller, Place
from bot.models.circleci import ProjectSlug, Ref
from bot.models.subscription import Subscription
from bot.permissions import Permissions
from bot.policy import Word
from bot.store import Store
from bot.watching.branches import judged_key
from bot.watching.operator import Operator
from formatters import red

MOST_DENIALS, COUNTED = 3, timedelta(days=1)
TOLD_AGAIN = timedelta(hours=6)  # and not sooner, that a channel takes nothing
log = structlog.get_logger(__name__)


class Pausing:
    """Pauses rules, and lets them go on."""

    def __init__(self, store: Store, messenger: Messenger, permissions: Permissions, operator: Operator) -> None:
        self._store = store
        self._messenger = messenger
        self._permissions = permissions
        self._operator = operator

    async def may_be_told(self, rule: Subscription, build: Build, branch: str) -> bool | None:
        """Say whether who made a rule may look at this branch in its channel; else the rule is paused.

        None where that is to be asked once more: a policy denies things also while Slack does not say who they are.
        """
        why = await self._why_not(rule, build.pipeline.project_slug, Ref(name=branch))
        if not why and rule.paused in (red.HIDDEN, red.UNKNOWN):
            await self.resume([rule])
        if not why:
            return True
        if rule.paused != why:
            tries = await self._store.claims.count(f"may-not-be-told:{rule.id}:{judged_key(build)}", COUNTED)
            if tries < MOST_DENIALS:
                return None
        await self.pause(rule, why)
        return False

    async def _why_not(self, rule: Subscription, slug: ProjectSlug, ref: Ref) -> str:
        caller = Caller(
            person_id=rule.made_by,
            name=rule.made_by_name,
            team_id=rule.team_id,
            place=Place(channel_id=rule.channel_id),
            delivery_id=f"subscription:{rule.id}",
        )
        try:
            await self._permissions.check(caller, Word.READ, slug, ref)
        except NotAllowed:
            return red.HIDDEN
        except NotFound:
            return red.UNKNOWN
        return ""

    async def pause(self, rule: Subscription, why: str) -> None:
        """Keep why nothing can be told; whoever runs the bot and who made the rule hear of it once."""
        if not await self._store.subscriptions.pause(rule, why):
            return
        log.warning("subscription_paused", subscription=rule.id, channel=rule.channel_id, why=why)
        await self._operator.subscription_paused(rule, why)
        if why in (red.HIDDEN, red.UNKNOWN):
            return  # they may not look at it, so that it is not named to them either
        once = f"paused-told:{rule.made_by}:{rule.channel_id}:{rule.project_slug}:{why}"
        if not await self._store.claims.first(once, TOLD_AGAIN):
            return
        try:
            await self._messenger.direct(rule.made_by, red.paused(rule, why))
        except SlackError as error:
            log.warning("maker_not_told", subscription=rule.id, method=error.method, code=error.code)

    async def resume(self, rules: Sequence[Subscription]) -> None:
        """Note that what they are about could be told."""
        for rule in rules:
            if rule.paused and await self._store.subscriptions.pause(rule, ""):
                log.info("subscription_resumed", subscription=rule.id, channel=rule.channel_id)
