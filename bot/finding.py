"""Finds what people name: a project, a pipeline, a build; what there is none of is said with what there is."""

import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bot.circleci.reads import Reads
from bot.circleci.transport import together
from bot.errors import NotAllowed, NotFound, Rejected, UsageError
from bot.models.build import Build, State
from bot.models.caller import Caller
from bot.models.circleci import Pipeline, PipelineId, Project, ProjectSlug, Ref, made_of_ids
from bot.permissions import Permissions
from bot.policy import Word
from bot.requests import OfProject, OfTarget
from bot.settings import Projects
from bot.store import Store
from bot.targets import Target

BUILT_LATELY = 3
# What is compared for likeness takes time with the third power of its length, and whoever pushes chooses it.
LONGEST_ALIKE, MOST_ALIKE = 60, 30
MOST_TAGGED_PAGES = 3
MOST_LOOKED_THROUGH = 15


@contextmanager
def known(what: str, name: str, looked_in: str = "") -> Iterator[None]:
    """Turn CircleCI's 404 within the block into NotFound."""
    try:
        yield
    except Rejected as error:
        if error.status != 404:
            raise
        raise NotFound(what, name, looked_in=looked_in) from error


class Finder:
    """Finds for somebody, and gives them only what they may read.

    Each method raises NotFound for what CircleCI does not know, or the token may not see, and NotAllowed.
    """

    def __init__(self, circleci: Reads, store: Store, permissions: Permissions, projects: Projects) -> None:
        self._circleci = circleci
        self._store = store
        self._permissions = permissions
        self._projects = projects

    async def any_project(self, slug: ProjectSlug) -> Project:
        """Return a project, whatever its spelling, for an operation: it asks who may what itself."""
        with known("project", slug):
            return await self._circleci.project(slug)

    async def project(self, slug: ProjectSlug, caller: Caller) -> Project:
        """Return a project, whatever its spelling."""
        project = await self.any_project(slug)
        await self._check(caller, project.slug, certain=False)
        return project

    async def asked(self, request: OfProject, caller: Caller) -> Project:
        """Return the project that a request names."""
        return await self.project(request.slug(self._projects), caller)

    async def title(self, slug: ProjectSlug) -> str:
        """Return what people call a project; only one whose slug is made of ids has to be asked for."""
        return (await self.any_project(slug)).title if made_of_ids(slug) else slug.partition("/")[2]

    async def branch(self, request: OfTarget, caller: Caller) -> tuple[Project, str]:
        """Return the project and the branch that are meant: those of the thread's build, or the default branch."""
        target = request.target(self._projects)
        if target.slug is None:
            pipeline = await self._circleci.pipeline(await self._followed(caller))
            target = Target(slug=pipeline.project_slug, ref=pipeline.ref)
        project = await self.project(target.slug or ProjectSlug(""), caller)
        ref = target.ref
        default = project.default_branch
        name = default if ref is None or ref.is_tag else ref.name
        await self._check(caller, project.slug, Ref(name=name))
        return project, name

    async def pipeline(self, request: OfTarget, caller: Caller) -> Pipeline:
        """Return the one pipeline that is meant: the newest where a branch was named."""
        target = request.target(self._projects)
        if target.slug is None:
            found = await self._circleci.pipeline(await self._followed(caller))
        elif target.pipeline_number is not None:
            found = await self._numbered(target.slug, target.pipeline_number)
        elif target.job_number is not None:
            found = await self._of_job(target.slug, target.job_number)
        else:
            return (await self.newest(request, caller))[0]
        return await self._readable(found, caller)

    async def build(self, pipeline_id: PipelineId, caller: Caller) -> Build:
        """Return a pipeline seen whole, which a button named by its id."""
        with known("pipeline", pipeline_id):
            build = await self._circleci.build(pipeline_id)
        await self._readable(build.pipeline, caller)
        return build

    async def newest(self, request: OfTarget, caller: Caller) -> tuple[Pipeline, ...]:
        """Return the newest pipelines of a branch or a tag, newest first; of the default branch where none is named."""
        target = request.target(self._projects)
        if target.slug is None:
            raise UsageError("Which project?")
        await self._check(caller, target.slug, target.ref, certain=False)
        ref = target.ref or await self._default(target.slug, caller)
        if ref.is_tag:
            pages = await self._circleci.pipelines(target.slug, pages=MOST_TAGGED_PAGES)
            found = tuple(pipeline for pipeline in pages if pipeline.ref == ref)
        else:
            found = await self._of_branch(target.slug, ref.name)
        if not found:
            raise await self.unknown_ref(target.slug, ref, caller, what="pipeline on the")
        await self._readable(found[0], caller)
        return found

    async def newest_passed(self, request: OfTarget, caller: Caller) -> Build:
        """Return the newest successful build of a branch: a rerun that passed counts, failed ones are passed over."""
        for pipeline in (await self.newest(request, caller))[:MOST_LOOKED_THROUGH]:
            build = await self._circleci.outline(pipeline)
            if build.state is State.PASSED:
                return await self._circleci.build(pipeline.id)
        slug, ref = request.about(self._projects)
        raise NotFound("successful build", str(ref or "default branch"), looked_in=str(slug))

    async def job(self, request: OfTarget, caller: Caller) -> tuple[ProjectSlug, int]:
        """Return the project and the number of the job meant; in a thread the project is that of its build."""
        target = request.target(self._projects)
        if target.job_number is None:
            raise UsageError("Which job? Its number stands on CircleCI's page, and in `status`.")
        slug = target.slug or (await self.pipeline(OfTarget(), caller)).project_slug
        await self.may_read_job(slug, target.job_number, caller)
        return slug, target.job_number

    async def may_read_job(self, slug: ProjectSlug, number: int, caller: Caller) -> None:
        """Raise NotAllowed for a job that somebody may not look at; its branch is looked up where it matters."""
        await self._check(caller, slug, certain=False)
        if not self._permissions.looks_at_refs(Word.READ):
            return
        with known("job", str(number), slug):
            details = await self._circleci.job(slug, number)
        ref = (await self._circleci.pipeline(details.pipeline.id)).ref if details.pipeline else None
        await self._check(caller, slug, ref)

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

    async def outlines(self, pipelines: Sequence[Pipeline]) -> list[Build]:
        """Return pipelines with their workflows, but without jobs: one request each."""
        return await together(*(self._circleci.outline(pipeline) for pipeline in pipelines))

    async def has_branch(self, slug: ProjectSlug, name: str) -> bool:
        """Say whether a branch of this name was ever built."""
        return bool(await self._of_branch(slug, name))

    async def built_lately(self, slug: ProjectSlug, caller: Caller) -> list[str]:
        """Return the branches that were built lately, newest first, of those that somebody may see."""
        pipelines = await self._circleci.pipelines(slug)
        refs = [pipeline.ref for pipeline in pipelines if pipeline.ref and not pipeline.ref.is_tag]
        readable = await self._permissions.readable(caller, [(slug, one) for one in refs])
        return list(dict.fromkeys(one.name for one in refs if (slug, one) in readable))

    async def unknown_ref(self, slug: ProjectSlug, ref: Ref, caller: Caller, *, what: str = "") -> NotFound:
        """Return what names the branches that may be meant beside the unknown one, of those they may see."""
        branches = await self.built_lately(slug, caller)
        kind, title = "tag" if ref.is_tag else "branch", await self.title(slug)
        return NotFound(f"{what} {kind}".strip(), ref.name, looked_in=title, built_lately=likely(ref.name, branches))

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

    async def _default(self, slug: ProjectSlug, caller: Caller) -> Ref:
        return Ref(name=(await self.project(slug, caller)).default_branch)

    async def _of_branch(self, slug: ProjectSlug, branch: str) -> tuple[Pipeline, ...]:
        with known("project", slug):
            return await self._circleci.pipelines(slug, branch)

    async def _numbered(self, slug: ProjectSlug, number: int) -> Pipeline:
        with known("pipeline", f"#{number}", slug):
            return await self._circleci.pipeline_by_number(slug, number)

    async def _of_job(self, slug: ProjectSlug, number: int) -> Pipeline:
        with known("job", str(number), slug):
            details = await self._circleci.job(slug, number)
        if details.pipeline is None:
            raise NotFound("pipeline of job", str(number), looked_in=slug)
        return await self._circleci.pipeline(details.pipeline.id)

    async def _followed(self, caller: Caller) -> PipelineId:
        place = caller.place
        found = (
            await self._store.watches.of_thread(place.channel_id, place.thread_ts)
            if place and place.thread_ts
            else None
        )
        if found is None:
            raise UsageError("Which project? In a thread that follows a build I know it without a name.")
        return found


def near_miss(name: str, branches: Sequence[str]) -> str:
    """Return the branch that is spelled almost so, in another case first; empty text for none."""
    same = [one for one in branches if one.casefold() == name.casefold()]
    return next(iter(same or difflib.get_close_matches(name, branches, n=1)), "")


def likely(name: str, branches: Sequence[str]) -> tuple[str, ...]:
    """Return the branches that may be meant: those spelled alike, then the newest."""
    short = [one for one in dict.fromkeys(branches) if len(one) <= LONGEST_ALIKE][:MOST_ALIKE]
    alike = difflib.get_close_matches(name, short, n=BUILT_LATELY) if len(name) <= LONGEST_ALIKE else []
    return tuple(dict.fromkeys([*alike, *branches]))[:BUILT_LATELY]
