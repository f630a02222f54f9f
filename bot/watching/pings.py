"""Whom the message about a branch that broke mentions beside those whom its rules name: who pushed that, once."""

from collections.abc import Collection

from bot.authors import Authors
from bot.errors import CircleCIError, NotAllowed, NotFound
from bot.models.build import Build
from bot.models.caller import Caller, Place
from bot.models.circleci import Job
from bot.permissions import Permissions
from bot.policy import Word
from bot.store.claims import Claims
from bot.watching.branches import judged_key
from bot.whereabouts import Whereabouts

_CHANNELS = ("C", "D", "G")  # how the ids of channels begin
_PEOPLE = ("U", "W")  # how the ids of people begin; of a user group Slack may not say who is in it


class Pings:
    """Each is noted once it stands where they are, so that nobody is told the same once more beside.

    A mention of somebody who is not there reaches nobody: none is made, and none counts.
    """

    def __init__(self, claims: Claims, authors: Authors, permissions: Permissions, whereabouts: Whereabouts) -> None:
        self._claims = claims
        self._authors = authors
        self._permissions = permissions
        self._whereabouts = whereabouts

    async def of_author(self, build: Build, place: Place, key: str) -> tuple[str, ...]:
        """Return who pushed a build, if they are there, may look at it and no other message mentions them for it.

        By its `key` the channel knows the branch: it may have several messages about that.
        """
        person_id = await self._authors.of(build.pipeline)
        if not person_id or await self.absent([person_id], place.channel_id):
            return ()
        if not await self._may_look(person_id, build, place):
            return ()
        holder = _holder(place, key)
        is_first = await self._claims.claim(_author(build, person_id), holder) == holder
        return (person_id,) if is_first else ()

    async def let_go(self, build: Build, place: Place, key: str) -> None:
        """Let another message mention who pushed it, as Slack does not take this one, and nobody was mentioned."""
        person_id = await self._authors.of(build.pipeline)
        if not person_id or await self.is_pinged(build, person_id):
            return
        if await self._claims.holder(_author(build, person_id)) == _holder(place, key):
            await self._claims.release(_author(build, person_id))

    async def absent(self, named: Collection[str], channel_id: str) -> frozenset[str]:
        """Return those of these who are surely not in a channel; direct messages are one person's alone."""
        people = [one for one in named if one.startswith(_PEOPLE)]
        return frozenset([one for one in people if await self._whereabouts.reads(one, channel_id) is False])

    async def note(self, build: Build, place: Place, mentioned: Collection[str]) -> None:
        """Note who is pinged about this end, of those whom a message there mentions."""
        for one in await self._reached(mentioned, place):
            await self._claims.claim(_pinged(build, one), place.channel_id)

    async def is_pinged(self, build: Build, person_id: str) -> bool:
        """Say whether somebody is pinged about this end in a message about its branch."""
        return await self._claims.is_taken(_pinged(build, person_id))

    async def pinged_in(self, build: Build, person_id: str) -> str:
        """Return the channel in which they are, empty text for none or one that an earlier version did not keep."""
        channel_id = await self._claims.holder(_pinged(build, person_id)) or ""
        return channel_id if channel_id.startswith(_CHANNELS) else ""

    async def note_called(self, jobs: Collection[Job], place: Place, mentioned: Collection[str]) -> None:
        """Note who is asked to approve these, of those whom a message there mentions."""
        for one in await self._reached(mentioned, place):
            for job in jobs:
                await self._claims.first(_called(job, one))

    async def is_called(self, job: Job, person_id: str) -> bool:
        """Say whether a message in a channel has asked somebody to approve this."""
        return await self._claims.is_taken(_called(job, person_id))

    async def _reached(self, mentioned: Collection[str], place: Place) -> list[str]:
        """Return those of them who are surely there: who may not be is told beside that, too."""
        people = [one for one in mentioned if one.startswith(_PEOPLE)]
        return [one for one in people if await self._whereabouts.reads(one, place.channel_id)]

    async def _may_look(self, person_id: str, build: Build, place: Place) -> bool:
        caller = Caller(person_id=person_id, place=place, delivery_id=f"author:{build.pipeline.id}")
        try:
            await self._permissions.check(caller, Word.READ, build.pipeline.project_slug, build.pipeline.ref)
        except (NotAllowed, NotFound, CircleCIError):
            return False
        return True


def _author(build: Build, person_id: str) -> str:
    return f"author-of-break:{build.pipeline.project_slug}:{build.pipeline.number}:{person_id}"


def _holder(place: Place, key: str) -> str:
    return f"{place.channel_id} {key}"


def _pinged(build: Build, person_id: str) -> str:
    """Name it by the attempt of the whole build, of which a message may be about some workflows alone."""
    attempt = f"{build.pipeline.number}:{build.part_of}" if build.part_of else judged_key(build)
    return f"pinged:{build.pipeline.id}:{attempt}:{person_id}"


def _called(job: Job, person_id: str) -> str:
    return f"called-to-approve:{job.approval_request_id or job.id}:{person_id}"
