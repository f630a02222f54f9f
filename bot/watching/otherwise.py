"""Whether a channel hears an end of a branch otherwise: by a thread of its own that says it aloud (`aloud.py`)."""

from bot.models.heard import Heard
from bot.models.subscription import Event, ref_named
from bot.settings import Projects
from bot.store import Store
from bot.watching.about import About
from bot.watching.aloud import is_wanted
from bot.watching.branches import said_key
from bot.watching.pausing import COUNTED
from bot.watching.triager import final_key

MOST_WAITS = 24  # for a thread that is about to say it aloud


class Otherwise:
    """What a channel has heard, or is about to hear, is not said there a second time."""

    def __init__(self, store: Store, projects: Projects) -> None:
        self._store = store
        self._projects = projects

    async def hears(self, news: About, happened: Event) -> bool:
        """Say whether the channel itself was told this end, by a thread that said it aloud, and nobody is to be called.

        What else a thread says of the build is read there alone, and is no word about the branch.
        """
        if happened is Event.BROKE and news.mentioned:
            return False
        heard = await self._heard(news)
        return heard is not None and (heard.number, heard.fingerprint) == (news.number, news.build.fingerprint)

    async def is_about_to_hear(self, news: About) -> bool:
        """Say whether a thread of the channel will say this end aloud, for as long as that may take."""
        if news.scope:
            return False
        build, projects = news.build, self._projects
        watches = await self._store.watches.of(build.pipeline.id)
        mine = [watch for watch in watches if watch.thread.channel_id == news.channel_id]
        is_awaited = any(is_wanted(one, build, projects) and final_key(build) not in one.told for one in mine)
        if not is_awaited or not await self._store.watches.watched([build.pipeline.id]):
            return False
        once = f"aloud-first:{news.channel_id}:{said_key(build)}:{build.pipeline.id}"
        return await self._store.claims.count(once, COUNTED) <= MOST_WAITS

    async def _heard(self, news: About) -> Heard | None:
        """Return which end of the branch the channel has heard aloud (`aloud.py`)."""
        return await self._store.ends.heard(news.channel_id, news.slug, ref_named(news.branch))

    async def knows_it_repaired(self, news: About) -> None:
        """Keep for those who tell things aloud that the channel knows it repaired."""
        heard = await self._heard(news)
        if not news.scope and heard is not None and heard.is_red and heard.number <= news.number:
            repaired = Heard(number=news.number, fingerprint=news.build.fingerprint, is_red=False)
            await self._store.ends.note(news.channel_id, news.slug, ref_named(news.branch), repaired)
