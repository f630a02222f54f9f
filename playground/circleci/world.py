"""CircleCI's state and rules, no HTTP: projects, pipelines, and what people and the clock do to them."""

import hashlib
import itertools
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from playground.circleci.past import BACKEND_PAST, FRONTEND_PAST, PastPlan, scenario_of
from playground.circleci.pipelines import AUTO_RERUN_PAUSE, CANCEL_TAKES, Json, Pipeline, Run
from playground.circleci.scenarios import (
    CLI_FAILED,
    CLI_FLAKY,
    CLI_RELEASE,
    LEGACY,
    LEGACY_SLOW,
    SCENARIOS,
    Scenario,
    WorkflowPlan,
)
from playground.clock import Clock

FEW = 100  # pipelines that are looked through whenever anybody asks
TERMINAL = frozenset({"success", "failed", "error", "canceled", "unauthorized", "not_run"})


class Refused(Exception):
    """CircleCI says no: a status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class Project:
    """A project; each branch or tag names the scenario its pipelines play."""

    slug: str
    id: str
    name: str
    organization: str
    default_branch: str
    branches: dict[str, Scenario]
    tags: dict[str, Scenario]
    definitions: dict[str, str] = field(default_factory=dict)
    classic: bool = False


class World:
    """The one source of truth behind every face of the pretend CircleCI."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.projects: dict[str, Project] = {}
        self.pipelines: list[Pipeline] = []
        self.history: list[Pipeline] = []
        self._runs: dict[str, tuple[Pipeline, Run]] = {}
        self._ticks_again = 0.0
        self._ids = itertools.count(1)
        self._pipeline_numbers = itertools.count(2417)
        self._job_numbers = itertools.count(1842)
        # Numbers count in each project for itself. Those of the past are lower than today's, but for a very long one.
        self._past_pipelines: dict[str, itertools.count[int]] = {}
        self._past_jobs = itertools.count(1801)
        self._other_past_jobs = itertools.chain(range(1001, 1801), itertools.count(100_001))

    def add_project(
        self,
        slug: str,
        *,
        name: str = "",
        default_branch: str = "main",
        branches: Mapping[str, str | Scenario],
        tags: Mapping[str, str | Scenario] | None = None,
        definitions: Sequence[str] = (),
        classic: bool = False,
    ) -> Project:
        """Add a project; `name` is needed where the slug does not say it. A `classic` one is not known to API v2."""
        organization, _, title = (name or slug.partition("/")[2]).partition("/")
        known = {ref: _scenario(chosen) for ref, chosen in branches.items()}
        tagged = {ref: _scenario(chosen) for ref, chosen in (tags or {}).items()}
        named = {self._id("definition"): one for one in definitions}
        project = Project(slug, self._id("project"), title, organization, default_branch, known, tagged, named, classic)
        self.projects[slug] = project
        return project

    def set_scenario(self, slug: str, branch: str, scenario: Scenario | str) -> None:
        """Let the next pipelines of a branch play another scenario."""
        self.projects[slug].branches[branch] = _scenario(scenario)

    def trigger(
        self,
        slug: str,
        *,
        branch: str | None = None,
        tag: str | None = None,
        parameters: Json,
        by: str = "bot",
        revision: str = "",
    ) -> Pipeline:
        """Start a pipeline, as the API does with the head of a branch, or a push with a `revision` of its own."""
        project = self.projects[slug]
        branch = branch or (None if tag else project.default_branch)
        scenario = project.tags.get(tag or "") if tag else project.branches.get(branch or "")
        if scenario is None:
            raise Refused(400, "Tag not found" if tag else "Branch not found")
        revision = revision or hashlib.sha1(f"{slug}:{branch}:{tag}".encode(), usedforsecurity=False).hexdigest()
        number, now = next(self._pipeline_numbers), self.clock.now()
        pipeline = Pipeline(
            self._id("pipeline"), number, slug, now, scenario, branch, tag, revision, dict(parameters), by
        )
        pipeline.runs = [self._run(plan, pipeline) for plan in scenario.workflows]
        self.pipelines.append(pipeline)
        return pipeline

    def past(
        self, slug: str, branch: str, scenario: Scenario, *, ago: timedelta, rerun: bool = False, revision: str = ""
    ) -> Pipeline:
        """Add a pipeline that somebody pushed long ago, and ran again if it says so; its numbers are older too."""
        created = self.clock.now() - ago
        short = slug == "gh/acme/cli"
        numbers = self._past_pipelines.setdefault(slug, itertools.count(2401 if short else 1801))
        number = next(numbers)
        jobs = self._past_jobs if short else self._other_past_jobs
        pipeline = Pipeline(
            self._id("pipeline"),
            number,
            slug,
            created,
            scenario,
            branch,
            None,
            revision or hashlib.sha1(f"{slug}:{number}".encode(), usedforsecurity=False).hexdigest(),
            {},
            "push",
        )
        pipeline.runs = [self._run(plan, pipeline) for plan in scenario.workflows]
        if rerun:
            plan = scenario.again(scenario.workflows[0].name)
            pipeline.runs.append(Run(self._id("workflow"), plan, created + ago / 3, self._job_ids(plan)))
        for run in pipeline.runs:
            started = [job.name for job in run.plan.jobs if run.start(job) is not None]
            run.job_numbers = {name: next(jobs) for name in started}
        self.history.append(pipeline)
        return pipeline

    @property
    def everything(self) -> list[Pipeline]:
        """All pipelines, oldest first; `history` was there before anybody came."""
        return [*self.history, *self.pipelines]

    def next_job_number(self) -> int:
        """Return the number of the next job that starts."""
        return next(self._job_numbers)

    def cancel(self, workflow_id: str, *, by: str | None) -> None:
        """Cancel a workflow; it takes effect a moment later, and not at all once it has ended."""
        run = self.run(workflow_id)
        if run.status(self.clock.now()) in TERMINAL:
            raise Refused(400, "Workflow is already in a terminal state.")
        run.canceled_at, run.canceled_by = self.clock.now() + CANCEL_TAKES, by

    def rerun(self, workflow_id: str, *, ssh: bool = False) -> Run:
        """Run a finished workflow again, in the same pipeline."""
        run, pipeline = self.run(workflow_id), self.pipeline_of(workflow_id)
        if run.status(self.clock.now()) not in TERMINAL:
            raise Refused(400, "Workflow must be in a terminal state to be rerun.")
        plan = pipeline.scenario.again(run.plan.name)
        new = Run(self._id("workflow"), plan, self.clock.now(), self._job_ids(plan), ssh=ssh)
        pipeline.runs.append(new)
        return new

    def approve(self, workflow_id: str, approval_id: str) -> None:
        """Let a held job go on."""
        run = self.run(workflow_id)
        name = next((name for name, job_id in run.job_ids.items() if job_id == approval_id), None)
        if name is None or run.status_of(run.job(name), self.clock.now()) != "on_hold":
            raise Refused(400, "Job is not on hold.")
        run.approvals[name] = self.clock.now()

    def tick(self) -> None:
        """Do what happens by itself: automatic reruns, a newer pipeline that cancels, numbers of started jobs.

        With thousands of pipelines this takes a while, and is done less often.
        """
        began = time.monotonic()
        if len(self.pipelines) > FEW and began < self._ticks_again:
            return
        self._tick()
        took = time.monotonic() - began
        self._ticks_again = began + 10 * took if took > 0.005 else 0

    def _tick(self) -> None:
        now = self.clock.now()
        for pipeline in list(self.pipelines):
            self._supersede(pipeline)
            for run in list(pipeline.runs):
                self._rerun_itself(pipeline, run)
                for job in run.plan.jobs:
                    numbered = job.name in run.job_numbers
                    if not numbered and run.status_of(job, now) not in ("blocked", "queued", "not_run"):
                        run.job_numbers[job.name] = next(self._job_numbers)

    def run(self, workflow_id: str) -> Run:
        """Return a workflow's run."""
        return self._found(workflow_id)[1]

    def pipeline_of(self, workflow_id: str) -> Pipeline:
        """Return the pipeline a workflow belongs to."""
        return self._found(workflow_id)[0]

    def _found(self, workflow_id: str) -> tuple[Pipeline, Run]:
        if workflow_id not in self._runs:
            self._runs = {run.id: (pipeline, run) for pipeline in self.everything for run in pipeline.runs}
        if workflow_id not in self._runs:
            raise Refused(404, "Workflow not found")
        return self._runs[workflow_id]

    def _supersede(self, pipeline: Pipeline) -> None:
        after = pipeline.scenario.superseded_after
        if after is None or pipeline.superseded:
            return
        due = pipeline.created_at + timedelta(seconds=after)
        if self.clock.now() >= due:
            pipeline.superseded = True
            self.set_scenario(pipeline.slug, pipeline.branch or "", "green")
            self.trigger(pipeline.slug, branch=pipeline.branch, parameters={}, by="push")
            for run in pipeline.runs:
                # Whoever looks late, since time runs fast, sees it cancelled in time.
                run.canceled_at = due if run.stopped_at(self.clock.now()) else self.clock.now()

    def _rerun_itself(self, pipeline: Pipeline, run: Run) -> None:
        if run.auto_rerun_number >= run.plan.max_auto_reruns:
            return
        stopped = run.stopped_at(self.clock.now())
        newest = not any(one is not run and one.plan.name == run.plan.name for one in pipeline.runs)
        if stopped and newest and run.status(self.clock.now()) == "failed":
            due = stopped + AUTO_RERUN_PAUSE
            if self.clock.now() >= due:
                plan = pipeline.scenario.again(run.plan.name)
                again = Run(self._id("workflow"), plan, due, self._job_ids(plan), run.auto_rerun_number + 1)
                pipeline.runs.append(again)

    def _run(self, plan: WorkflowPlan, pipeline: Pipeline) -> Run:
        created = pipeline.created_at + timedelta(seconds=plan.starts_after)
        return Run(self._id("workflow"), plan, created, self._job_ids(plan))

    def _job_ids(self, plan: WorkflowPlan) -> dict[str, str]:
        return {job.name: self._id("job") for job in plan.jobs}

    def _id(self, kind: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind}:{next(self._ids)}"))


def _scenario(chosen: str | Scenario) -> Scenario:
    return SCENARIOS[chosen] if isinstance(chosen, str) else chosen


def write_past(
    world: World,
    slug: str,
    branch: str,
    plans: Sequence[PastPlan],
    *,
    workflow: str = "build-test",
    job: str = "test",
) -> None:
    """Give a branch a past, a build every three hours, the last of them three hours ago."""
    for place, plan in enumerate(plans):
        ago = timedelta(hours=3 * (len(plans) - place))
        scenario = scenario_of(plan, workflow=workflow, job=job)
        world.past(slug, branch, scenario, ago=ago, rerun=len(plan.failing) > 1, revision=plan.revision)


def write_frontend_past(world: World) -> None:
    """Let acme/frontend have been built before: what fails there today failed, or did not, in forty builds."""
    write_past(world, "gh/acme/frontend", "main", FRONTEND_PAST, workflow="build-test-deploy", job="unit-tests")


def default_world(clock: Clock) -> World:
    """Return a world in which each scenario can be tried by the name of a branch."""
    world = World(clock)
    tries = {f"try/{name}": name for name in SCENARIOS}
    branches = {"main": "green", "release/v2.0": "failing-tests", "hold/prod": "on-hold", **tries}
    world.add_project("gh/acme/frontend", branches=branches, tags={"v2.0": "green"})
    world.add_project("gh/acme/backend", branches={"main": "green", **tries})
    world.add_project(
        "gh/acme/legacy", branches={"main": LEGACY, "slow": LEGACY_SLOW}, tags={"v1": LEGACY}, classic=True
    )
    world.add_project("gh/acme/cli", branches={"main": "green"})
    write_past(world, "gh/acme/backend", "main", BACKEND_PAST)
    world.past("gh/acme/cli", "main", CLI_RELEASE, ago=timedelta(hours=9))
    world.past("gh/acme/cli", "main", CLI_FLAKY, ago=timedelta(hours=6), rerun=True)
    world.past("gh/acme/cli", "main", CLI_FAILED, ago=timedelta(hours=2))
    world.add_project(
        "circleci/5e0c5f62/9f1c2d7a", name="acme/mobile", branches=branches, definitions=("build", "nightly")
    )
    return world
