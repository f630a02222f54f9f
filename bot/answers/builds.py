"""Builds that were looked up, and what can be done with them."""

from typing import Literal

from pydantic import Field

from bot.answers import Answer, Found
from bot.models import spelling
from bot.models.attempt import ParameterValue
from bot.models.build import Build, Report
from bot.models.circleci import JobDetails, Pipeline, ProjectSlug, Ref
from bot.triage.diagnosis import Triage


class BuildShown(Found):
    """One build in full; `newer_number` is a newer one of its branch, where something of this one can be done."""

    title: str
    build: Build
    newer_number: int = 0


class NewestBuilds(Found):
    """The newest builds of a branch or a tag, newest first, their jobs left out."""

    title: str
    builds: tuple[Build, ...]


class BuildTriaged(Found):
    """A finished build with the evidence of its failure; `triage` is what earlier builds tell, if they were asked.

    `newer_number` is a newer one of its branch, where this one can run again.
    """

    title: str
    build: Build
    report: Report
    triage: Triage | None = None
    newer_number: int = 0


class Evidence(Answer):
    """What was found out about a build that ended; `shown` is the part of it that somebody asks for."""

    build: Build
    report: Report
    shown: Literal["log", "tests", "artifacts"]


class OnHold(Found):
    """What waits for an approval: `build` is the one that was named, or the newest that was looked at.

    Of the newest builds of `ref` or of a `commit`, of all branches without either, so many were `looked_at`, 0 where
    one was named. Those with jobs that wait are `waiting`, newest first; where `workflow_id` was named, of that alone.
    `newer_number` is a newer build of the branch of the one that was named.
    """

    title: str
    build: Build
    waiting: tuple[Build, ...] = ()
    ref: Ref | None = None
    commit: str = ""
    looked_at: int = 0
    newer_number: int = 0
    workflow_id: str = ""


class BuildMeant(Answer):
    """Nothing is deployed yet: a build was named, and branches and tags are what can be deployed; `ref` may be meant.

    Without a `number` no branch was named beside the parameters. `newest_number` is what was built of it since.
    """

    project_slug: ProjectSlug
    title: str
    ref: Ref
    number: int = 0
    revision: str = ""
    newest_number: int = 0
    newest_revision: str = ""
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    definition: str = ""

    @property
    def typed(self) -> str:
        """The command that deploys it."""
        return spelling.deploy(self.project_slug, self.ref, self.parameters, self.definition)


class Cancellable(Answer):
    """The newest builds that were asked about, of which some may run: each can be cancelled.

    They are those of `ref`, of all branches without one; `is_named` says that it is one build that was named, and
    `newer_number` is a newer one of its branch, where a thread named it.
    """

    title: str
    builds: tuple[Build, ...]
    ref: Ref | None = None
    commit: str = ""
    is_named: bool = False
    newer_number: int = 0


class NothingFailed(Answer):
    """A build that was to run again from what failed in it, and nothing did: all of it may run again.

    `newer_number` is a newer one of its branch, where this one was named.
    """

    title: str
    build: Build
    newer_number: int = 0


class OldBuild(Answer):
    """Nothing is done yet: `build` is the one that is meant, and `newer` is the newest of its branch or tag.

    `act` is what was asked for. `attempt` marks the one of the build that was shown, `approval_request_id` is of the
    job to approve; `ssh` says how it is to run again, and `workflows` which alone, where not all.
    """

    title: str
    build: Build
    newer: Build
    act: Literal["rerun_failed", "rerun_all", "approve"]
    attempt: str = ""
    approval_request_id: str = ""
    ssh: bool = False
    workflows: tuple[str, ...] = ()


class FollowedHere(Answer):
    """None or several of the newest builds are followed for who asks, there, of which one is to be so no more.

    So many of `ref`, of all branches without one, were `looked_at`.
    """

    title: str
    pipelines: tuple[Pipeline, ...]
    ref: Ref | None = None
    looked_at: int = 0


class CancellableJob(Answer):
    """One job, which can be cancelled if it has not ended, and the build it is of, where CircleCI says so."""

    project_slug: ProjectSlug
    job: JobDetails
    title: str
    pipeline: Pipeline | None
