"""Whose a build is, of those who want to be told of their own: who pushed it, or asked for it."""

from typing import NamedTuple

from bot.authors import Authors
from bot.models.circleci import Pipeline
from bot.models.notices import Notice
from bot.store import Store


class Owner(NamedTuple):
    """Who wants to be told of a build, and whether they asked for it."""

    notice: Notice
    is_asked: bool


class Owners:
    """Who wants nothing is not looked for."""

    def __init__(self, store: Store, authors: Authors) -> None:
        self._store = store
        self._authors = authors

    async def note_push(self, pipeline: Pipeline) -> None:
        """Note whose push a build is, for who asks for theirs."""
        if person_id := await self._authors.of(pipeline):
            await self._store.own.note_push(person_id, pipeline.id, pipeline.created_at)

    async def of(self, pipeline: Pipeline) -> list[Owner]:
        """Return who wants to be told of a build: each once."""
        if not await self._store.notices.any():
            return []
        pusher = await self._authors.of(pipeline)
        wanted = {one.person_id: one for one in await self._store.notices.all()}
        askers = await self._store.own.askers(pipeline.id, list(wanted))
        asked = [Owner(wanted[one], True) for one in askers]
        return asked if pusher in askers or pusher not in wanted else [Owner(wanted[pusher], False), *asked]
