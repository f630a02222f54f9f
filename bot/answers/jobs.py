"""What jobs left behind: their test results, steps, logs and artifacts."""

from datetime import timedelta

from bot.answers import Answer, Found
from bot.models.build import Build
from bot.models.circleci import Artifact, ClassicBuild, ProjectSlug, Ref, TestResult
from bot.models.fields import Model


class Unread(Model):
    """What is missing from an answer: `missed` of the `tried` jobs could not be read.

    `limited` says that CircleCI asked to slow down; `again` is the command that asks once more.
    """

    tried: int
    missed: int
    limited: bool = False
    again: str


class TestResults(Found):
    """The test results of one job or of several: the first of the `tests_failed`, and the slowest of all.

    So many jobs, `jobs_left_out`, were not asked. Those that are `flaky` passed when they were tried again; so many
    further failures, `repeated`, bear the name of one that failed. With `more` there are more than were read. `build`
    is the one they are of, if not one of its jobs was named. `start` is the place of the first of those that are told.
    """

    __test__ = False

    title: str
    failed: tuple[TestResult, ...] = ()
    tests_failed: int = 0
    tests_skipped: int = 0
    tests_total: int = 0
    slowest: tuple[TestResult, ...] = ()
    flaky: tuple[TestResult, ...] = ()
    repeated: int = 0
    more: bool = False
    jobs_left_out: int = 0
    unread: Unread | None = None
    build: Build | None = None
    start: int = 1


class JobSteps(Found):
    """One job with its steps: of the project of this `title`, on a branch or a tag where CircleCI names one."""

    project_slug: ProjectSlug
    title: str = ""
    ref: Ref | None = None
    build: ClassicBuild


class StepLog(Found):
    """The end of a step's log, cleaned and masked; `shortened` says that there is more of it.

    Of a job that `is_running` more may come. It is of the project of this `title`, on a branch or a tag where CircleCI
    names one.
    """

    project_slug: ProjectSlug
    title: str = ""
    ref: Ref | None = None
    job_name: str
    job_number: int
    step: str
    lines: tuple[str, ...] = ()
    shortened: bool = False
    is_running: bool = False


class NoLog(Answer):
    """There is no log of the step that was asked for; `steps` have one. `is_gone` says that it had one before.

    The job `is_running`, or `has_begun` at least.
    """

    project_slug: ProjectSlug
    job_name: str
    job_number: int
    steps: tuple[str, ...] = ()
    is_gone: bool = False
    is_running: bool = False
    has_begun: bool = True

    @property
    def is_for_all(self) -> bool:
        """Let everybody see that there is none; what else it may be called is for who named it."""
        return self.is_gone or not self.steps


class Artifacts(Found):
    """Those of the `stored` artifacts of a build or a job whose paths hold what is `wanted`; all where nothing is.

    `age` is how long ago they were stored, where that is known. `which` says that one of them is to be fetched, and it
    is not clear which. With `more` there are more than were read; so many jobs, `jobs_left_out`, were not asked.
    `build` is the one they are of, if not one of its jobs was named.
    """

    title: str
    found: tuple[Artifact, ...] = ()
    stored: int = 0
    wanted: tuple[str, ...] = ()
    age: timedelta | None = None
    which: bool = False
    more: bool = False
    jobs_left_out: int = 0
    unread: Unread | None = None
    build: Build | None = None

    @property
    def is_for_all(self) -> bool:
        """Let everybody see the list; which one is to be fetched is a question to who asked."""
        return not self.which


class ArtifactTooLarge(Answer):
    """An artifact that is larger than the `megabytes` that may be sent."""

    artifact: Artifact
    megabytes: float

    @property
    def is_for_all(self) -> bool:
        """Let everybody see where it is, in the place of the file that they would have."""
        return True
