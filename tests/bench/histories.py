"""Histories of a project made by chance, with the truth about each failure of today: to try the verdicts on.

What happens in them, and how often, is said beside each constant; nothing of it is known to the rules.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.models.build import Build, FailingStep, JobReport, Report, Run
from bot.models.circleci import Job, Pipeline, TestResult, Workflow
from bot.models.history import JobResults, PastBuild
from bot.triage.diagnosis import Looked, failure_id
from bot.triage.infrastructure import OURS, cause_in
from bot.triage.keeping import results
from bot.triage.quoting import quote
from bot.triage.verdicts import Kind

START = datetime(2026, 11, 1, tzinfo=UTC)
BUILDS = 30
FLAKES = (0, 4)  # tests of a project that fail by chance
RATES = (0.05, 0.5)  # how often each does, low rates more often than high ones
RERUN = 0.6  # how often somebody reruns a failed build
BROKEN_BEFORE = 0.4  # main was broken once and repaired, for one to four builds
BROKEN_NOW = 0.3  # main is broken today, since one to six builds
BROKEN_HERE = 0.55  # the branch breaks one to three tests, today or some pushes ago
DATABASE_AWAY = 0.03  # a build of main in which much fails at once, and nothing at the rerun
MACHINE_LOST = 0.02  # a build of main that has no results
INFRASTRUCTURE = 0.2  # today's trouble is nobody's fault
RENAMED_ON_MAIN, RENAMED_HERE, ADDED_HERE = 0.2, 0.05, 0.1
LITTLE_DATA = 0.15  # projects with fewer than five builds
OWN_STEP = 0.1  # today a step of the build itself failed, without any test
# What logs say at their end when it is nobody's fault, in the words of many tools ...
NOBODYS = (
    "curl: (56) Recv failure: Connection reset by peer",
    "curl: (6) Could not resolve host: registry.example",
    "fatal: unable to access 'https://github.example/acme.git/': Failed to connect: Connection timed out",
    "E: Failed to fetch http://deb.example/pool/x.deb  503  Service Unavailable",
    "Error response from daemon: Get https://registry.example/v2/: net/http: TLS handshake timeout",
    "Error response from daemon: toomanyrequests: You have reached your pull rate limit.",
    "npm error code ETIMEDOUT",
    "pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool(host='pypi.example'): Read timed out.",
    "Too long with no output (exceeded 10m0s): context deadline exceeded",
    "java.net.UnknownHostException: repo.example: Name or service not known",
    "The runner has been terminated: spot instance reclaimed",
    "write /var/lib/docker/tmp: no space left on device",
)
# ... and when it is the code's.
OWN = (
    "error TS2339: Property 'price' does not exist on type 'Cart'.",
    "ERROR: Could not find a version that satisfies the requirement httpx==0.99.0",
    "Error: Cannot find module './cart'",
    "src/ledger.rs:41:9: error[E0502]: cannot borrow `self.entries` as mutable",
    "make: *** [Makefile:12: build] Error 2",
    "Error: creating S3 Bucket (acme-assets): BucketAlreadyExists",
    "SyntaxError: invalid syntax (cart.py, line 14)",
    "golangci-lint: cart.go:12:2: unused variable (unused)",
)
# Both have lines that mislead.
MISLEADING = (
    "warning: connection reset by peer, retrying (1/3)",
    "warn: registry answered 503, trying the mirror",
    "0 errors, 2 warnings",
    "created test_connection_refused.py",
)


@dataclass
class Case:
    """One finished build with its past: the true kind of each failure, by test id or job id."""

    build: Build
    report: Report
    looked: Looked
    truth: dict[str, Kind] = field(default_factory=dict)

    @property
    def has_enough(self) -> bool:
        """Say whether there are the thirty builds that verdicts may need."""
        return len(self.looked.base) >= BUILDS


def cases(seed: int, many: int) -> Iterator[Case]:
    """Yield `many` builds that failed; the same ones for the same seed."""
    chance = random.Random(seed)  # chance, no secret
    made = 0
    while made < many:
        case = _Project(chance).case()
        if case.truth:
            made += 1
            yield case


class _Project:
    """A project's tests and their ways."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.suite = [f"test_{number:03}" for number in range(chance.randint(20, 150))]
        low, high = RATES
        picked = chance.sample(self.suite, chance.randint(*FLAKES))
        self.rates = {name: low * (high / low) ** chance.random() for name in picked}
        self.builds = chance.randint(0, 4) if chance.random() < LITTLE_DATA else BUILDS
        self.steady = [name for name in self.suite if name not in self.rates]
        self.job_numbers = 0
        self.results: dict[int, JobResults] = {}

    def case(self) -> Case:
        """Return today's build on a branch."""
        chance = self.chance
        broken = self._broken_on_main()
        renames = self._renames()
        base = [self._past(place, broken.get(place, frozenset()), renames) for place in range(self.builds)]
        red_now = broken.get(self.builds - 1, frozenset()) if self.builds else frozenset()
        suite = [renames[name][0] if name in renames else name for name in self.suite]
        broken_here = self._some(set(red_now)) if chance.random() < BROKEN_HERE else frozenset()
        since = chance.choice((0, 0, 0, 1, 2))
        pushes = chance.randint(since, since + 3) if self.builds else 0
        here = [
            self._build(1000 + place, red_now | (broken_here if place >= pushes - since else frozenset()), suite)
            for place in range(pushes)
        ]
        today = self._today(suite, red_now, broken_here)
        return self._case(base[::-1], here[::-1], today, red_now)

    def _broken_on_main(self) -> dict[int, frozenset[str]]:
        """Return which tests are broken in which builds of main: once, repaired; and at its end, not repaired."""
        chance, broken = self.chance, dict[int, frozenset[str]]()
        if chance.random() < BROKEN_BEFORE and self.builds > 10:
            begin, length = chance.randint(0, self.builds - 8), chance.randint(1, 4)
            broken = dict.fromkeys(range(begin, begin + length), self._some())
        if chance.random() < BROKEN_NOW and self.builds:
            begin = max(self.builds - chance.randint(1, 6), 0)
            broken |= dict.fromkeys(range(begin, self.builds), self._some())
        return broken

    def _some(self, without: set[str] | None = None) -> frozenset[str]:
        names = [name for name in self.steady if name not in (without or ())]
        return frozenset(self.chance.sample(names, self.chance.randint(1, 3)))

    def _renames(self) -> dict[str, tuple[str, int]]:
        """Return tests that got another name on main, with the build that brought it."""
        if self.chance.random() >= RENAMED_ON_MAIN or self.builds < 2:
            return {}
        picked = self.chance.sample(self.suite, self.chance.randint(1, 5))
        return {name: (f"{name}_renamed", self.chance.randint(0, self.builds - 1)) for name in picked}

    def _past(self, place: int, broken: frozenset[str], renames: dict[str, tuple[str, int]]) -> PastBuild:
        suite = [renames[name][0] if name in renames and place >= renames[name][1] else name for name in self.suite]
        if self.chance.random() < MACHINE_LOST:
            return self._recorded(place, [None])
        away = frozenset(self.chance.sample(suite, len(suite) // 2)) if self.chance.random() < DATABASE_AWAY else None
        return self._build(place, broken, suite, away)

    def _build(
        self, number: int, broken: frozenset[str], suite: Sequence[str], away: frozenset[str] | None = None
    ) -> PastBuild:
        attempts = [self._run(suite, broken | (away or frozenset()))]
        if any(test.is_failed for test in attempts[0]) and self.chance.random() < RERUN:
            attempts.append(self._run(suite, broken))
        return self._recorded(number, attempts)

    def _run(
        self, suite: Sequence[str], broken: frozenset[str], *, certain: frozenset[str] = frozenset()
    ) -> list[TestResult]:
        return [
            self._result(name, broken=name.removesuffix("_renamed") in broken or name in broken or name in certain)
            for name in suite
        ]

    def _result(self, name: str, *, broken: bool) -> TestResult:
        fails = broken or self.chance.random() < self.rates.get(name.removesuffix("_renamed"), 0)
        return TestResult(name=name, classname="suite", result="failure" if fails else "success", message="no")

    def _recorded(self, number: int, attempts: Sequence[list[TestResult] | None]) -> PastBuild:
        """Return a build as CircleCI would show it, its results as they are kept."""
        at = START + timedelta(hours=number)
        runs = []
        for attempt, tests in enumerate(attempts):
            self.job_numbers += 1
            failed = tests is None or any(test.is_failed for test in tests)
            if tests is not None:
                self.results[self.job_numbers] = results(tests, is_whole=True)
            status = "infrastructure_fail" if tests is None else "failed" if failed else "success"
            job = Job.model_validate(
                {"id": f"j{self.job_numbers}", "name": "test", "status": status, "job_number": self.job_numbers}
            )
            workflow = {"id": f"w{self.job_numbers}", "name": "build", "status": "failed" if failed else "success"}
            made = Workflow.model_validate({**workflow, "created_at": at + timedelta(minutes=attempt)})
            runs.append(Run(workflow=made, jobs=(job,), attempt=attempt + 1))
        return PastBuild(pipeline=_pipeline(number, at), runs=tuple(runs))

    def _today(self, suite: list[str], red_now: frozenset[str], broken_here: frozenset[str]) -> PastBuild:
        if self.chance.random() < RENAMED_HERE:
            place = self.chance.randrange(len(suite))
            suite[place] = f"{suite[place]}_moved"
            broken_here |= {suite[place]}
        if self.chance.random() < ADDED_HERE:
            suite.append("test_added")
            broken_here |= {"test_added"} if self.chance.random() < 0.5 else frozenset()
        return self._recorded(5000, [self._run(suite, red_now | broken_here)])

    def _case(
        self,
        base: list[PastBuild],
        here: list[PastBuild],
        today: PastBuild,
        red_now: frozenset[str],
    ) -> Case:
        (run,) = today.runs
        (job,) = run.jobs
        failed = self.results[job.job_number or 0].failed
        line, kind = self._last_words()
        if line:
            failed = ()
            self.results[job.job_number or 0] = JobResults()
            run = run.model_copy(update={"jobs": (job.model_copy(update={"status": "failed"}),)})
        step = FailingStep(name="Run tests", cause=cause_in(quote(self._log(line)), OURS) if line else "")
        found = JobReport(
            job=run.jobs[0], workflow_name="build", failed_tests=failed, tests_failed=len(failed), step=step
        )
        looked = Looked("main", base, here, today, self.results)
        case = Case(
            Build(pipeline=today.pipeline, runs=(run,), read_at=today.pipeline.created_at),
            Report(jobs=(found,)),
            looked,
        )
        if line:
            case.truth[job.id] = kind
        for test in failed:
            case.truth[failure_id(found, test)] = self._truth(test.name.removesuffix("_renamed"), red_now)
        return case

    def _last_words(self) -> tuple[str, Kind]:
        """Return what a step without tests said at its end, and what that is; nothing where tests failed."""
        if self.chance.random() < INFRASTRUCTURE:
            return self.chance.choice(NOBODYS), Kind.INFRASTRUCTURE
        return (self.chance.choice(OWN), Kind.NEW) if self.chance.random() < OWN_STEP else ("", Kind.NOT_SURE)

    def _log(self, line: str) -> list[str]:
        noise = [f"downloading part {number}" for number in range(self.chance.randint(0, 60))]
        noise += self.chance.sample(MISLEADING, self.chance.randint(0, len(MISLEADING)))
        self.chance.shuffle(noise)
        return [*noise, line, "Exited with code exit status 1"]

    def _truth(self, name: str, red_now: frozenset[str]) -> Kind:
        if name in red_now:
            return Kind.RED_ON_BASE
        if name in self.rates:
            return Kind.FLAKE
        return Kind.NOT_SURE if name.endswith("_moved") else Kind.NEW


def _pipeline(number: int, at: datetime) -> Pipeline:
    data = {"id": f"p{number}", "number": number, "project_slug": "gh/acme/bench", "state": "created", "created_at": at}
    return Pipeline.model_validate({**data, "vcs": {"branch": "x", "revision": f"{number:040}"}})
