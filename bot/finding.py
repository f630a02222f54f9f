"""Finds what people name: a project, a pipeline, a build; what there is none of is said with what there is."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress

from bot.circleci.reads import Reads
from bot.errors import CircleCIError, NotFound, Rejected, UsageError, WhichJob
from bot.lookup import known
from bot.models import git
from bot.models.build import Build, State
from bot.models.caller import Caller, Place
from bot.models.circleci import Pipeline, PipelineId, Project, ProjectSlug, Ref, made_of_ids
from bot.models.likeness import are_alike, likely
from bot.models.lock import Lock, lock_key, named_by
from bot.models.slack import Watch
from bot.models.slugs import spelled_alike
from bot.models.subscription import named_in, ref_named
from bot.models.target import Target
from bot.models.told import MessageAbout
from bot.naming import Project as Called
from bot.permissions import SOON_SECONDS, Permissions
from bot.requests import OfProject, OfTarget
from bot.settings import Projects
from bot.sight import Sight
from bot.store import Store
from bot.together import together
from formatters.stopped import which_job

BUILT_LATELY = 3
MOST_LOOKED_THROUGH = 15


class Finder(Sight):
    """Finds for somebody, and gives them only what they may read.

    Each method raises NotFound for what CircleCI does not know, or the token may not see, and NotAllowed.
    """

    def __init__(self, circleci: Reads, store: Store, permissions: Permissions, projects: Projects) -> None:
        super().__init__(circleci, permissions)
        self._store = store
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

    async def project_or_named(self, slug: ProjectSlug, caller: Caller, *, soon: bool = False) -> Project:
        """Return a project; while CircleCI does not answer what was named stands for it, and has no id.

        With `soon` it does so too where CircleCI takes its time: nobody waits for it where the name will do.
        """
        by_name = not made_of_ids(slug)
        try:
            async with asyncio.timeout(SOON_SECONDS if soon and by_name else None):
                return await self.project(slug, caller)
        except Rejected:
            raise
        except (CircleCIError, TimeoutError):
            if not by_name:
                raise
        await self._check(caller, slug, certain=False)
        _, organization, name = slug.split("/", 2)
        return Project(slug=slug, organization_name=organization, name=name)

    async def locks_on(self, slug: ProjectSlug, ref: Ref | None) -> list[Lock]:
        """Return what keeps others from deploying a branch or tag, by whatever names it was locked.

        That is a lock on all of its project, and one on it. Raises CircleCIError where it cannot be told.
        """
        slugs = (slug, *[one for one in await self._locked_as(ref) if await self._was(one, slug)])
        refs = (None, *ref.spellings) if ref else (None,)
        return await self._store.locks.held(dict.fromkeys(lock_key(one, on) for on in refs for one in slugs))

    async def lock_on(self, slug: ProjectSlug, ref: Ref | None) -> Lock | None:
        """Return the lock on just this, by whatever names it was locked, as far as CircleCI tells."""
        slugs = [slug]
        with suppress(TimeoutError):
            async with asyncio.timeout(SOON_SECONDS):
                for one in await self._locked_as(ref):
                    with suppress(CircleCIError):
                        slugs += [one] if await self._was(one, slug) else []
        refs = ref.spellings if ref else (None,)
        held = await self._store.locks.held(dict.fromkeys(lock_key(one, on) for on in refs for one in slugs))
        return held[0] if held else None

    async def _locked_as(self, ref: Ref | None) -> list[ProjectSlug]:
        """Return the projects of which all is locked, or a branch or tag of this name."""
        places = [named_by(key) for key in await self._store.locks.names()]
        return sorted({slug for slug, on in places if on is None or on.means(ref)})

    async def is_now(self, name: ProjectSlug, slug: ProjectSlug) -> bool:
        """Say whether a name is this project's, or one that it had before; CircleCI may know it still."""
        return spelled_alike(name) == spelled_alike(slug) or await self._was(name, slug)

    async def _was(self, name: ProjectSlug, slug: ProjectSlug) -> bool:
        if spelled_alike(name) == spelled_alike(slug):
            return False
        return await self._permissions.is_now(name, slug)

    async def asked(self, request: OfProject, caller: Caller) -> Project:
        """Return the project that a request names."""
        return await self.project(request.slug(self._projects), caller)

    async def title(self, slug: ProjectSlug) -> str:
        """Return what people call a project; only one whose slug is made of ids has to be asked for."""
        return (await self.any_project(slug)).title if made_of_ids(slug) else slug.partition("/")[2]

    async def named(self, request: OfTarget, caller: Caller) -> Target:
        """Return what is named, with its branch in the place of a pull request."""
        target = request.target(self._projects)
        if target.slug is None or target.pull_request is None:
            return target
        await self._check(caller, target.slug, certain=False)
        ref = await self._lookup.ref_of_pull_request(target.slug, target.pull_request, target.link)
        await self._check(caller, target.slug, ref)
        return target.model_copy(update={"ref": ref, "pull_request": None})

    async def branch(self, request: OfTarget, caller: Caller) -> tuple[Project, str]:
        """Return the project and the branch that are meant: that of a build that is named, or the default branch."""
        target = await self.named(request, caller)
        if target.names_a_build or target.commit:
            pipeline = await self.pipeline(request, caller)
            target = Target(slug=pipeline.project_slug, ref=named_branch_of(pipeline))
        project = await self.project(target.slug or ProjectSlug(""), caller)
        if target.ref and target.ref.is_tag:
            raise UsageError("A tag has too few builds to tell. Name a branch.", given=str(target.ref))
        name = target.ref.name if target.ref else project.default_branch
        await self._check(caller, project.slug, Ref(name=name))
        return project, name

    async def pipeline(self, request: OfTarget, caller: Caller, *, exactly: bool = False) -> Pipeline:
        """Return the one pipeline that is meant: the newest where a branch was named.

        With `exactly` a commit is refused, and a tag without `tag:`, with what to write: others may be meant as well.
        """
        target = await self.named(request, caller)
        found = await self._lookup.build_named(target)
        if found is None and target.slug is None:
            found = await self._circleci.pipeline(await self._followed(caller))
        if found is None:
            return (await self._newest(target, caller, exactly=exactly))[0]
        await self._readable(found, caller)
        if target.ref and found.ref != target.ref:
            raise UsageError(f"#{found.number} is of another branch or tag.", given=str(target.ref))
        if not found.revision.startswith(target.commit):
            raise UsageError(f"#{found.number} is of another commit.", given=target.commit)
        await self._lookup.check_all_of(found, target)
        return found

    async def build(self, pipeline_id: PipelineId, caller: Caller) -> Build:
        """Return a pipeline seen whole, which a button named by its id."""
        with known("pipeline", pipeline_id):
            build = await self._circleci.build(pipeline_id)
        await self._readable(build.pipeline, caller)
        return build

    async def workflows(self, request: OfTarget, caller: Caller) -> Build:
        """Return the build that is meant seen whole; where one workflow was named, with this run of it alone."""
        pipeline = await self.pipeline(request, caller)
        build, named = await self._circleci.whole(pipeline), request.target(self._projects).workflow_id
        if not named:
            return build
        if not build.only(named).runs:  # it ran again since
            build = build.model_copy(update={"runs": await self._circleci.attempts(pipeline.id)})
        if not build.only(named).runs:
            raise NotFound("workflow", named, looked_in=f"#{pipeline.number}")
        return build.only(named)

    async def newest(self, request: OfTarget, caller: Caller) -> tuple[Pipeline, ...]:
        """Return the newest pipelines of a branch, a tag or a commit, newest first; else of the default branch."""
        return await self._newest(await self.named(request, caller), caller)

    async def _newest(self, target: Target, caller: Caller, *, exactly: bool = False) -> tuple[Pipeline, ...]:
        if target.slug is None:
            raise UsageError("Which project?")
        slug, ref = target.slug, target.ref
        await self._check(caller, slug, ref, certain=False)
        if target.commit:
            return await self.of_commit(slug, target.commit, caller, exactly=exactly, named=target.link)
        ref = ref or await self._default(slug, caller)
        found = await self._lookup.of_ref(slug, ref)
        if not found and target.ref:
            found = await self._by_another_name(slug, target.ref, caller, exactly=exactly)
        if not found:
            # CircleCI is not asked for a tag: it is looked for among what ran lately.
            what = "pipeline, among the newest, on the" if ref.is_tag else "pipeline on the"
            raise await self.unknown_ref(slug, ref, caller, what=what)
        await self._readable(found[0], caller)
        return found

    async def newest_of(self, slug: ProjectSlug, ref: Ref, caller: Caller) -> Pipeline | None:
        """Return the newest pipeline of a branch or a tag, if there is one that somebody may see."""
        found = await self._lookup.of_ref(slug, ref)
        return found[0] if found and await self.may_read(caller, slug, ref) else None

    async def newer(self, found: Pipeline, caller: Caller) -> Pipeline | None:
        """Return the newest build of the same branch or tag, if there is a newer one that they may see.

        Who writes in an old thread, or presses on an old message, may mean the branch, and not what became of it then.
        """
        newest = await self.newest_of(found.project_slug, found.ref, caller) if found.ref else None
        return newest if newest and newest.number > found.number else None

    async def of_commit(
        self, slug: ProjectSlug, commit: str, caller: Caller, *, exactly: bool = False, named: str = ""
    ) -> tuple[Pipeline, ...]:
        """Return the pipelines of a commit, of those that ran lately and that somebody may see, newest first."""
        found = await self._lookup.of_commit(slug, commit)
        places = [(slug, one.ref) for one in found]
        readable = await self._permissions.readable(caller, places)
        seen = tuple(one for one, place in zip(found, places, strict=True) if place in readable)
        if not seen:
            raise NotFound("build, among the newest, of the commit", named or commit, looked_in=await self.title(slug))
        if exactly:
            numbers = " or ".join(f"`#{one.number}`" for one in seen[:BUILT_LATELY])
            raise UsageError(f"This is a commit, and I need a build of it: write {numbers}.", given=named or commit)
        return seen

    async def _by_another_name(
        self, slug: ProjectSlug, ref: Ref, caller: Caller, *, exactly: bool
    ) -> tuple[Pipeline, ...]:
        """Return what is meant by a name that no branch has: a tag's without `tag:`, or a commit's beginning."""
        if ref.is_tag:
            return ()
        if found := await self._lookup.of_ref(slug, tag := Ref(name=ref.name, kind="tag")):
            if exactly and await self.may_read(caller, slug, tag):
                raise UsageError("This is a tag, and no branch: write `tag:` before it.", given=ref.name)
            return found
        if not git.may_be_commit(ref.name):
            return ()
        try:
            return await self.of_commit(slug, ref.name, caller, exactly=exactly)
        except NotFound:
            return ()

    async def lately(self, request: OfTarget, caller: Caller) -> tuple[Pipeline, ...]:
        """Return the newest pipelines of what is named; where only a project is, a page of all its branches.

        What somebody may not read is left out, and not counted.
        """
        target = request.target(self._projects)
        if target.slug is None or target.names_more:
            return await self.newest(request, caller)
        project = await self.project(target.slug, caller)
        found = await self._circleci.pipelines(project.slug)
        readable = await self._permissions.readable(caller, [(project.slug, one.ref) for one in found])
        kept = tuple(one for one in found if (project.slug, one.ref) in readable)
        return kept or await self.newest(request, caller)

    async def newest_passed(self, request: OfTarget, caller: Caller) -> Build:
        """Return the newest successful build of a branch: a rerun that passed counts, failed ones are passed over."""
        pipelines = (await self.newest(request, caller))[:MOST_LOOKED_THROUGH]
        for pipeline in pipelines:
            build = await self._circleci.outline(pipeline)
            if build.state is State.PASSED:
                return await self._circleci.whole(pipeline)
        target = await self.named(request, caller)
        named = target.commit or target.ref or pipelines[0].ref or "default branch"
        among = f", among the {len(pipelines)} newest," if len(pipelines) == MOST_LOOKED_THROUGH else ""
        title = await self.title(pipelines[0].project_slug)
        raise NotFound(f"successful build{among} of", str(named), looked_in=title)

    async def job(self, request: OfTarget, caller: Caller) -> tuple[ProjectSlug, int]:
        """Return the project and the number of the job meant: without a number the one that failed in a build."""
        target = request.target(self._projects)
        if target.job_number is None:
            build, named = await self.workflows(request, caller), bool(target.workflow_id)
            return self._failed_job(build if named else await self._as_it_failed(build), named=named)
        slug = target.slug or (await self.pipeline(OfTarget(), caller)).project_slug
        await self.may_read_job(slug, target.job_number, caller)
        if target.names_beside_a_job:
            await self.pipeline(request, caller)
        return slug, target.job_number

    async def _as_it_failed(self, build: Build) -> Build:
        """Return a build of which nothing failed so far and something runs again with what failed of that before.

        Those jobs are meant as long as nobody knows better: of a workflow that has ended its newest run counts.
        """
        failed = any(job.is_failed for run in build.real_runs for job in run.jobs)
        names = {run.workflow.name for run in build.real_runs if run.attempt > 1 and not run.workflow.is_finished}
        if failed or not names:
            return build
        attempts = await self._circleci.attempts(build.pipeline.id)
        earlier = {run.workflow.name: run for run in attempts if run.failed_jobs and run.workflow.name in names}
        return build.model_copy(update={"runs": tuple(earlier.values())}) if earlier else build

    @staticmethod
    def _failed_job(build: Build, *, named: bool) -> tuple[ProjectSlug, int]:
        ran = [job for run in build.real_runs for job in run.jobs if not job.is_approval]
        failed = [one for one in ran if one.is_failed]
        jobs = tuple((job.name, job.job_number) for job in failed or ran if job.job_number is not None)
        slug, number = build.pipeline.project_slug, build.pipeline.number
        if len(jobs) == 1:
            return slug, jobs[0][1]
        problem = which_job(build, build.runs[0].workflow.name if named else "")
        if not jobs:
            raise UsageError(problem)
        raise WhichJob(problem, project=slug, number=number, jobs=jobs, failed=bool(failed))

    async def outlines(self, pipelines: Sequence[Pipeline]) -> list[Build]:
        """Return pipelines with their workflows, but without jobs: one request each.

        Where a newer one of the same branch is among them, it may be what another was cancelled for.
        """
        of_branches = sorted((one for one in pipelines if one.ref and not one.ref.is_tag), key=lambda one: one.number)
        newest = {one.ref: one.number for one in of_branches}
        found = await together(*(self._circleci.outline(pipeline) for pipeline in pipelines))
        return [one.replaced_by(newest.get(one.pipeline.ref, 0)) for one in found]

    async def whole(self, builds: Sequence[Build]) -> list[Build]:
        """Return builds with their jobs."""
        return await together(*(self._circleci.build(one.pipeline.id, one) for one in builds))

    async def followed(self, caller: Caller) -> list[ProjectSlug]:
        """Return the projects that are followed, or have a short name, of those that somebody may see."""
        return [one.slug for one in await self.known_projects(caller)]

    async def known_projects(self, caller: Caller) -> list[Called]:
        """Return the same, each once, with what people call it."""
        found = [
            Called(one.slug if one.vcs_type else ProjectSlug(f"{self._projects.default_vcs}/{one.title}"), one.title)
            for one in await self._circleci.followed_projects()
        ]
        aliased = [ProjectSlug(one.slug) for one in self._projects.projects.values()]
        current = {spelled_alike(one.slug) for one in found}
        found = [*(Called(slug, slug.partition("/")[2]) for slug in aliased), *found]
        once = {spelled_alike(one.slug): one for one in reversed(found)}
        readable = set[tuple[ProjectSlug, Ref | None]]()
        for is_current in (True, False):
            slugs = [one.slug for alike, one in once.items() if (alike in current) is is_current]
            places = [(slug, None) for slug in slugs]
            readable |= await self._permissions.readable(caller, places, is_current=is_current)
        return [one for one in reversed(once.values()) if (one.slug, None) in readable]

    async def has_branch(self, slug: ProjectSlug, name: str) -> bool:
        """Say whether a branch of this name was ever built."""
        return bool(await self._lookup.of_branch(slug, name))

    async def unless_built(self, slug: ProjectSlug, ref: Ref, caller: Caller) -> tuple[str, ...] | None:
        """Return the branches that are spelled almost as one that was never built; None for one that was.

        None too for a tag, the code of a pull request and what somebody may not read.
        """
        if ref.is_tag or ref.pull_request or not await self.may_read(caller, slug, ref):
            return None
        if await self.has_branch(slug, ref.name):
            return None
        return tuple(one for one in await self.built_lately(slug, caller) if are_alike(ref.name, one))

    async def built_lately(self, slug: ProjectSlug, caller: Caller) -> list[str]:
        """Return the branches that were built lately, newest first, of those that somebody may see."""
        return [one.name for one in await self.refs_lately(slug, caller) if not one.is_tag]

    async def refs_lately(self, slug: ProjectSlug, caller: Caller) -> list[Ref]:
        """Return the branches and the tags that were built lately, newest first, of those that somebody may see."""
        refs = [pipeline.ref for pipeline in await self._circleci.pipelines(slug) if pipeline.ref]
        readable = await self._permissions.readable(caller, [(slug, one) for one in refs])
        return list(dict.fromkeys(one for one in refs if (slug, one) in readable))

    async def unknown_ref(self, slug: ProjectSlug, ref: Ref, caller: Caller, *, what: str = "") -> NotFound:
        """Return what names the branches that may be meant beside the unknown one, of those they may see."""
        meant = likely(ref.name, await self.built_lately(slug, caller), BUILT_LATELY)
        kind, title = "tag" if ref.is_tag else "branch", await self.title(slug)
        return NotFound(f"{what} {kind}".strip(), ref.name, looked_in=title, built_lately=meant)

    async def _default(self, slug: ProjectSlug, caller: Caller) -> Ref:
        return Ref(name=(await self.project(slug, caller)).default_branch)

    async def told_in(self, place: Place | None) -> MessageAbout | None:
        """Return of which build the message tells below which somebody speaks: of a branch, of the newest told."""
        if place is None or not place.thread_ts:
            return None
        where = place.channel_id, place.thread_ts
        if (branch := await self._store.subscriptions.of_thread(*where)) is not None and branch.pipeline_id:
            names = {name: getattr(branch, name) for name in MessageAbout.model_fields}
            return MessageAbout.model_validate(names)
        if (about := await self._store.told.of_message(*where)) is None:
            return None
        slug = await self._store.subscriptions.now_called(about.project_slug)
        return about.model_copy(update={"project_slug": slug})

    async def of_thread(self, place: Place | None) -> frozenset[PipelineId]:
        """Return the builds that a thread is about: what its first message tells of, and what it follows beside that.

        A newer build of the same branch that it follows takes the place of what is told; an older one counts no more.
        """
        if place is None or not place.thread_ts:
            return frozenset()
        found = await self._store.watches.of_thread(place.channel_id, place.thread_ts)
        if (told := await self.told_in(place)) is None:
            return found
        kept = [watch for one in sorted(found)[:MOST_LOOKED_THROUGH] for watch in await self._store.watches.of(one)]
        same = [watch for watch in kept if await self._is_of_branch(watch, told)]
        newer = frozenset(watch.pipeline_id for watch in same if watch.pipeline_number > told.number)
        others = frozenset(watch.pipeline_id for watch in kept) - {watch.pipeline_id for watch in same}
        return (newer or frozenset({told.pipeline_id})) | others

    async def _is_of_branch(self, watch: Watch, told: MessageAbout) -> bool:
        """Say whether a thread follows a build of what its message tells of: elsewhere numbers tell nothing."""
        if watch.ref != ref_named(named_in(told.branch)):
            return False
        slugs = [await self._store.subscriptions.now_called(one.project_slug) for one in (watch, told)]
        return spelled_alike(slugs[0]) == spelled_alike(slugs[1])

    async def _followed(self, caller: Caller) -> PipelineId:
        found = await self.of_thread(caller.place)
        if not found:
            raise UsageError(
                "Which project? I know it without a name in the thread of a build, and in a channel that uses one: "
                "`/ci use acme/frontend`, for whoever may deploy."
            )
        if len(found) > 1:
            raise UsageError(f"This thread is about {len(found)} builds. {await self._to_write(found, caller)}")
        return next(iter(found))

    async def _to_write(self, found: Collection[PipelineId], caller: Caller) -> str:
        """Return what to write for one of several builds, of those that somebody may see, newest first."""
        pipelines = await together(*(self._circleci.pipeline(one) for one in sorted(found)[:MOST_LOOKED_THROUGH]))
        seen = [one for one in pipelines if await self.may_read(caller, one.project_slug, one.ref)]
        seen = sorted(seen, key=lambda one: one.created_at, reverse=True)[:BUILT_LATELY]
        names = [f"`{await self.title(one.project_slug)} #{one.number}`" for one in seen]
        return f"Write which one: {' or '.join(names)}." if names else "Write the project, and its number."


def branch_of(pipeline: Pipeline) -> Ref:
    """Return the branch or the tag that a pipeline ran on; raises UsageError where CircleCI does not say."""
    if pipeline.ref is None:
        raise UsageError(f"CircleCI does not say which branch #{pipeline.number} is of. Name the branch.")
    return pipeline.ref


def of_what(pipelines: Sequence[Pipeline]) -> tuple[Ref | None, str]:
    """Return the branch or the tag that all of these ran on, else the commit that they have in common, in short."""
    first = pipelines[0]
    return (first.ref, "") if {one.ref for one in pipelines} == {first.ref} else (None, first.revision[:7])


def not_of_one_workflow(word: str, number: int) -> UsageError:
    """Return what is said where one workflow was named to an act that is about the whole build."""
    problem = f"This link leads to one workflow, and I {word} a build: write `{word}` with `#{number}`."
    return UsageError(problem)


def named_branch_of(pipeline: Pipeline) -> Ref:
    """Return the same as a name that can be typed; raises UsageError for the code of a fork that has none."""
    ref = branch_of(pipeline)
    if not ref.is_proper:
        ways = "Name a branch, or `pull/<number>` for the code of a pull request."
        raise UsageError(f"#{pipeline.number} is of a fork, and CircleCI tells no pull request of it. {ways}")
    return ref
