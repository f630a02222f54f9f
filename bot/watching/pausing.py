"""Why a channel is not told what it subscribed to: the rule is kept, people hear of it, and it goes on by itself."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.errors import NotAllowed, NotFound, SlackError, SlackLimited
from bot.messenger import Messenger
from bot.models.build import Build
from bot.models.caller import Place
from bot.models.circleci import ProjectSlug, Ref
from bot.models.refusals import HEALS, Refused, refused
from bot.models.slack import utc_now
from bot.models.slugs import spelled_alike
from bot.models.subscription import Subscription, ref_named
from bot.once import post_once
from bot.permissions import Permissions
from bot.policy import Word
from bot.policy.globs import is_plain
from bot.store import Store
from bot.store.unsaid import ToSay
from bot.watching.branches import judged_key
from bot.watching.operator import Operator
from formatters import red
from formatters import subscriptions as words
from formatters.blocks import Message

SOON, LATER = timedelta(seconds=5), timedelta(minutes=1)  # until what Slack does not take for now is tried again
LONGEST, SELDOM = timedelta(hours=1), timedelta(minutes=10)
MOST_DENIALS, COUNTED = 3, timedelta(days=1)
MOST_ASKED = 20  # projects of a pattern
MOST_REFUSALS = 5  # by a code that nobody has heard of, before it pauses a rule
MOST_TRIES = 9  # by one that heals by itself: for three hours
TOLD_AGAIN = timedelta(hours=6)  # and not sooner, that a channel takes nothing
log = structlog.get_logger(__name__)


class Pausing:
    """Pauses rules, and lets them go on."""

    def __init__(self, store: Store, messenger: Messenger, permissions: Permissions, operator: Operator) -> None:
        self._store = store
        self._messenger = messenger
        self._permissions = permissions
        self._operator = operator

    async def may_be_told(self, rule: Subscription, build: Build) -> bool | None:
        """Say whether who made a rule may look at a build's branch in its channel; it is paused where at nothing of it.

        None where that is to be asked once more: a policy denies things also while Slack does not say who they are.
        """
        slug, ref = build.pipeline.project_slug, build.pipeline.ref
        why = await self._why_not(rule, slug, ref)
        if not why and rule.paused in (red.HIDDEN, red.UNKNOWN):
            await self.resume([rule])
        if not why:
            return True
        left_out = f"left-out:{rule.id}:{slug}:{ref}"
        if rule.paused != why and not await self._store.claims.is_taken(left_out):
            tries = await self._store.claims.count(f"may-not-be-told:{rule.id}:{judged_key(build)}", COUNTED)
            if tries < MOST_DENIALS:
                return None
        if (why == red.HIDDEN or rule.pattern) and await self._may_read_some(rule, slug, ref):
            if await self._store.claims.first(left_out, COUNTED):
                log.info("branch_left_out", subscription=rule.id, channel=rule.channel_id, branch=str(ref))
            return False
        await self.pause(rule, why)
        return False

    async def _may_read_some(self, rule: Subscription, slug: ProjectSlug, denied: Ref | None) -> bool:
        """Say whether something of what a rule is about may be read, though this branch may not."""
        if rule.pattern and await self._may_read_another(rule, slug):
            return True
        names = rule.branches or (rule.default_branch,)
        if not all(map(is_plain, names)):
            return not await self._why_not(rule, slug, None)
        others = [ref_named(name) for name in names if name != str(denied) and not name.startswith("!")]
        return any([not await self._why_not(rule, slug, other) for other in others])

    async def _may_read_another(self, rule: Subscription, slug: ProjectSlug) -> bool:
        """Say whether another project that a pattern means may be read: this one is left out then."""
        others = [place.slug for place in await self._store.subscriptions.fitting(rule.id)]
        others = [one for one in others if spelled_alike(one) != spelled_alike(slug)][:MOST_ASKED]
        return any([not await self._why_not(rule, one, None) for one in others])

    async def _why_not(self, rule: Subscription, slug: ProjectSlug, ref: Ref | None) -> str:
        try:
            await self._permissions.check(rule.maker, Word.READ, slug, ref, certain=ref is not None)
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
        await self._tell_operator(rule, why)
        if why == red.HIDDEN:
            await self._say_who_left(rule)
        if why in (red.HIDDEN, red.UNKNOWN):
            return  # they may not look at it, so that it is not named to them either
        once = f"paused-told:{rule.made_by}:{rule.channel_id}:{rule.project_slug}:{why}"
        if not await self._store.claims.first(once, TOLD_AGAIN):
            return
        try:
            direct = await self._messenger.direct_channel(rule.made_by)
        except SlackError as error:
            log.warning("maker_not_told", subscription=rule.id, method=error.method, code=error.code)
            return
        await self._said(direct, f"{once}:{utc_now().isoformat()}", red.paused(rule, why))

    async def _tell_operator(self, rule: Subscription, why: str) -> None:
        if await self._operator.subscription_paused(rule, why) or self._operator.channel_id is None:
            return
        one = ToSay(name=f"operator-paused:{rule.channel_id}:{why}", message=red.paused(rule, why))
        await self._store.unsaid.add(self._operator.channel_id, one)

    async def _say_who_left(self, rule: Subscription) -> None:
        """Tell the channel, which heard that it was subscribed to, that somebody else may let it go on."""
        if Place(channel_id=rule.channel_id).is_direct or not await self._store.claims.first(
            f"left-told:{rule.id}", TOLD_AGAIN
        ):
            return
        await self._said(rule.channel_id, f"left-said:{rule.id}:{utc_now().isoformat()}", words.left_behind(rule))

    async def _said(self, channel_id: str, name: str, message: Message) -> None:
        """Say it; what Slack does not take for now the sweep has said a little later."""
        try:
            await post_once(
                self._messenger, self._store.claims, Place(channel_id=channel_id), message, kind="unsaid", name=name
            )
        except SlackError as error:
            log.warning("channel_not_told", channel=channel_id, method=error.method, code=error.code)
            if isinstance(error, SlackLimited) or again_after(error, 1) is not None:
                await self._store.unsaid.add(channel_id, ToSay(name=name, message=message))

    async def resume(self, rules: Sequence[Subscription]) -> None:
        """Note that what they are about could be told."""
        for rule in rules:
            if rule.paused and await self._store.subscriptions.pause(rule, ""):
                log.info("subscription_resumed", subscription=rule.id, channel=rule.channel_id)


def again_after(error: SlackError, times: int) -> timedelta | None:
    """Return when Slack may take what it has refused so often; None where it is not tried any more. Pure.

    What the network loses, and what is wrong with our token, is no trouble of a channel: it is tried until it works.
    """
    how_long = refused(error.code)
    if how_long is Refused.FOR_GOOD or (how_long is Refused.NOBODY_KNOWS and times >= MOST_REFUSALS):
        return None
    if error.code in HEALS and times >= MOST_TRIES:
        return None
    first = SOON if error.lost and how_long is Refused.FOR_NOW else LATER
    pause: timedelta = first * (1 << min(times - 1, 10))
    return min(pause, LONGEST if error.code in HEALS else SELDOM)
