"""What a pipeline will do, as data: workflows, jobs, how they end, and what they leave behind."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class TestPlan:
    """One stored test result."""

    __test__ = False

    name: str
    file: str
    message: str = ""

    @property
    def result(self) -> str:
        """How it ended: a test with something to say has failed."""
        return "failure" if self.message else "success"


@dataclass(frozen=True)
class JobPlan:
    """A job: `ends` is its last status, `failing` the containers (of `parallelism`) in which it does.

    All but the last line of its `log` come `log_repeats` times. One that is `refused` has no steps, and a message.
    """

    name: str
    seconds: int = 30
    ends: str = "success"
    requires: tuple[str, ...] = ()
    approval: bool = False
    tests: tuple[TestPlan, ...] = ()
    artifacts: tuple[str, ...] = ()
    step: str = "Run tests"
    log: tuple[str, ...] = ()
    log_repeats: int = 1
    parallelism: int = 1
    failing: tuple[int, ...] = (0,)
    refused: str = ""


@dataclass(frozen=True)
class WorkflowPlan:
    """A workflow, `starts_after` seconds into its pipeline; `forced` is a status shown until that second."""

    name: str
    jobs: tuple[JobPlan, ...]
    starts_after: int = 3
    setup: bool = False
    forced: tuple[str, int] | None = None
    max_auto_reruns: int = 0


@dataclass(frozen=True)
class Scenario:
    """A pipeline's course; `rerun` is what its workflows do the second time, by default the same but green."""

    workflows: tuple[WorkflowPlan, ...] = ()
    rerun: tuple[WorkflowPlan, ...] = ()
    config_error: str = ""
    continuation_error: str = ""  # of that with which a setup workflow goes on
    errored: bool = True  # API v2 may leave the state at created
    superseded_after: int | None = None
    skip_message: str = ""
    outage: tuple[int, int] | None = None

    def again(self, name: str) -> WorkflowPlan:
        """Return what the workflow of this name does when it is run again."""
        chosen = next((plan for plan in self.rerun if plan.name == name), None)
        plan = chosen or next(plan for plan in self.workflows if plan.name == name)
        return plan if chosen else replace(plan, jobs=tuple(green(job) for job in plan.jobs), forced=None)


def green(job: JobPlan) -> JobPlan:
    """Return the job as it passes."""
    tests = tuple(replace(test, message="") for test in job.tests)
    return replace(job, ends="success", tests=tests, failing=(), refused="")


def of_workflow_statuses(*statuses: tuple[str, str]) -> Scenario:
    """Return workflows of one job each that end in these statuses; one nobody has heard of stays."""
    plans = []
    for name, status in statuses:
        ends = status if status in ("success", "failed", "unauthorized", "not_run") else "success"
        hold = status == "on_hold"
        forced = None if ends == status or hold else (status, 10**9)
        plans.append(WorkflowPlan(name, (JobPlan(f"{name}-job", ends=ends, approval=hold),), forced=forced))
    return Scenario(tuple(plans))


_MESSAGES = {
    "test_adds_item": ("tests/test_cart.py", "expected 2 items, got 1"),
    "test_rejects_bad_password": ("tests/test_login.py", "AssertionError: expected 401, got 200"),
    "test_timeout[slow-backend]": ("tests/test_api.py", "ConnectionResetError: peer went away"),
}
_TESTS = tuple(TestPlan(name, file, message) for name, (file, message) in _MESSAGES.items()) + tuple(
    TestPlan(f"test_page_{number}", f"tests/test_page_{number % 7}.py") for number in range(57)
)
FRONTEND_TESTS = tuple(replace(test, message="") for test in _TESTS)
_COVERAGE = ("coverage/index.html", *(f"coverage/module_{number}.html" for number in range(116)))
_LOG = (
    "$ pytest",
    "collected 60 items",
    "\x1b[31mFAILED tests/test_cart.py::test_adds_item\x1b[0m",
    "3 failed, 57 passed",
)

_LINT = WorkflowPlan("lint", (JobPlan("lint", seconds=41),))
_UNIT = JobPlan(
    "unit-tests",
    seconds=130,
    ends="failed",
    requires=("build",),
    tests=_TESTS,
    artifacts=("junit.xml", "screenshots/login page #1.png", *_COVERAGE),
    log=_LOG,
)
_DEPLOY = JobPlan("deploy", seconds=50, requires=("unit-tests", "e2e"), artifacts=("dist/frontend-2.0.tar.gz",))
_BUILD = (JobPlan("build", seconds=60), _UNIT, JobPlan("e2e", seconds=200, requires=("build",)), _DEPLOY)
_SIMPLE = (JobPlan("test", seconds=40), JobPlan("deploy", seconds=20, requires=("test",), artifacts=("app.tar.gz",)))


def _failing(**changed: object) -> Scenario:
    job = replace(JobPlan("test", seconds=40, ends="failed", log=_LOG), **changed)  # type: ignore[arg-type]  # a job's fields
    return Scenario((WorkflowPlan("build", (job,)),))


def _big() -> Scenario:
    bad = (2, 9)
    jobs = [
        JobPlan(
            f"job-{number}",
            seconds=20 + number,
            ends="failed" if number in bad else "success",
            tests=_TESTS[:5],
            log=_LOG,
        )
        for number in range(20)
    ]
    jobs = [job if job.ends == "failed" else green(job) for job in jobs]
    return Scenario(tuple(WorkflowPlan(f"flow-{part}", tuple(jobs[part::3])) for part in range(3)))


SCENARIOS: dict[str, Scenario] = {
    "green": Scenario((WorkflowPlan("build-test-deploy", _SIMPLE),)),
    "failing-tests": Scenario((_LINT, WorkflowPlan("build-test-deploy", _BUILD))),
    "on-hold": Scenario(
        (
            WorkflowPlan(
                "release",
                (
                    JobPlan("test", seconds=40),
                    JobPlan("hold-prod", requires=("test",), approval=True),
                    JobPlan("deploy-prod", seconds=30, requires=("hold-prod",)),
                ),
            ),
        )
    ),
    "config-error": Scenario(config_error="Error calling workflow: 'build'\nCannot find a definition for job 'tset'"),
    "continuation-error": Scenario(
        (WorkflowPlan("setup", (JobPlan("generate-config", seconds=20),), setup=True),),
        continuation_error="Error calling workflow: 'release'\nCannot find a definition for job named no-such-job",
        errored=False,
    ),
    "no-workflow": Scenario(),
    "late-workflow": Scenario((WorkflowPlan("build", _SIMPLE, starts_after=20),)),
    "setup": Scenario(
        (
            WorkflowPlan("setup", (JobPlan("generate-config", seconds=20),), setup=True),
            WorkflowPlan("backend", _SIMPLE, starts_after=23),
            WorkflowPlan("docs", (JobPlan("docs", seconds=15),), starts_after=23),
        )
    ),
    "automatic-rerun": Scenario(
        (WorkflowPlan("build", (JobPlan("test", seconds=40, ends="failed", tests=_TESTS[:3]),), max_auto_reruns=2),)
    ),
    "superseded": Scenario((WorkflowPlan("build", (JobPlan("test", seconds=120),)),), superseded_after=40),
    "timed-out-step": _failing(
        ends="timedout", step="Wait for the database", log=("waiting for db:5432", "still waiting")
    ),
    "infrastructure": _failing(ends="infrastructure_fail", log=()),
    "unauthorized": _failing(ends="unauthorized", log=()),
    "slow": Scenario(
        (WorkflowPlan("build-test-deploy", tuple(replace(job, seconds=job.seconds * 10) for job in _SIMPLE)),)
    ),
    "outage": Scenario((WorkflowPlan("build-test-deploy", _SIMPLE),), outage=(15, 45)),
    "ninety-failures": Scenario(
        (
            WorkflowPlan(
                "e2e",
                tuple(
                    JobPlan(f"e2e / scenario {number:02} / python 3.{9 + number % 5} / ubuntu-24.04 lts", ends="failed")
                    for number in range(90)
                ),
            ),
        )
    ),
    "parallel": _failing(name="t_native_test", parallelism=3, failing=(0, 2)),
    "unknown-status": Scenario((WorkflowPlan("build", _SIMPLE, forced=("some_new_state", 90)),)),
    "big": _big(),
    "skip-ci": Scenario(
        (WorkflowPlan("build-test-deploy", _SIMPLE),),
        skip_message="The commit says [skip ci], so nothing was started.",
    ),
}

_BINARIES = tuple(f"dist/cli-{platform}" for platform in ("darwin-arm64", "linux-amd64", "linux-arm64"))
_CLI_BUILD = JobPlan("build", seconds=60, requires=("test",), artifacts=("dist/checksums.txt", *_BINARIES))
_CLI_TEST = JobPlan("test", seconds=40, tests=tuple(replace(test, message="") for test in _TESTS))
_CLI_RED = replace(_CLI_TEST, ends="failed", tests=_TESTS, artifacts=("junit.xml",), log=_LOG)
# What a configuration older than 2.1 does: one job, and no workflow.
LEGACY = _failing(name="build", tests=_TESTS[:5], artifacts=("junit.xml",))
LEGACY_SLOW = Scenario((WorkflowPlan("build", (JobPlan("build", seconds=600),)),))
# The history of acme/cli: released, released at the second attempt, and broken since.
CLI_RELEASE = Scenario((WorkflowPlan("release", (_CLI_TEST, _CLI_BUILD)),))
CLI_FLAKY = Scenario((WorkflowPlan("release", (_CLI_RED, _CLI_BUILD)),))
CLI_FAILED = CLI_FLAKY

# What each course is, for people who choose one.
COURSES = {
    "green": "Everything passes",
    "failing-tests": "Three tests fail; the rerun passes",
    "on-hold": "Waits for an approval",
    "config-error": "The configuration cannot be read",
    "continuation-error": "A setup workflow goes on with what cannot be read",
    "no-workflow": "No workflow runs",
    "late-workflow": "The workflow begins late",
    "setup": "A setup workflow starts the others",
    "automatic-rerun": "CircleCI reruns it by itself",
    "superseded": "A newer push cancels it",
    "timed-out-step": "A step times out",
    "infrastructure": "The runner breaks",
    "unauthorized": "A context refuses the job",
    "slow": "Takes ten times as long: time to cancel",
    "outage": "CircleCI does not answer for a while",
    "ninety-failures": "Ninety jobs with long names fail",
    "parallel": "Two of three parallel containers fail",
    "unknown-status": "A status nobody has heard of",
    "big": "Three workflows, twenty jobs, two of them fail",
    "skip-ci": "The commit says [skip ci]",
}
