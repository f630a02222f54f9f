"""Lets a channel's message about a branch end once none of its subscriptions is about that any more."""

import structlog

from bot.errors import SlackError
from bot.messenger import Messenger
from bot.models.red import Branch
from bot.store import Store
from formatters import red
from formatters.links import Links

log = structlog.get_logger(__name__)


class Forsaking:
    """Whoever calls it is the one at the time who writes about that branch."""

    def __init__(self, store: Store, messenger: Messenger, links: Links) -> None:
        self._store = store
        self._messenger = messenger
        self._links = links

    async def end(self, state: Branch, title: str) -> None:
        """Let the message say so, and forget how the branch stands."""
        name = (state.channel_id, state.project_slug, state.branch)
        for one in {one.root_ts: one for one in (await self._store.subscriptions.known(*name), state) if one}.values():
            if one.is_red and one.root_ts is not None:
                await self._end_root(one, title)
        await self._store.subscriptions.forget(*name)

    async def _end_root(self, state: Branch, title: str) -> None:
        word = red.forsaken(state, title, self._links)
        try:
            await self._messenger.update(state.channel_id, state.root_ts or "", word, urgent=True)
        except SlackError as error:  # its buttons say so in words
            log.info("root_not_ended", channel=state.channel_id, method=error.method, code=error.code)
