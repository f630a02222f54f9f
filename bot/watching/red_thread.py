"""Tells a channel how a branch stands: one message while that is red, and its thread.

What is posted is noted by its mark before, so that a run that is cut off is gone on with; how the branch stands is kept
after it was told, so that nothing is lost.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from bot.errors import CircleCIError, SlackError
from bot.messenger import Messenger
from bot.models.build import Build, Report, State
from bot.models.caller import Place
from bot.models.red import Branch
from bot.models.refusals import MESSAGE_GONE, THREAD_GONE
from bot.models.slack import utc_now
from bot.models.subscription import Event, ref_named
from bot.models.told import Why
from bot.once import posted
from bot.store import Store
from bot.watching.about import About
from bot.watching.branches import (
    OF_BRANCH,
    Decision,
    decide,
    ended_name,
    is_judged,
    is_known,
    is_red,
    is_wanted,
    looked_back,
    no_news,
    post_of,
    said_key,
    said_of,
    was_green,
    was_there,
)
from bot.watching.evidence import Evidence
from bot.watching.noting import Post, note, tell_once
from bot.watching.otherwise import Otherwise
from bot.watching.pings import Pings
from bot.watching.snoozed import snooze_of
from formatters import red
from formatters.blocks import Message
from formatters.links import Links

ENDING = timedelta(hours=1)  # while who pressed a button of a message may still mean what it said
# What they have said of a branch.
OF_PEOPLE = ("looking", "looking_id", "looking_by", "snoozed_until", "snoozed_by", "is_of_all")


class RedThread:
    """Whoever calls it is the one at the time who writes about that branch."""

    def __init__(
        self,
        store: Store,
        messenger: Messenger,
        links: Links,
        evidence: Evidence,
        pings: Pings,
        otherwise: Otherwise,
    ) -> None:
        self._store = store
        self._messenger = messenger
        self._links = links
        self._evidence = evidence
        self._pings = pings
        self._otherwise = otherwise

    async def tell(self, news: About) -> bool:
        """Tell the channel, if it is news to it; says whether anything was said."""
        return await self._told_from(news, await self._caught_up(news))

    async def shows(self, news: About, state: Branch, *, urgent: bool) -> None:
        """Let the message about a red branch say how that stands now."""
        seen = red.Seen(news.build, await self._evidence.of(news.build), news.title, self._links)
        await self._is_rewritten(news, state, state, seen, urgent=urgent)

    async def known(self, news: About) -> Branch:
        """Return how the branch stands, as the channel knows it."""
        known = await self._store.subscriptions.known(news.channel_id, news.slug, news.key)
        return known or Branch(channel_id=news.channel_id, project_slug=news.slug, branch=news.key)

    async def know(self, news: About, state: Branch) -> Branch:
        """Keep how a branch stands; who looks at it, or has snoozed it, meanwhile is kept until it is green."""

        def change(kept: Branch) -> Branch:
            of_people = {name: getattr(kept, name) for name in OF_PEOPLE}
            return state.model_copy(update=of_people if state.is_red else {})

        return await self._store.subscriptions.know(news.channel_id, news.slug, news.key, change)

    async def _told_from(self, news: About, state: Branch) -> bool:
        """Tell it how the branch stands, which stood so before."""
        state, found = await self._decided(news, state)
        if found.happened is None or (found.is_late and not found.is_told):
            if found.state != state:
                await self.know(news, found.state)
            await note(self._store.told, news, no_news(state, news.build), newest=state.number)
            return False
        seen = red.Seen(news.build, await self._report(found, news.build), news.title, self._links)
        after = found.state
        if after.is_red and not found.is_late:
            signature = seen.report.signature if seen.report else ""
            after = after.model_copy(update={"failing": red.failing(seen.report), "failure": signature})
        if found.happened is Event.BROKE and (found.is_told or Event.STILL_RED in news.wanted):  # which says it later
            is_sure = state.number == news.number or await news.earlier.begins_with(state.number)
            is_sure = is_sure and was_green(state)
            after = after.model_copy(update={"or_before": not is_sure})
        is_said, root_ts = said_key(news.build) in state.told, state.root_ts
        silent = None if is_said else await self._silent(news, found)
        if silent is not None:
            await self._note_silent(news, found, silent)
        elif not is_said:
            state, is_said = await self._say(news, found, state, after, seen), True
        if found.is_late:
            await self.know(news, after.model_copy(update={"root_ts": state.root_ts}))
            return is_said
        if is_said and found.happened is Event.FIXED:
            await self._otherwise.knows_it_repaired(news)
        is_heard = is_said or silent is Why.OTHERWISE or state.is_told_red
        if root_ts is not None and root_ts == state.root_ts and not await self._is_rewritten(news, state, after, seen):
            state = state.model_copy(update={"root_ts": None})
        is_asleep = silent is Why.SNOOZED and (found.happened is Event.BROKE or state.broke_asleep)
        stands = {
            "root_ts": state.root_ts,
            "mentioned": state.mentioned,
            "was_said": is_heard,
            "broke_asleep": is_asleep,
        }
        await self.know(news, after.model_copy(update=stands) if after.is_red else after)
        return is_said

    async def _decided(self, news: About, state: Branch) -> tuple[Branch, Decision]:
        """Return how it stood before, and what the build means for it; the list is asked where it was red unheard."""
        found = decide(state, news.build, news.wanted)
        if self._is_first_heard(news, found, state):
            state = await self._as_listed(news, state)
            return state, decide(state, news.build, news.wanted)
        return state, found

    @staticmethod
    def _is_first_heard(news: About, found: Decision, state: Branch) -> bool:
        """Say whether the branch may have been red before the channel asked, which is to hear of that only now."""
        if found.is_late or state.is_told_red:
            return False
        if state.is_red:
            return found.is_told and state.or_before
        if state.number or found.happened is None or ref_named(news.branch).is_tag:
            return False
        ran = _on_our_clock(news.build, news.build.pipeline.created_at) <= _asked_at(news)
        return ran and is_wanted(Event.BROKE if found.state.is_red else Event.FIXED, news.wanted)

    async def _as_listed(self, news: About, state: Branch) -> Branch:
        """Return how it stood before this build by CircleCI's list, as the answer to who subscribed has it.

        What has ended since they asked is told by itself.
        """
        with suppress(CircleCIError):
            listed, is_sure, passed = await news.earlier.red(news.rules[0])
            builds = [one for one in listed if is_judged(one, state) or _ended(one) <= _asked_at(news)]
            if passed and not listed and _ended(passed) <= _asked_at(news):
                return was_there(state, passed)  # it was green, though an older build that was there is known alone
            is_sure = is_sure and builds[:1] == listed[:1]
            return looked_back(state, builds, is_sure=is_sure) if builds else state
        return state

    async def _caught_up(self, news: About) -> Branch:
        """Return how the branch stands before this build; a repair that the channel has missed is told first.

        It may have been told nothing for a while: another build that failed is no news then, but one that broke it, and
        another one that passed has repaired nothing.
        """
        state = await self.known(news)
        if state.posting is not None:
            state = await self._gone_on_with(news, state, state.posting)
        is_news = state.is_red and is_red(news.build) is not None and not is_judged(news.build, state)
        if not (is_news and news.number >= state.number and await self._may_have_missed(news, state)):
            return state
        if repair := await news.earlier.repair(state, news.rules[0]):
            await self._told_from(news._replace(build=repair), state)
            return await self.known(news)
        return state

    async def _gone_on_with(self, news: About, state: Branch, posting: Branch) -> Branch:
        """Return how the branch stands where a run was about to post its message, and may have died over that.

        What judges the same build again finds the message by itself; before another build is judged it is looked for.
        """
        if (said := said_of(posting)) != said_key(news.build):
            place, name = Place(channel_id=news.channel_id), post_of(news.slug, news.key, said)
            if ts := await posted(self._messenger, self._store.claims, place, kind=OF_BRANCH, name=name):
                return await self.know(news, posting.model_copy(update={"root_ts": ts}))
        return state.model_copy(update={"posting": None})

    async def _may_have_missed(self, news: About, state: Branch) -> bool:
        """Say whether a build between was judged without this channel, or by nobody as too many came at once.

        Or whether the one that it knows was, when that ran again.
        """
        newest = await self._store.news.newest_judged(news.slug, news.branch)
        skipped = (await self._store.news.read_up_to(news.slug)).skipped
        if state.number < max(skipped, min(newest, news.number - 1)):
            return True
        judged = (await self._store.news.get(state.pipeline_id)).judged.removesuffix("+")
        in_part = any(rule.workflows for rule in news.rules)
        return bool(judged) and state.number < news.number and not is_known(state, judged, in_part=in_part)

    async def _say(self, news: About, found: Decision, state: Branch, after: Branch, seen: red.Seen) -> Branch:
        """Post what happened, and keep that it was: the message about a red branch, or one below or beside that."""
        happened = found.happened or Event.FAILED
        if after.is_red and state.root_ts is None and not found.is_late:
            mentioned = await self._pinged(news) if happened is Event.BROKE else news.mentioned * state.broke_asleep
            after = after.model_copy(update={"mentioned": mentioned})
            await self.know(news, state.model_copy(update={"posting": after}))
            ts = await self._post(news, Place(channel_id=news.channel_id), red.root(after, seen, mentioned), happened)
            await self._pings.note(news.build, Place(channel_id=news.channel_id), mentioned)
            state = state.model_copy(update={"mentioned": mentioned})
            return await self.know(news, _said(state, news.build, root_ts=ts))
        is_about_it = news.number >= state.red_since  # what is older than what broke it has nothing to do with that
        thread_ts = state.root_ts if news.has_threads and is_about_it else None
        for place in (Place(channel_id=news.channel_id, thread_ts=thread_ts), Place(channel_id=news.channel_id)):
            word = red.message(happened, state, after, seen, is_apart=place.thread_ts is None, is_late=found.is_late)
            try:
                await self._post(news, place, word, happened)
            except SlackError as error:
                if error.code not in THREAD_GONE or place.thread_ts is None:
                    raise
            else:
                break
        return await self.know(news, _said(state, news.build, root_ts=state.root_ts))

    async def _pinged(self, news: About) -> tuple[str, ...]:
        """Return whom the first message mentions, each once: those whom the rules name, and who pushed it."""
        author = await self._pings.of_author(news.build, Place(channel_id=news.channel_id), news.key)
        return tuple(dict.fromkeys((*news.mentioned, *author)))

    async def _is_rewritten(
        self, news: About, state: Branch, after: Branch, seen: red.Seen, *, urgent: bool = False
    ) -> bool:
        """Let the message about a red branch say how that stands by now; False where it is gone.

        What has no turn now is noted, and shown later (`roots.py`).
        """
        is_asleep = after.snoozed_until is not None and after.is_snoozed(await self._store.now())
        mentioned = news.mentioned if state.mentioned is None else state.mentioned
        word = (
            red.root(after, seen, mentioned, is_snoozed=is_asleep) if after.is_red else red.repaired_root(state, seen)
        )
        try:
            is_shown = await self._messenger.update(
                news.channel_id, state.root_ts or "", word, urgent=urgent or not after.is_red
            )
        except SlackError as error:
            if error.code not in MESSAGE_GONE:
                raise
            await self._store.unshown.remove(state)
            return False
        if not after.is_red:
            await self._store.claims.first(ended_name(state), ENDING)
        if is_shown:
            await self._store.unshown.remove(state)
        else:
            await self._store.unshown.add(state, await self._store.now())
        return True

    async def _post(self, news: About, place: Place, word: Message, event: Event) -> str:
        name = post_of(news.slug, news.key, said_key(news.build))
        return await tell_once(self._store, self._messenger, news, place, word, Post(OF_BRANCH, name, event))

    async def _silent(self, news: About, found: Decision) -> Why | None:
        """Return why nothing is posted of what happened; None where it is."""
        if found.happened is None or not found.is_told:
            return Why.NOT_ASKED
        if found.happened is not Event.FIXED and await self._snooze(news):
            return Why.SNOOZED
        return Why.OTHERWISE if await self._otherwise.hears(news, found.happened) else None

    async def _snooze(self, news: About) -> Branch | None:
        return await snooze_of(self._store, news.channel_id, news.slug, news.key)

    async def _note_silent(self, news: About, found: Decision, why: Why) -> None:
        """Keep why nothing is posted, and by whose snooze and until when where it is that."""
        snooze = await self._snooze(news) if why is Why.SNOOZED else None
        by = {"snoozed_by": snooze.snoozed_by, "snoozed_until": snooze.snoozed_until} if snooze else {}
        await note(self._store.told, news, why, happened=found.happened, **by)

    async def _report(self, found: Decision, build: Build) -> Report | None:
        is_shown = found.is_told or found.state.root_ts is not None
        return await self._evidence.of(build) if build.state in (State.FAILED, State.ON_HOLD) and is_shown else None


def _asked_at(news: About) -> datetime:
    """Return since when the last of the channel's rules hears of it."""
    return max(rule.hears_since for rule in news.rules)


def _ended(build: Build) -> datetime:
    return _on_our_clock(build, build.stopped_at or build.pipeline.created_at)


def _on_our_clock(build: Build, moment: datetime) -> datetime:
    return utc_now() - (build.read_at - moment)  # CircleCI's may differ


def _said(state: Branch, build: Build, *, root_ts: str | None) -> Branch:
    return state.model_copy(update={"told": state.told | {said_key(build)}, "root_ts": root_ts})
