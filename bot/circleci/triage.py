"""Reads what a diagnosis needs: the branch, the base, the results of the jobs that failed."""

import asyncio
from datetime import timedelta

from bot.circleci.history import History
from bot.circleci.reads import Reads
from bot.models.build import Build, Report, State
from bot.models.circleci import ProjectSlug
from bot.models.history import Extent, Fewer, Lane, PastBuild
from bot.triage.diagnosis import Looked, Triage, diagnose
from bot.triage.transitions import transition
from bot.triage.turning import fewer_tests

MOST_JOBS = 4  # that turned green, whose tests are counted
OF_BRANCH = 10  # earlier builds of a branch beside its base: what is new there is seen in few


async def triage(circleci: Reads, history: History, build: Build, report: Report, *, last: int) -> Triage:
    """Return what the `last` builds before tell about a finished one; raises a CircleCIError where none can be read."""
    pipeline = build.pipeline
    slug, ref = pipeline.project_slug, pipeline.ref
    base_name = (await circleci.project(slug)).default_branch
    branch = ref.name if ref and not ref.is_tag else None
    if build.state is not State.FAILED:
        return await _turned(history, build, branch, base_name, last=last)
    on_base = branch == base_name
    base = await history.builds(slug, base_name, last, before=pipeline.number if on_base else None)
    apart = branch is not None and not on_base
    here = await history.builds(slug, branch or "", min(last, OF_BRANCH), before=pipeline.number) if apart else ()
    today = await history.build(pipeline, build) or PastBuild(pipeline=pipeline, runs=build.real_runs)
    names = {one.job.name for one in report.jobs if one.failed_tests}
    others = {one.job.name for one in report.jobs} | {job.name for job in report.jobs_left_out}
    tested = await history.tests(slug, [today, *here, *base], names, if_failed=others)
    usual: dict[str, timedelta] = {}
    for one in report.jobs:
        lane, past = Lane(one.workflow_name, one.job.name), [*base, *here]
        if one.step and (time := await history.usual_step_time(slug, lane, one.step.name, past)):
            usual[one.job.id] = time
    looked = Looked(base_name, base, here, today, tested.results, on_base, tested.unread, usual)
    # Hundreds of tests in dozens of builds take a while, and others wait for the loop.
    return await asyncio.to_thread(diagnose, build, report, looked)


async def _turned(history: History, build: Build, branch: str | None, base_name: str, *, last: int) -> Triage:
    """Look back only as far as needed to say whether it is repaired, and since when it had been red."""
    slug, number = ProjectSlug(build.pipeline.project_slug), build.pipeline.number
    before: tuple[PastBuild, ...] = ()
    for many in (1, min(last, OF_BRANCH)):
        before = await history.builds(slug, branch, many, before=number) if branch else ()
        if not before or not before[0].is_red:
            break
    fewer = await _fewer(history, build, before[0] if before and before[0].is_red else None)
    extent = Extent(base=base_name, builds=len(before))
    return Triage(extent=extent, transition=transition(build, before), fewer=fewer)


async def _fewer(history: History, build: Build, before: PastBuild | None) -> tuple[Fewer, ...]:
    """Say of what turned green whether as many tests say so as said that it was red."""
    if build.state is not State.PASSED:
        return ()
    today = await history.build(build.pipeline, build)  # it is kept for the comparisons after it
    if today is None or (before is None and all(run.attempt == 1 for run in build.real_runs)):
        return ()
    ends = [one for one in (today, before) if one is not None]
    names = {job.name for one in ends for job in one.jobs if job.is_failed}
    tested = await history.tests(build.pipeline.project_slug, ends, sorted(names)[:MOST_JOBS])
    return fewer_tests(today, before, tested.results)
