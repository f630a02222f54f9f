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
        if not (wanted := await self._store.notices.people()):
            return []
        askers, pusher = await self._store.own.askers(pipeline.id, wanted), await self._authors.of(pipeline)
        people = [*askers, *([pusher] if pusher in wanted and pusher not in askers else [])]
        found = [(await self._store.notices.get(person_id), person_id in askers) for person_id in people]
        return [Owner(notice, is_asked) for notice, is_asked in found if notice]
