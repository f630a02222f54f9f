"""Whom the message about a branch that broke mentions beside those whom its rules name: who pushed that, once."""

from bot.authors import Authors
from bot.errors import CircleCIError, NotAllowed, NotFound
from bot.models.build import Build
from bot.models.caller import Caller, Place
from bot.permissions import Permissions
from bot.policy import Word
from bot.store.claims import Claims
from bot.watching.branches import judged_key


class Pings:
    """Each is noted once it stands somewhere, so that nobody is told the same once more beside."""

    def __init__(self, claims: Claims, authors: Authors, permissions: Permissions) -> None:
        self._claims = claims
        self._authors = authors
        self._permissions = permissions

    async def of_author(self, build: Build, place: Place) -> tuple[str, ...]:
        """Return who pushed a build, if they may look at it there and no other channel mentions them for it."""
        pipeline = build.pipeline
        person_id = await self._authors.of(pipeline)
        if not person_id or not await self._may_look(person_id, build, place):
            return ()
        what = f"author-of-break:{pipeline.project_slug}:{pipeline.number}:{person_id}"
        is_first = await self._claims.claim(what, place.channel_id) == place.channel_id
        return (person_id,) if is_first else ()

    async def note(self, build: Build, mentioned: tuple[str, ...]) -> None:
        """Note who is pinged about this end."""
        for one in mentioned:
            await self._claims.first(_pinged(build, one))

    async def is_pinged(self, build: Build, person_id: str) -> bool:
        """Say whether somebody is pinged about this end in a message about its branch."""
        return await self._claims.is_taken(_pinged(build, person_id))

    async def _may_look(self, person_id: str, build: Build, place: Place) -> bool:
        caller = Caller(person_id=person_id, place=place, delivery_id=f"author:{build.pipeline.id}")
        try:
            await self._permissions.check(caller, Word.READ, build.pipeline.project_slug, build.pipeline.ref)
        except (NotAllowed, NotFound, CircleCIError):
            return False
        return True


def _pinged(build: Build, person_id: str) -> str:
    return f"pinged:{build.pipeline.id}:{judged_key(build)}:{person_id}"
