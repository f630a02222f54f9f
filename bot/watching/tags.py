"""Tells channels of builds of tags: each is its own, as nothing comes after it but its reruns."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple

from bot.errors import SlackError
from bot.messenger import Messenger
from bot.models.build import Build, Report
from bot.models.caller import Place
from bot.models.refusals import MESSAGE_GONE, THREAD_GONE
from bot.models.subscription import Event
from bot.store import Store
from bot.store.claims import Claims
from bot.watching.about import About
from bot.watching.branches import is_red, is_wanted, said_key
from bot.watching.noting import Post, tell_once
from formatters import red
from formatters.blocks import Message
from formatters.links import Links

KEPT = timedelta(days=90)


class Tags:
    """Each build of a tag is one message, which says how it stands; what becomes of it in reruns stands below.

    Where no rule of the channel asks for threads, each attempt is a message of its own.
    """

    def __init__(
        self, store: Store, messenger: Messenger, links: Links, evidence: Callable[[Build], Awaitable[Report]]
    ) -> None:
        """Tell of builds; `evidence` of one that failed is read once for all that tell of it."""
        self._store = store
        self._messenger = messenger
        self._links = links
        self._evidence = evidence

    async def rewritten(self, news: About) -> None:
        """Let what was said of it when it failed say that it has passed in a rerun, whoever wants to hear of that."""
        if what_happened(news.build) is not Event.FIXED or not (failed := await _that_failed(self._store.claims, news)):
            return
        word = red.tag_repaired(news.key, red.Seen(news.build, None, news.title, self._links))
        for ts in failed:
            await self._rewrite(news, ts, word)
        await self._store.claims.release(_failed(news))

    async def ended(self, news: About) -> bool:
        """Tell a channel of a build of a tag that is over, where it wants to hear; says whether anything was said."""
        happened, said = what_happened(news.build), said_key(news.build)
        once = f"tag-told:{news.channel_id}:{news.slug}:{news.key}:{said}"
        if happened is None or not is_wanted(happened, news.wanted) or await self._store.claims.is_taken(once):
            return False
        has_failed = happened is Event.BROKE
        report = await self._evidence(news.build) if has_failed and news.build.runs else None
        seen = red.Seen(news.build, report, news.title, self._links)
        failed, about_it = await _that_failed(self._store.claims, news), await message_about(self._store.claims, news)
        # That it failed after it had passed is for all to see.
        is_below = bool(about_it.ts) and about_it.said != said and news.has_threads
        is_below = is_below and (about_it.ts in failed or not has_failed)
        if is_below and await self._is_said_below(news, about_it.ts, seen, happened):
            if has_failed:
                await self._rewrite(news, about_it.ts, red.of_tag(news.key, seen, happened, news.mentioned))
        else:
            mentioned = news.mentioned if has_failed and not failed else ()
            word = red.of_tag(news.key, seen, happened, mentioned)
            ts = await self._post(news, Place(channel_id=news.channel_id), word, happened)
            await self._note_message(news, ts, has_failed=has_failed)
        await self._store.claims.first(once, KEPT)
        return True

    async def _is_said_below(self, news: About, ts: str, seen: red.Seen, happened: Event) -> bool:
        """Say below its message how it ended when it ran again; False where that is gone."""
        place = Place(channel_id=news.channel_id, thread_ts=ts)
        try:
            await self._post(news, place, red.tag_again(news.key, seen, happened), happened)
        except SlackError as error:
            if error.code not in THREAD_GONE:
                raise
            return False
        return True

    async def _post(self, news: About, place: Place, word: Message, event: Event) -> str:
        name = f"{news.slug}:{news.key}:{said_key(news.build)}"
        return await tell_once(self._store, self._messenger, news, place, word, Post("tag", name, event))

    async def _rewrite(self, news: About, ts: str, word: Message) -> None:
        try:
            await self._messenger.update(news.channel_id, ts, word, urgent=True)
        except SlackError as error:
            if error.code not in MESSAGE_GONE:
                raise

    async def _note_message(self, news: About, ts: str, *, has_failed: bool) -> None:
        """Keep which message is about the build by now, and which ones say that it failed."""
        await self._put(_about(news), f"{ts} {said_key(news.build)}")
        failed = await _that_failed(self._store.claims, news)
        if has_failed and ts not in failed:
            await self._put(_failed(news), ",".join([*failed, ts]))

    async def _put(self, what: str, holder: str) -> None:
        before = await self._store.claims.claim(what, holder, KEPT)
        if before != holder:
            await self._store.claims.swap(what, before, holder)


class AboutIt(NamedTuple):
    """The message about a build of a tag in a channel, empty text for none, and by which attempt it was posted."""

    ts: str = ""
    said: str = ""


async def message_about(claims: Claims, news: About) -> AboutIt:
    """Return the message about the build; an earlier version kept those alone which say that it failed."""
    ts, _, said = (await claims.holder(_about(news)) or "").partition(" ")
    return AboutIt(ts, said) if ts else AboutIt(*(await _that_failed(claims, news))[-1:])


async def _that_failed(claims: Claims, news: About) -> list[str]:
    return [ts for ts in (await claims.holder(_failed(news)) or "").split(",") if ts]


def _failed(news: About) -> str:
    return f"tag-failed:{news.channel_id}:{news.slug}:{news.key}:{news.build.pipeline.number}"


def _about(news: About) -> str:
    return f"tag-message:{news.channel_id}:{news.slug}:{news.key}:{news.build.pipeline.number}"


def what_happened(build: Build) -> Event | None:
    """Return what the end of a build of a tag is: it broke where it failed, and is fixed where a rerun passed. Pure."""
    match is_red(build):
        case True:
            return Event.BROKE
        case False:
            return Event.FIXED if build.reruns else Event.PASSED
    return None
