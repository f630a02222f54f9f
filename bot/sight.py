"""What somebody may look at of what was found: a project, a branch or a tag, a job."""

from bot.circleci.reads import Reads
from bot.errors import NotAllowed
from bot.lookup import Lookup
from bot.models.caller import Caller
from bot.models.circleci import JobDetails, Pipeline, ProjectSlug, Ref
from bot.permissions import Permissions
from bot.policy import Word


class Sight:
    """Asks the policy for reading, where it matters with what CircleCI says a job is of."""

    def __init__(self, circleci: Reads, permissions: Permissions) -> None:
        self._circleci = circleci
        self._lookup = Lookup(circleci)
        self._permissions = permissions

    async def may_read(self, caller: Caller, slug: ProjectSlug, ref: Ref | None = None) -> bool:
        """Say whether somebody may look at a branch or a tag; without one at all of a project, whatever its branch."""
        try:
            await self._check(caller, slug, ref)
        except NotAllowed:
            return False
        return True

    async def may_read_base(self, caller: Caller, slug: ProjectSlug) -> bool:
        """Say whether somebody may look at what other branches are compared with."""
        if not self._permissions.looks_at_refs(Word.READ):
            return True
        return await self.may_read(caller, slug, Ref(name=(await self._circleci.project(slug)).default_branch))

    async def details(self, slug: ProjectSlug, number: int) -> JobDetails:
        """Return a job by its number, for who may look at it."""
        return await self._lookup.job(slug, number)

    async def may_read_job(self, slug: ProjectSlug, number: int, caller: Caller) -> None:
        """Raise NotAllowed for a job that somebody may not look at; its branch is looked up where it matters."""
        await self._check(caller, slug, certain=False)
        if not self._permissions.looks_at_refs(Word.READ):
            return
        details = await self.details(slug, number)
        ref = (await self._circleci.pipeline(details.pipeline.id)).ref if details.pipeline else None
        await self._check(caller, slug, ref)

    async def _readable(self, pipeline: Pipeline, caller: Caller) -> Pipeline:
        await self._check(caller, pipeline.project_slug, pipeline.ref)
        return pipeline

    async def _check(self, caller: Caller, slug: ProjectSlug, ref: Ref | None = None, *, certain: bool = True) -> None:
        """Raise NotAllowed for what somebody may not look at; what it is called is nothing for them either."""
        try:
            await self._permissions.check(caller, Word.READ, slug, ref, certain=certain)
        except NotAllowed as error:
            error.about = ""
            raise
