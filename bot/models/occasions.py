"""What is kept of builds, so that others can be compared with them, and of what was said about one that waits."""

from datetime import timedelta

from bot.models.build import Change
from bot.models.circleci import ProjectSlug
from bot.models.fields import Model


class Failure(Model):
    """A test that failed in a job of the build with this `number`, under its `key` there (`triage/keeping.py`)."""

    workflow: str
    job: str
    key: str
    name: str
    number: int


class Failures(Model):
    """All of one commit that are known."""

    tests: tuple[Failure, ...] = ()


class Hold(Model):
    """A message in a channel about jobs that wait for an approval, as it reads by now.

    It `is_apart` where it does not stand below what is said of its branch, which is known there as `branch`. It is of
    the build with this `number`; an earlier version kept neither.
    """

    channel_id: str
    ts: str
    is_apart: bool = True
    changes: tuple[Change, ...]
    project_slug: ProjectSlug = ProjectSlug("")
    branch: str = ""
    number: int = 0

    @property
    def is_open(self) -> bool:
        """Say whether something can be approved there."""
        return any(change.job is not None and change.job.waits_for_approval for change in self.changes)


class Slow(Model):
    """How long a build took `now`, beside the median of so many before it that passed."""

    now: timedelta
    usual: timedelta
    builds: int
