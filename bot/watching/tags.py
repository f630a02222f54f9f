"""Tells channels of builds of tags: each is its own, as nothing comes after it but its reruns."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.errors import SlackError
from bot.messenger import Messenger
from bot.models.build import Build, Report
from bot.models.caller import Place
from bot.models.refusals import MESSAGE_GONE
from bot.models.subscription import Event
from bot.models.told import Why
from bot.once import post_once
from bot.store import Store
from bot.watching.about import About
from bot.watching.branches import is_red, is_wanted, said_key
from bot.watching.noting import note
from formatters import red
from formatters.links import Links

KEPT = timedelta(days=90)


class Tags:
    """Each attempt is told once, in a message of its own: no tag stays red until another build of it."""

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
        failed = await self._store.claims.holder(_failed(news))
        if failed is None or what_happened(news.build) is not Event.FIXED:
            return
        word = red.tag_repaired(news.key, red.Seen(news.build, None, news.title, self._links))
        for ts in failed.split(","):
            try:
                await self._messenger.update(news.channel_id, ts, word, urgent=True)
            except SlackError as error:
                if error.code not in MESSAGE_GONE:
                    raise
        await self._store.claims.release(_failed(news))

    async def ended(self, news: About) -> bool:
        """Tell a channel of a build of a tag that is over, where it wants to hear; says whether anything was said."""
        happened = what_happened(news.build)
        once = f"tag-told:{news.channel_id}:{news.slug}:{news.key}:{said_key(news.build)}"
        if happened is None or not is_wanted(happened, news.wanted) or await self._store.claims.is_taken(once):
            return False
        has_failed = happened is Event.BROKE
        report = await self._evidence(news.build) if has_failed and news.build.runs else None
        seen = red.Seen(news.build, report, news.title, self._links)
        word = red.of_tag(news.key, seen, happened, news.mentioned if has_failed else ())
        place, name = Place(channel_id=news.channel_id), f"{news.slug}:{news.key}:{said_key(news.build)}"
        ts = await post_once(self._messenger, self._store.claims, place, word, kind="tag", name=name)
        await note(self._store.told, news, Why.TOLD, ts=ts)
        if has_failed:
            await self._note_failed(news, ts)
        await self._store.claims.first(once, KEPT)
        return True

    async def _note_failed(self, news: About, ts: str) -> None:
        """Keep which messages say that it failed, each attempt one."""
        before = await self._store.claims.claim(_failed(news), ts, KEPT)
        if ts not in before.split(","):
            await self._store.claims.swap(_failed(news), before, f"{before},{ts}")


def _failed(news: About) -> str:
    return f"tag-failed:{news.channel_id}:{news.slug}:{news.key}:{news.build.pipeline.number}"


def what_happened(build: Build) -> Event | None:
    """Return what the end of a build of a tag is: it broke where it failed, and is fixed where a rerun passed. Pure."""
    match is_red(build):
        case True:
            return Event.BROKE
        case False:
            return Event.FIXED if build.reruns else Event.PASSED
    return None
