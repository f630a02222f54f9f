"""Builds as agents read them: the newest of a branch, one in full."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from bot.answers.builds import BuildShown, NewestBuilds
from bot.models.build import OPEN_STATES, Build, Run, State
from bot.models.circleci import FAILED_JOB_STATUSES, RUNNING_JOB_STATUSES, Job
from formatters.builds import LEAST_WAIT, queue_time
from formatters.links import Links
from formatters.told.words import (
    LISTED,
    OF_BUILD,
    SAID,
    Data,
    address,
    call,
    commit_of,
    fitted,
    known,
    listing,
    of_build,
    of_ref,
    person,
    quoted,
    ref_of,
    span,
    state_word,
    when,
)
from formatters.words import so_far, took

MOST_JOBS, MOST_ERRORS, MOST_FAILED = 30, 3, 5
FOLLOWS = "answers when it changes"


def head(build: Build, links: Links) -> Data:
    """Return which build it is, how it stands and since when."""
    pipeline = build.pipeline
    lasts = took(build) if build.stopped_at else so_far(build.elapsed)
    return known(
        pipeline=pipeline.number,
        state=state_word(build.state),
        **ref_of(pipeline.ref),
        **commit_of(pipeline.revision, pipeline.subject),
        started=when(build.started_at),
        lasted=lasts if build.runs else "",
        superseded_by=build.superseded_by,
        link=address(links.pipeline(pipeline.project_slug, pipeline.number)),
    )


def newest(answer: NewestBuilds, links: Links) -> Data:
    """Return the newest builds, newest first."""
    first = answer.builds[0]
    of_one = len({str(one.pipeline.ref) for one in answer.builds}) == 1
    said = {**(ref_of(first.pipeline.ref) if of_one else {}), **_link(first, links), "order": "newest first"}

    def made(room: int) -> Data:
        shown = listing("builds", answer.builds, room, lambda build: _outline(build, links, of_one=of_one))
        return {"quoted_project": quoted(answer.title), **said, **shown, "next": following(first)}

    return fitted(made, LISTED)


def _link(build: Build, links: Links) -> Data:
    return known(link_of_newest=address(links.pipeline(build.pipeline.project_slug, build.pipeline.number)))


def _outline(build: Build, links: Links, *, of_one: bool) -> Data:
    """Return a build in short: what they have in common, and addresses, are said once."""
    once = {"link", *(("quoted_branch", "quoted_tag") if of_one else ())}
    red = [run.workflow.name for run in build.real_runs if run.workflow.status in ("failed", "failing", "error")]
    told = {name: one for name, one in head(build, links).items() if name not in once}
    return told | known(quoted_failed_workflows=[quoted(one) for one in red[:MOST_FAILED]])


def shown(answer: BuildShown, links: Links) -> Data:
    """Return one build with its workflows and jobs, those first that somebody looks for."""
    build, jobs = answer.build, [(run, job) for run in answer.build.runs for job in run.jobs]
    first = sorted(jobs, key=lambda pair: _place(pair[1]))
    errors = build.pipeline.errors

    def made(room: int) -> Data:
        said = listing(
            "quoted_errors", errors, min(room, MOST_ERRORS), lambda one: quoted(f"{one.type}: {one.message}", SAID)
        )
        workflows = listing("workflows", build.runs, min(room, 10), _workflow)
        told = listing("jobs", first, min(room, MOST_JOBS), partial(_job, build))
        left = Counter(_word(job.status) for _, job in first[len(told.get("jobs", ())) :])
        rest = {"jobs_left_out_by_status": dict(left)} if told.get("jobs_left_out") else {}
        return {
            "quoted_project": quoted(answer.title),
            **head(build, links),
            **(said if errors else {}),
            **workflows,
            **told,
            **rest,
            **known(newer_pipeline=answer.newer_number or None),
            "next": following(build, answer.newer_number),
        }

    return fitted(made, OF_BUILD)


def _workflow(run: Run) -> Data:
    workflow = run.workflow
    lasted = span(workflow.stopped_at - workflow.created_at) if workflow.stopped_at else ""
    attempt = run.attempt if run.attempt > 1 else None
    return known(quoted_workflow=quoted(workflow.name), status=_word(workflow.status), attempt=attempt, lasted=lasted)


def _job(build: Build, pair: tuple[Run, Job]) -> Data:
    run, job = pair
    began = job.started_at is not None and not job.is_approval
    waited = queue_time(job, run) if began else None
    return known(
        quoted_job=quoted(build.called(job, run)),
        job=job.job_number,
        status=_word(job.status),
        lasted=span((job.stopped_at or build.read_at) - job.started_at) if job.started_at and began else "",
        waited_for_a_machine=span(waited) if waited and waited >= LEAST_WAIT else "",
    )


def _word(status: str) -> str:
    """Return a status, which is CircleCI's own word."""
    return quoted(status, 40)


def _place(job: Job) -> int:
    first: Sequence[frozenset[str]] = (FAILED_JOB_STATUSES, RUNNING_JOB_STATUSES, frozenset({"on_hold"}))
    return next((place for place, statuses in enumerate(first) if job.status in statuses), len(first))


def following(build: Build, newer: int = 0) -> list[Data]:
    """Return what can be done next with a build, by how it stands; of an old one nothing is run again."""
    named, number = of_build(build), build.pipeline.number
    match build.state:
        case State.FAILED | State.CANCELED | State.COULD_NOT_RUN if newer:
            whys = [call("triage", "what failed", **named)] if build.state is State.FAILED else []
            return [newest_first(build, newer), *whys]
        case State.ON_HOLD:
            does = f"approves what waits: /ci approve {build.pipeline.project_slug} #{number}"
            return [person(does), call("follow", FOLLOWS, **named)]
        case State.FAILED:
            return [call("triage", "what failed, and is it new", **named), call("rerun", "the failed jobs", **named)]
        case one if one in OPEN_STATES and not build.never_began:
            return [call("follow", FOLLOWS, **named), call("cancel", **named)]
        case State.COULD_NOT_RUN | State.CANCELED if build.pipeline.ref:
            return [call("deploy", "a new pipeline", project=named["project"], **of_ref(build.pipeline.ref))]
        case _:
            return [call("artifacts", **named)]


def newest_first(build: Build, newer: int) -> Data:
    """Return the look at a newer build of the same branch, which decides: what failed before may be over by now."""
    why = f"#{newer} is newer, of the same branch"
    return call("status", why, project=build.pipeline.project_slug, pipeline=newer)


def every_job(build: Build) -> Data:
    """Return the look at all jobs of a build, those first that failed, each with its number."""
    return call("status", "its jobs by `job`, for `tests`, `logs` and `artifacts`", **of_build(build))
