"""Each answer that a tool may give, full of whatever strangers wrote, and as large as anybody wants it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.answers import Answer, File
from bot.answers.acts import Acted, NotSentYet
from bot.answers.branches import FlakyTests, WhyRed
from bot.answers.builds import (
    BuildMeant,
    BuildShown,
    BuildTriaged,
    Cancellable,
    CancellableJob,
    NewestBuilds,
    NothingFailed,
    OldBuild,
)
from bot.answers.jobs import Artifacts, ArtifactTooLarge, JobSteps, NoLog, StepLog, TestResults, Unread
from bot.answers.lists import FollowedProjects, ProjectResult, RecentBuilds
from bot.answers.locks import Locks
from bot.answers.people import PolicyDecision
from bot.answers.questions import BranchIsRed, SecondPerson, StillRuns, ToBeTyped, WhichDefinition
from bot.models.attempt import Attempt
from bot.models.audit import Entry
from bot.models.beside import Beside
from bot.models.build import Build, FailingStep, JobReport, Report, Run
from bot.models.caller import Caller, Place
from bot.models.circleci import (
    Artifact,
    ClassicBuild,
    Definition,
    JobDetails,
    Pipeline,
    ProjectSlug,
    Ref,
    TestResult,
    Workflow,
)
from bot.models.classic import BuildSummary
from bot.models.history import Advice, Extent, Fewer, Flake, Insight, PastBuild, Seen, Transition, Turn, Turned
from bot.models.jobs import Job
from bot.models.lock import Lock
from bot.models.pending import Deployment, Pending
from bot.policy import Elsewhere
from bot.triage.diagnosis import Triage, failure_id
from bot.triage.verdicts import Kind, Verdict

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SLUG = ProjectSlug("gh/acme/backend")
TITLE = "acme/backend"


class Answers:
    """Makes answers in which each text of a stranger's is `text`, and each list has `many` entries."""

    def __init__(self, text: str, many: int = 3, failures: int = 0) -> None:
        self.text, self.many, self.failures = text, many, failures or many
        self.ref = Ref(name=text)

    def every(self) -> list[Answer]:
        """Return one of each kind, and of some several."""
        return [
            BuildShown(title=self.text, build=self.build("failed"), newer_number=9),
            BuildShown(title=self.text, build=self.build("on_hold")),
            BuildShown(title=self.text, build=self.build("running")),
            BuildShown(title=self.text, build=self.build("success")),
            BuildShown(title=self.text, build=self.build("failed", errors=True)),
            NewestBuilds(title=self.text, builds=(self.build("failed"),) * 5),
            self.triaged(),
            self.triaged(tests=False),
            self.tests(),
            self.tests(job=True),
            self.steps(),
            self.log(),
            NoLog(project_slug=SLUG, job_name=self.text, job_number=7, steps=(self.text,) * self.many),
            NoLog(project_slug=SLUG, job_name=self.text, job_number=7, has_begun=False),
            self.artifacts(),
            ArtifactTooLarge(artifact=self.artifact(), megabytes=1),
            File(name=self.text, content=b"x"),
            self.why_red(),
            self.flaky(),
            self.projects(),
            RecentBuilds(builds=(self.recent(),) * self.many),
            Locks(locks=(self.lock(),) * self.many, unread=("k",), read_at=NOW, elsewhere=2),
            self.policy(),
            self.acted(),
            self.build_meant(),
            NothingFailed(title=self.text, build=self.build("success"), newer_number=9),
            OldBuild(title=self.text, build=self.build("failed"), newer=self.build("success", 9), act="rerun_all"),
            Cancellable(title=self.text, builds=(self.build("running"),) * min(self.many, 20), ref=self.ref),
            Cancellable(title=self.text, builds=(self.build("success"),)),
            CancellableJob(project_slug=SLUG, job=self.details(), title=self.text, pipeline=self.pipeline()),
            NotSentYet(deploys=(self.attempt(),) * self.many),
            WhichDefinition(pending=self.pending(), definitions=(self.definition(),) * self.many),
            BranchIsRed(pending=self.pending(), build=self.build("failed"), could=(self.text,) * self.many),
            BranchIsRed(pending=self.pending(), is_hidden=True),
            StillRuns(pending=self.pending(), others=(Beside(asked=self.attempt()),) * self.many),
            ToBeTyped(pending=self.pending()),
            SecondPerson(pending=self.pending()),
        ]

    def pipeline(self, number: int = 7, *, errors: bool = False) -> Pipeline:
        vcs = {"branch": self.text, "revision": "ab" * 20, "commit": {"subject": self.text}}
        vcs |= {"origin_repository_url": "https://github.com/acme/backend"}
        said = [{"type": "config", "message": self.text}] * self.many if errors else []
        known = {"id": f"p{number}", "number": number, "project_slug": SLUG, "created_at": NOW}
        return Pipeline.model_validate({**known, "vcs": vcs, "errors": said, "state": "created"})

    def build(self, status: str, number: int = 7, *, errors: bool = False) -> Build:
        ended = None if status in ("running", "on_hold") else NOW + timedelta(minutes=3)
        of_job = {"failed": "failed", "running": "running", "on_hold": "on_hold"}.get(status, "success")
        workflow = {"id": "w", "name": self.text, "status": status, "created_at": NOW, "stopped_at": ended}
        jobs = tuple(self.job(of_job, at) for at in range(self.many))
        run = Run(workflow=Workflow.model_validate(workflow), jobs=jobs, attempt=2)
        runs = () if errors else (run,)
        return Build(pipeline=self.pipeline(number, errors=errors), runs=runs, read_at=NOW + timedelta(minutes=4))

    def job(self, status: str, number: int = 1) -> Job:
        known = {"id": f"j{number}", "name": self.text, "status": status, "job_number": number + 1}
        times = {"started_at": NOW + timedelta(seconds=30), "stopped_at": NOW + timedelta(minutes=2)}
        return Job.model_validate({**known, **times})

    def test(self, number: int = 1) -> TestResult:
        known = {"name": f"{self.text}{number}", "classname": self.text, "file": self.text, "result": "failure"}
        return TestResult.model_validate({**known, "message": f"{self.text}\nassert 1 == 2", "run_time": 1.5})

    def triaged(self, *, tests: bool = True) -> BuildTriaged:
        build = self.build("failed")
        lines = (self.text, self.text, "psycopg: away")
        step = FailingStep(name=self.text, exit_code=1, run_time=timedelta(seconds=9), lines=lines * self.many)
        found = tuple(self.test(at) for at in range(min(self.many, 200))) if tests else ()
        reports = [
            JobReport(
                job=job,
                workflow_name=self.text,
                failed_tests=found,
                tests_failed=self.failures if tests else 0,
                tests_total=60_000 if tests else 0,
                step=step,
                reasons=(self.text,),
                problems=(self.text,),
                flaky_tests=found[:2],
            )
            for job in build.runs[0].jobs[:10]
        ]
        kinds = (*Kind,)
        verdict = Verdict(kind=Kind.NEW, since=5)
        ids = [failure_id(one, test) for one in reports for test in one.failed_tests]
        judged = {name: verdict.model_copy(update={"kind": kinds[at % len(kinds)]}) for at, name in enumerate(ids)}
        triage = Triage(
            extent=Extent(base=self.text, builds=20, with_data=18, unread=1),
            tests=judged,
            jobs={one.job.id: Verdict(kind=Kind.INFRASTRUCTURE, cause="no output") for one in reports},
            usual={one.job.id: timedelta(seconds=8) for one in reports},
            transition=Transition(turn=Turn.STILL_BROKEN, workflow=self.text, times=3, since=5),
            advice=Advice.WAIT,
            wait_for=5,
            rerun_takes=timedelta(minutes=4),
            fewer=(Fewer(job_name=self.text, before=9, now=1),),
            problem="" if tests else self.text,
        )
        report = Report(jobs=tuple(reports), jobs_left_out=build.runs[0].jobs[10:])
        return BuildTriaged(title=self.text, build=build, report=report, triage=triage, newer_number=9)

    def tests(self, *, job: bool = False) -> TestResults:
        return TestResults(
            title=f"{SLUG} 12" if job else self.text,
            failed=tuple(self.test(at) for at in range(min(self.many, 200))),
            tests_failed=self.failures,
            tests_skipped=2,
            tests_total=self.failures + 10,
            slowest=(self.test(),) * 3,
            flaky=(self.test(),) * min(self.many, 200),
            repeated=2,
            more=True,
            jobs_left_out=3,
            unread=Unread(tried=4, missed=1, again="tests acme/backend"),
            build=None if job else self.build("failed"),
        )

    def steps(self) -> JobSteps:
        action = {"name": self.text, "status": "failed", "failed": True, "exit_code": 2, "run_time_millis": 1_000}
        steps = [{"name": self.text, "actions": [action]}] * self.many
        known = {"build_num": 12, "status": "failed", "workflows": {"job_name": self.text}, "steps": steps}
        said = {"messages": [{"message": self.text}], "branch": self.text}
        build = ClassicBuild.model_validate({**known, **said})
        return JobSteps(project_slug=SLUG, title=self.text, ref=self.ref, build=build)

    def log(self) -> StepLog:
        lines = tuple(f"{self.text} {at // 7}" for at in range(min(self.many, 40)))
        named: dict[str, Any] = {"project_slug": SLUG, "title": self.text, "job_name": self.text, "job_number": 12}
        return StepLog(**named, ref=self.ref, step=self.text, lines=lines, shortened=True, is_running=True)

    def artifact(self) -> Artifact:
        return Artifact(path=self.text, url="https://output.circle-artifacts.com/a", job_name=self.text)

    def artifacts(self) -> Artifacts:
        found = (self.artifact(),) * self.many
        known: dict[str, Any] = {"title": self.text, "found": found, "stored": self.many, "wanted": (self.text,)}
        return Artifacts(**known, age=timedelta(days=2), more=True, jobs_left_out=1, build=self.build("success"))

    def why_red(self) -> WhyRed:
        first, newest = (PastBuild(pipeline=self.pipeline(one), runs=self.build("failed").runs) for one in (5, 7))
        failing = tuple(self.test(at) for at in range(min(self.many, 200)))
        red = Turned(first=first, newest=newest, red=3, green=first)
        known: dict[str, Any] = {"title": self.text, "branch": self.text, "base": f"{self.text}x", "builds": 10}
        tests = {"still_failing": failing, "failing_no_more": failing}
        return WhyRed(**known, newest=newest, turned=red, base_turned=red, again=newest, passed_before=4, **tests)

    def flaky(self) -> FlakyTests:
        seen = (Seen(number=5, at=NOW, failed=1), Seen(number=4, at=NOW, passed=1))
        flake = Flake(
            test=self.test(),
            job_name=self.text,
            seen=seen,
            flips=1,
            low=0.1,
            high=0.6,
            last_pipeline_number=5,
            last_workflow_id="w",
            last_job_number=6,
            wasted=timedelta(minutes=3),
        )
        said = (Insight(test_name=self.text, times_flaked=3),) * self.many
        named: dict[str, Any] = {"project_slug": SLUG, "title": self.text, "branch": self.text}
        counted = {"over": 2, "asked": 10, "builds": 9, "with_data": 8, "unread": 1}
        return FlakyTests(**named, **counted, flakes=(flake,) * self.many, insight=said)

    def projects(self) -> FollowedProjects:
        one = ProjectResult(project_slug=SLUG, project_title=self.text, default_branch=self.text, status="failed")
        return FollowedProjects(wanted=self.text, of=self.many, projects=(one,) * self.many)

    def recent(self) -> BuildSummary:
        known = {"build_num": 12, "username": self.text, "reponame": self.text, "branch": self.text}
        return BuildSummary.model_validate({**known, "status": "failed", "workflows": {"job_name": self.text}})

    def lock(self) -> Lock:
        who = {"holder_id": "U0ADA", "holder_name": self.text, "reason": self.text}
        return Lock.model_validate(
            {"project_slug": SLUG, "project_title": self.text, "ref": self.ref, "since": NOW, **who}
        )

    def policy(self) -> PolicyDecision:
        about: dict[str, Any] = {"word": "deploy", "about": self.text, "allowed": True, "rule": self.text}
        others = (Elsewhere(roles=(self.text,), channels=("C1",)),) * self.many
        could = (self.text,) * self.many
        return PolicyDecision(
            **about, second_person=True, could=could, elsewhere=others, locks=(self.lock(),) * self.many
        )

    def acted(self) -> Acted:
        entry = Entry(at=NOW, user_id="U0ADA", channel_id="C1", word="cancel", what="cancel")
        named: dict[str, Any] = {"project_slug": SLUG, "project_title": self.text, "ref": self.ref}
        return Acted(act="rerun_failed", **named, pipeline_number=7, what=self.text, entry=entry)

    def build_meant(self) -> BuildMeant:
        named: dict[str, Any] = {"project_slug": SLUG, "title": self.text, "ref": self.ref, "number": 7}
        given = {self.text: self.text}
        return BuildMeant(**named, revision="ab" * 20, newest_number=9, newest_revision="cd" * 20, parameters=given)

    def details(self) -> JobDetails:
        return JobDetails.model_validate({"name": self.text, "number": 12, "status": "running"})

    def attempt(self) -> Attempt:
        named: dict[str, Any] = {"id": "D2", "project_slug": SLUG, "project_title": self.text, "ref": self.ref}
        who = {"asker_id": "U0ADA", "asker_name": self.text, "asked_at": NOW, "pipeline_number": 6}
        return Attempt.model_validate({**named, **who, "thread": Place(channel_id="C1")})

    def definition(self) -> Definition:
        return Definition.model_validate({"id": "d", "name": self.text})

    def pending(self) -> Pending:
        wish = Deployment(project_slug=SLUG, project_title=self.text, ref=self.ref)
        asker = Caller(person_id="U0ADA", delivery_id="mcp:1")
        return Pending(id="mcp:1", wish=wish, asker=asker, asked_at=NOW, expires_at=NOW)
