"""Tells one thread what it does not know yet, and records what it was told.

A post is recorded with a mark before it is sent, and as told after it: what a dying process leaves between the two is
looked for in Slack by its mark, where the bot may read. What was recorded as told is never said again.
"""

import secrets
from contextlib import suppress
from typing import Literal, NamedTuple, Protocol

import structlog

from bot import metrics
from bot.errors import CircleCIError, NotFound, SlackError, SlackLimited, Unreachable
from bot.messenger import Messenger
from bot.models.build import OPEN_STATES, Build, Change
from bot.models.caller import Caller, Place
from bot.models.circleci import ProjectSlug, Ref
from bot.models.lately import Lately
from bot.models.refusals import MESSAGE_GONE, Refused, refused
from bot.models.slack import Closing, Saying, Watch
from bot.store.watches import Watches
from bot.watching.changes import decided, waits
from bot.watching.operator import Operator
from formatters import replies, root
from formatters.blocks import Message
from formatters.links import Links

# A code that nobody has heard of may heal by itself: so often it is tried, in a channel and then in direct messages.
MOST_REFUSALS = 5
MOST_DRAWN = 20_000  # jobs of builds whose roots are not drawn anew before they change
log = structlog.get_logger(__name__)


class How(NamedTuple):
    """How something is said: a `polite` word leaves room to others, one said `aloud` stands in the channel too."""

    polite: bool = False
    aloud: bool = False


class Judge(Protocol):
    """What the policy says; both raise CircleCIError, and NotFound."""

    async def may_hear_alone(self, caller: Caller, there: Place, slug: ProjectSlug, ref: Ref | None) -> bool:
        """Say whether somebody may look at a build in their direct messages too."""

    async def is_seen_in(self, channel_id: str, slug: ProjectSlug, ref: Ref | None) -> bool:
        """Say whether anybody may look at it in a channel."""


class Teller:
    """All its methods return the watch as it is recorded; they raise SlackError when Slack takes nothing.

    Where its place takes nothing any more, a watch goes on in a direct message to who follows; they raise Unreachable
    where that is refused for good as well, and where they may not look at it there.
    """

    def __init__(
        self,
        messenger: Messenger,
        watches: Watches,
        links: Links,
        operator: Operator,
        judge: Judge,
    ) -> None:
        """Tell threads; the `judge` says who may look at what where it was not asked for."""
        self._operator = operator
        self._judge = judge
        self._messenger = messenger
        self._watches = watches
        self._links = links
        # Of what each root was drawn, where that is what stands there.
        self._drawn = Lately[str, tuple[object, ...]](MOST_DRAWN)

    async def closing(self, watch: Watch, said: Closing) -> Watch:
        """Keep what the root says of an end from now on."""
        return watch if watch.closing == said else await self._save(watch, closing=said)

    async def root(self, watch: Watch, build: Build | None, *, final: bool = False, urgent: bool = False) -> Watch:
        """Post the root message, or edit it where it stands; an unchanged one costs nothing.

        An edit for which there is no turn at Slack is left to the next look, but for an `urgent` one, which waits.
        """
        watch = await self._settled(watch)
        seen = (watch, final, *root.shown_of(build))
        if watch.root_ts is not None and self._drawn.get(watch.id) == seen:
            return watch  # most looks see what the one before saw
        message = root.root(build, watch, self._links, note=watch.note, final=final)
        if watch.root_ts is None:
            return await self._post_root(watch, message)
        if message.digest == watch.root_digest:
            self._drawn.put(watch.id, seen, 1 + sum(len(run.jobs) for run in build.runs) if build else 1)
            return watch
        try:
            shown = await self._messenger.update(watch.thread.channel_id, watch.root_ts, message, urgent=urgent)
        except SlackError as error:
            if error.code in MESSAGE_GONE:
                return await self._post_root(watch, message)
            return await self._post_root(await self._elsewhere(watch, error), message)
        return await self._save(watch, root_digest=message.digest) if shown else watch

    async def may_be_told(self, channel_id: str, slug: ProjectSlug, ref: Ref | None) -> bool:
        """Say whether a channel in which no thread has it may hear of it; not while nobody can judge that."""
        try:
            return await self._judge.is_seen_in(channel_id, slug, ref)
        except (CircleCIError, NotFound) as error:
            log.warning("channel_not_judged", channel=channel_id, error=repr(error))
            return False

    async def apart(self, channel_id: str, word: Message, mark: str) -> None:
        """Say something in a channel in which no thread has it; what may stand there already is looked for."""
        place = Place(channel_id=channel_id)
        with suppress(SlackError):  # where we may not read, it is said
            if await self._messenger.find(place, mark):
                return
        await self._messenger.post(channel_id, word, mark=mark)

    async def changes(self, watch: Watch, build: Build, found: list[Change]) -> Watch:
        """Post one reply for all changes of this look."""
        watch = await self._settled(watch)
        new = [change for change in found if change.key not in watch.told]
        if not new:
            return watch
        message = replies.changes(build, new, watch, self._links)
        return await self._reply(watch, message, tuple(one.key for one in new), offers=tuple(new), how=How(polite=True))

    async def decided(self, watch: Watch, build: Build) -> Watch:
        """Take the buttons from replies whose jobs wait no more, whoever decided that, and say what they came to."""
        for ts, found in watch.offers.items():
            now = decided(found, build)
            if now == found:
                continue
            message = replies.changes(build, now, watch, self._links)
            await self._rewrite(watch.thread.channel_id, ts, message)
            left = {other: told for other, told in watch.offers.items() if other != ts}
            watch = await self._save(watch, offers=left | ({ts: now} if waits(now) else {}))
        return watch

    async def once(self, watch: Watch, key: str, message: Message, *also: str, aloud: bool = False) -> Watch:
        """Post a reply that bears `key`, unless this thread was told it; it tells all that `also` names as well.

        What is said `aloud` stands in the channel too.
        """
        watch = await self._settled(watch)
        if key in watch.told:
            return watch
        return await self._reply(watch, message, (key, *also), how=How(aloud=aloud))

    async def final(
        self, watch: Watch, key: str, message: Message, failure: str, *also: str, aloud: bool = False
    ) -> Watch:
        """Post the final reply that bears `key`, as above; `failure` names what failed."""
        watch = await self._settled(watch)
        if key in watch.told:
            return watch
        return await self._reply(watch, message, (key, *also), failure=failure, how=How(aloud=aloud))

    async def complete(self, watch: Watch, key: str, message: Message | None, *also: str) -> Watch:
        """Write the final reply anew where it stands, once: what earlier builds tell is read after it was posted.

        Without a `message` it may stay as it is. All that `also` names counts as told from then on.
        """
        if key in watch.told or watch.final_ts is None:
            return watch
        if message is not None:
            await self._rewrite(watch.thread.channel_id, watch.final_ts, message)
        return await self._save(watch, told=watch.with_told(key, *also).told)

    async def conclude(self, watch: Watch, build: Build, said: Closing) -> Watch:
        """Let the root say more of an end where it stands; one that is gone is let be."""
        concluded = watch.model_copy(update={"closing": said})
        message = root.root(build, concluded, self._links, note=watch.note, final=True)
        if watch.root_ts is not None and message.digest != watch.root_digest:
            await self._rewrite(watch.thread.channel_id, watch.root_ts, message)
        return await self._save(watch, closing=said, root_digest=message.digest)

    async def over(self, watch: Watch, key: str, message: Message) -> Watch:
        """Post a reply that ends what the reply `key` began, unless that was never told."""
        watch = await self._settled(watch)
        if key not in watch.told:
            return watch
        return await self._reply(watch, message, untold=(key,))

    async def leave(self, watch: Watch, by: str = "") -> Watch:
        """Let the root say that it is followed here no more, unless it tells the end of the build.

        `by` names who wished it so, if anybody did. What can be pressed in replies goes: the thread hears no outcome.
        """
        watch = await self._settled(watch)
        build = (await self._watches.last_look(watch.pipeline_id)).build
        if watch.root_ts is None or (build is not None and build.state not in OPEN_STATES and watch.final_ts):
            return watch
        for ts, found in watch.offers.items():
            if build is None:
                break
            told = replies.changes(build, found, watch, self._links, is_followed=False)
            await self._rewrite(watch.thread.channel_id, ts, told)
        message = root.unfollowed(build, watch, self._links, by)
        await self._rewrite(watch.thread.channel_id, watch.root_ts, message)
        return await self._save(watch, root_digest=message.digest)

    async def _reply(
        self,
        watch: Watch,
        message: Message,
        told: tuple[str, ...] = (),
        *,
        untold: tuple[str, ...] = (),
        offers: tuple[Change, ...] = (),
        failure: str | None = None,
        how: How | None = None,
    ) -> Watch:
        """Post into the watch's thread; where its channel is gone, into a direct message to the asker.

        With `failure` it is the final reply, and that what failed. What it `offers` is kept while it can be pressed.
        Where the channel itself does not take what is said `aloud`, the thread may.
        """
        role: Literal["reply", "final"] = "reply" if failure is None else "final"
        kept = offers if waits(offers) else ()
        saying = Saying(role=role, thread=_thread(watch), told=told, untold=untold, offers=kept, mark=_mark())
        saying = saying.model_copy(update={"failure": failure or ""})
        try:
            return await self._say(watch, message, saying, how)
        except SlackError as error:
            if how and how.aloud and refused(error.code) is not Refused.FOR_NOW:
                log.warning("not_said_aloud", watch=watch.id, code=error.code)
                return await self._reply(watch, message, told, failure=failure)
            watch = await self._elsewhere(watch, error)
            return await self._say(watch, message, saying.model_copy(update={"thread": _thread(watch)}))

    async def _post_root(self, watch: Watch, message: Message) -> Watch:
        saying = Saying(role="root", thread=watch.thread, digest=message.digest, mark=_mark())
        try:
            return await self._say(watch, message, saying)
        except SlackError as error:
            return await self._post_root(await self._elsewhere(watch, error), message)

    async def _elsewhere(self, watch: Watch, error: SlackError) -> Watch:
        """Return the watch where it goes on after a refusal: in direct messages, told once why.

        Raises the refusal itself where it may heal, Unreachable where there is nobody left to tell.
        """
        watch = await self._counted(watch, error)
        if not _lasts(error, watch.refusals >= MOST_REFUSALS):
            raise error
        if watch.moved_to_direct:
            raise Unreachable(error.method, error.code) from error
        watch = await self._apart(watch)
        if not watch.follower_id:
            raise Unreachable(error.method, error.code) from error
        if watch.root_ts is not None:  # we wrote there: what never took anything from us is nobody's trouble
            await self._operator.channel_gone(watch.thread.channel_id, error.code)
        try:
            there = Place(channel_id=await self._messenger.direct_channel(watch.follower_id))
            if may_look := await self._may_look(watch, there):
                return await self._move(watch, there, error.code)
            if may_look is not None:
                await self.apart(there.channel_id, replies.left_behind(watch, error.code), f"left:{watch.id}")
        except SlackError as refusal:
            watch = await self._counted(watch, refusal)
            if not _lasts(refusal, watch.refusals >= 2 * MOST_REFUSALS):
                raise
            raise Unreachable(refusal.method, refusal.code) from refusal
        if may_look is None:
            await self._save(watch, refusals=watch.refusals + 1)
            raise error
        raise Unreachable(error.method, error.code) from error

    async def _apart(self, watch: Watch) -> Watch:
        """Return it for who follows alone; whoever else waits follows on their own, and is told where they may look."""
        alone, others = watch.apart()
        for one in others:
            await self._watches.add(one)
        return await self._watches.save(watch, alone) if alone != watch else watch

    async def _may_look(self, watch: Watch, there: Place) -> bool | None:
        """Say whether who follows may look at the build in direct messages too; None while CircleCI does not answer.

        After it has not for long, nobody can judge it.
        """
        follower = Caller(person_id=watch.follower_id, place=watch.thread, delivery_id=f"moved:{watch.id}")
        try:
            return await self._judge.may_hear_alone(follower, there, watch.project_slug, watch.ref)
        except NotFound:
            return False
        except CircleCIError as error:
            log.warning("may_look_unknown", watch=watch.id, error=repr(error), times=watch.refusals + 1)
            return None if watch.refusals < 2 * MOST_REFUSALS else False

    async def _move(self, watch: Watch, there: Place, code: str) -> Watch:
        return await self._say(watch, replies.moved(watch, code), Saying(role="moved", thread=there, mark=_mark()))

    async def _counted(self, watch: Watch, error: SlackError) -> Watch:
        """Count a refusal of which nobody knows how long it holds."""
        if refused(error.code) is not Refused.NOBODY_KNOWS:
            return watch
        log.warning("refusal_unknown", watch=watch.id, method=error.method, code=error.code, times=watch.refusals + 1)
        return await self._save(watch, refusals=watch.refusals + 1)

    async def _rewrite(self, channel_id: str, ts: str, message: Message) -> None:
        try:
            await self._messenger.update(channel_id, ts, message, urgent=True)
        except SlackError as error:
            if error.code not in MESSAGE_GONE:
                raise
            log.info("reply_gone", channel=channel_id, code=error.code)

    async def _say(self, watch: Watch, message: Message, saying: Saying, how: How | None = None) -> Watch:
        watch = await self._save(watch, saying=saying)
        channel_id, thread_ts = saying.thread.channel_id, saying.thread.thread_ts
        ways = (how or How())._asdict()
        try:
            ts = await self._messenger.post(channel_id, message, thread_ts=thread_ts, mark=saying.mark, **ways)
        except SlackError as error:
            if not error.lost:
                await self._save(watch, saying=None)
            raise
        return await self._watches.save(watch, watch.with_said(ts))

    async def _settled(self, watch: Watch) -> Watch:
        """Find out what became of a post whose answer nobody heard; where we may not read, say it again."""
        if watch.saying is None:
            return watch
        try:
            ts = await self._messenger.find(watch.saying.thread, watch.saying.mark)
        except SlackError as error:
            if error.lost or isinstance(error, SlackLimited):
                raise
            log.warning("post_unsure", watch=watch.id, code=error.code)
            ts, found = None, "unreadable"
        else:
            found = "arrived" if ts else "missing"
            log.info("post_settled", watch=watch.id, found=found)
        metrics.UNSURE.labels(found).inc()
        if ts is None:
            return await self._save(watch, saying=None)
        return await self._watches.save(watch, watch.with_said(ts))

    async def _save(self, watch: Watch, **changed: object) -> Watch:
        return await self._watches.save(watch, watch.model_copy(update=changed))


def _lasts(error: SlackError, often: bool) -> bool:  # whether it was met often
    """Say whether a refusal is for good; one that nobody knows is after it was met often."""
    known = refused(error.code)
    return known is Refused.FOR_GOOD or (known is Refused.NOBODY_KNOWS and often)


def _thread(watch: Watch) -> Place:
    return Place(channel_id=watch.thread.channel_id, thread_ts=watch.reply_ts)


def _mark() -> str:
    return secrets.token_hex(8)
