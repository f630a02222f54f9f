"""Looks up at CircleCI what a line names, by number, job, workflow, ref, commit or pull request; it asks no policy."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.circleci.reads import Reads
from bot.errors import NotFound, Rejected, UsageError
from bot.models.circleci import JobDetails, Pipeline, ProjectSlug, Ref, WorkflowId
from bot.models.slugs import spelled_alike
from bot.models.target import Target

MOST_PAGES = 3  # of the newest pipelines, for what CircleCI cannot be asked for by name


@contextmanager
def known(what: str, name: str, looked_in: str = "") -> Iterator[None]:
    """Turn CircleCI's 404 within the block into NotFound."""
    try:
        yield
    except Rejected as error:
        if error.status != 404:
            raise
        raise NotFound(what, name, looked_in=looked_in) from error


class Lookup:
    """Each method raises NotFound for what CircleCI does not know, or the token may not see."""

    def __init__(self, circleci: Reads) -> None:
        self._circleci = circleci

    async def build_named(self, target: Target) -> Pipeline | None:
        """Return the one build that a project's number, a job or a workflow names; None where none is named."""
        if target.slug is not None and target.pipeline_number is not None:
            return await self._numbered(target.slug, target.pipeline_number)
        if target.workflow_id:
            with known("workflow", target.workflow_id):
                return await self._circleci.pipeline_of_workflow(WorkflowId(target.workflow_id))
        if target.slug is not None and target.job_number is not None:
            return await self._of_job(target.slug, target.job_number)
        return None

    async def check_all_of(self, found: Pipeline, target: Target) -> None:
        """Raise UsageError where one of the names of a build is not of the one that was found by another."""
        by_number, slug = target.pipeline_number is not None, target.slug or found.project_slug
        if target.workflow_id and by_number:
            with known("workflow", target.workflow_id):
                theirs = await self._circleci.pipeline_of_workflow(WorkflowId(target.workflow_id))
            if theirs.id != found.id:
                raise UsageError(f"#{found.number} has no such workflow.", given=target.workflow_id)
        elif target.workflow_id and target.slug:
            with known("project", target.slug):
                project = await self._circleci.project(target.slug)
            if spelled_alike(project.slug) != spelled_alike(found.project_slug):
                raise UsageError(f"{project.title} has no such workflow.", given=target.workflow_id)
        if target.job_number is not None and (by_number or target.workflow_id):
            details = await self.job(slug, target.job_number)
            if details.pipeline is None or details.pipeline.id != found.id:
                raise UsageError(f"#{found.number} has no job of this number.", given=str(target.job_number))

    async def lately(self, slug: ProjectSlug) -> tuple[Pipeline, ...]:
        """Return the newest pipelines of a project, of all its branches and tags, newest first."""
        with known("project", slug):
            return await self._circleci.pipelines(slug, pages=MOST_PAGES)

    async def of_branch(self, slug: ProjectSlug, branch: str) -> tuple[Pipeline, ...]:
        """Return the newest pipelines of a branch, newest first."""
        with known("project", slug):
            return await self._circleci.pipelines(slug, branch)

    async def of_ref(self, slug: ProjectSlug, ref: Ref) -> tuple[Pipeline, ...]:
        """Return the newest pipelines of a branch or a tag, newest first."""
        if not ref.is_tag:
            return await self.of_branch(slug, ref.name)
        return tuple(one for one in await self.lately(slug) if one.ref == ref)

    async def of_commit(self, slug: ProjectSlug, commit: str) -> tuple[Pipeline, ...]:
        """Return the pipelines of a commit, in full or short, newest first, of those that ran lately."""
        return tuple(one for one in await self.lately(slug) if one.revision.lower().startswith(commit.lower()))

    async def ref_of_pull_request(self, slug: ProjectSlug, number: int, link: str) -> Ref:
        """Return the branch of a pull request as its builds tell it; the code of a fork is no branch of the project.

        Raises UsageError where no build tells it, where two tell different things, or where another pull request has
        taken the branch: what is newest there is of that one. A build without one may be anybody's, ours too.
        """
        lately = await self.lately(slug)
        of_it = [one for one in lately if one.code_of(number)]
        refs = {one.code_of(number) for one in of_it}
        if len(refs) == 1:
            newest = next(one for one in lately if one.ref == of_it[0].ref)
            if newest.review not in ("", str(number)):
                ways = f"write the branch, or `#{of_it[0].number}` for its newest build"
                raise UsageError(f"Another pull request has the branch of {number} by now: {ways}.", given=link)
            return of_it[0].code_of(number) or Ref(name="")
        told = "tell two branches" if refs else "tell no branch"
        ways = f"write its branch, or `pull/{number}` for the code of a fork"
        raise UsageError(f"The builds that I looked at {told} for pull request {number}: {ways}.", given=link)

    async def job(self, slug: ProjectSlug, number: int) -> JobDetails:
        """Return a job; of a number that is a pipeline's it is said that it is."""
        try:
            return await self._circleci.job(slug, number)
        except Rejected as error:
            if error.status != 404:
                raise
            await self._refuse_as(f"#{number}", "pipeline", slug, number)
            raise NotFound("job", str(number), looked_in=slug) from error

    async def _numbered(self, slug: ProjectSlug, number: int) -> Pipeline:
        try:
            return await self._circleci.pipeline_by_number(slug, number)
        except Rejected as error:
            if error.status != 404:
                raise
            await self._refuse_as(str(number), "job", slug, number)
            raise NotFound("pipeline", f"#{number}", looked_in=slug) from error

    async def _refuse_as(self, spelled: str, what: str, slug: ProjectSlug, number: int) -> None:
        """Raise UsageError where the number is that of another kind of thing."""
        find = self._circleci.pipeline_by_number if what == "pipeline" else self._circleci.job
        try:
            await find(slug, number)
        except Rejected:
            return
        other = "job" if what == "pipeline" else "pipeline"
        raise UsageError(f"There is no {other} of this number, but a {what}: write `{spelled}`.", given=str(number))

    async def _of_job(self, slug: ProjectSlug, number: int) -> Pipeline:
        details = await self.job(slug, number)
        if details.pipeline is None:
            raise NotFound("pipeline of job", str(number), looked_in=slug)
        return await self._circleci.pipeline(details.pipeline.id)
