"""A build of API v1.1 in the shape of v2: a pipeline of one workflow with one job.

Its retries, which have numbers of their own, are further attempts of that workflow. So watching, reports, retry and
cancel are the same for both generations.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from bot.circleci.choice import Realm
from bot.models.build import Run
from bot.models.circleci import (
    Author,
    Commit,
    Job,
    JobDetails,
    Pipeline,
    PipelineId,
    ProjectSlug,
    Vcs,
    Workflow,
    WorkflowId,
)
from bot.models.classic import BuildSummary
from bot.models.slugs import spelled_alike

PREFIX = "classic:"
PUSHED = ("github", "bitbucket")  # why a build began; whom else it names has not pushed it
# How API v1.1 says what v2 does, https://circleci.com/docs/api/v1/#build-status ; the rest is spelled alike.
_WORKFLOW_STATUS = {
    "fixed": "success",
    "no_tests": "success",
    "timedout": "failed",
    "infrastructure_fail": "failed",
    "scheduled": "queued",
    "not_running": "queued",
    "retried": "failed",
}


class Place(NamedTuple):
    """The project and the number that an id of ours stands for."""

    slug: ProjectSlug
    number: int


def realm(classic: Collection[str]) -> Realm:
    """Return what API v1.1 answers for: the projects named, and the ids made here."""
    spelled = frozenset(map(spelled_alike, classic))
    return Realm(lambda slug: spelled_alike(slug) in spelled, PREFIX)


def is_alike(slug: str, other: str) -> bool:
    """Say whether both are slugs of one project: its code host, and any case."""
    return spelled_alike(slug) == spelled_alike(other)


def id_of(slug: str, number: int) -> PipelineId:
    """Return the id of ours for a build."""
    return PipelineId(f"{PREFIX}{slug}:{number}")


def place_of(identity: str) -> Place:
    """Return what such an id stands for."""
    slug, _, number = identity.removeprefix(PREFIX).rpartition(":")
    return Place(ProjectSlug(slug), int(number))


def retries(first: BuildSummary, others: Sequence[BuildSummary]) -> list[BuildSummary]:
    """Return a build and its retries, and theirs, oldest first."""
    chain = [first]
    for build in sorted(others, key=lambda one: one.build_num):
        if build.retry_of == chain[-1].build_num:
            chain.append(build)
    return chain


def pipeline(slug: ProjectSlug, build: BuildSummary) -> Pipeline:
    """Return a build as a pipeline."""
    author = Author(email=build.author_email) if build.why in PUSHED else None
    vcs = Vcs(
        branch="" if build.vcs_tag else build.branch,
        tag=build.vcs_tag,
        revision=build.vcs_revision,
        commit=Commit(subject=build.subject, author=author),
    )
    created = build.queued_at or build.start_time or datetime.now(UTC)
    return Pipeline(
        id=id_of(slug, build.build_num),
        number=build.build_num,
        project_slug=slug,
        state="created",
        created_at=created,
        vcs=vcs,
    )


def run(slug: ProjectSlug, build: BuildSummary, attempt: int) -> Run:
    """Return a build as the `attempt`-th run of its workflow."""
    return Run(workflow=_workflow(slug, build), jobs=(_job(slug, build),), attempt=attempt)


def details(slug: str, build: BuildSummary) -> JobDetails:
    """Return a build as a job's details."""
    reference = {"id": id_of(slug, build.build_num)}
    found = {"name": build.job_name, "number": build.build_num, "status": build.status, "pipeline": reference}
    return JobDetails.model_validate(found)


def _workflow(slug: ProjectSlug, build: BuildSummary) -> Workflow:
    status = "canceled" if build.outcome == "canceled" else _WORKFLOW_STATUS.get(build.status, build.status)
    return Workflow(
        id=WorkflowId(id_of(slug, build.build_num)),
        name="build",
        status=status,
        created_at=build.queued_at or build.start_time or datetime.now(UTC),
        stopped_at=build.stop_time,
    )


def _job(slug: ProjectSlug, build: BuildSummary) -> Job:
    status = {"fixed": "success", "no_tests": "success", "scheduled": "queued"}.get(build.status, build.status)
    started: Mapping[str, object] = {"started_at": build.start_time, "stopped_at": build.stop_time}
    identity = {"id": id_of(slug, build.build_num), "name": build.job_name, "job_number": build.build_num}
    return Job.model_validate({**identity, "status": status, **started})
