"""The nouns of API v1.1: a build is one job run; every field may be missing, https://circleci.com/docs/api/v1/ ."""

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import BeforeValidator, Field

from bot.models.circleci import JobMessage, Place, ProjectSlug
from bot.models.fields import Milliseconds, Model, Prose, Text, Time

_SHORT = {"github": "gh", "bitbucket": "bb"}


def _known(value: object) -> object:
    return {} if value is None else value


class BuildSummary(Model):
    """A build in a list; `status` also takes `fixed` (green after a red one) and `retried`."""

    build_num: int
    username: Text = ""
    reponame: Text = ""
    vcs_type: Text = ""
    branch: Text = ""
    vcs_tag: Text = ""
    vcs_revision: Text = ""
    subject: Prose = ""
    author_email: Text = Field("", repr=False)
    why: Prose = ""
    status: Prose = ""
    outcome: Prose = ""
    lifecycle: Prose = ""
    dont_build: Prose = ""
    messages: Annotated[tuple[JobMessage, ...], BeforeValidator(lambda value: value or ())] = ()
    queued_at: Time | None = None
    start_time: Time | None = None
    stop_time: Time | None = None
    build_time_millis: Milliseconds = None
    retry_of: int | None = None
    workflows: Annotated[Place, BeforeValidator(_known)] = Place()

    @property
    def title(self) -> str:
        """What people call the project, `acme/frontend`."""
        return f"{self.username}/{self.reponame}"

    @property
    def slug(self) -> ProjectSlug:
        """The project's slug as API v2 spells it."""
        return _slug(self.vcs_type, self.title)

    @property
    def ref(self) -> str:
        """The tag or the branch."""
        return self.vcs_tag or self.branch

    @property
    def job_name(self) -> str:
        """The job, or `build` for one outside of workflows."""
        return self.workflows.job_name or "build"

    @property
    def why_not(self) -> str:
        """Why it will not run, in CircleCI's own words as far as there are any."""
        said = dict.fromkeys([self.dont_build, *(one.words for one in self.messages)])
        return "; ".join(one for one in said if one) or f"its status is {self.status}, and no reason is given"

    @property
    def run_time(self) -> timedelta | None:
        """How long it ran, where known."""
        return None if self.build_time_millis is None else timedelta(milliseconds=self.build_time_millis)


class _Stub(Model):
    build_num: int
    status: Prose = ""
    outcome: Prose = ""


class _Branch(Model):
    recent_builds: Annotated[tuple[_Stub, ...], BeforeValidator(lambda value: value or ())] = ()


class FollowedProject(Model):
    """A project that the token's user follows; everything else in that answer may be a secret."""

    username: Text = ""
    reponame: Text = ""
    vcs_type: Text = ""
    default_branch: Text = ""
    branches: Annotated[dict[str, _Branch], BeforeValidator(_known)] = Field(default_factory=dict)

    @property
    def title(self) -> str:
        """What people call it, `acme/frontend`."""
        return f"{self.username}/{self.reponame}"

    @property
    def slug(self) -> ProjectSlug:
        """Its slug as API v2 spells it."""
        return _slug(self.vcs_type, self.title)

    @property
    def newest(self) -> _Stub | None:
        """The newest build of the default branch; CircleCI encodes the names of the branches."""
        for name, branch in self.branches.items():
            if unquote(name) == self.default_branch and branch.recent_builds:
                return max(branch.recent_builds, key=lambda build: build.build_num)
        return None


class EnvironmentVariable(Model):
    """A variable of a project; CircleCI masks the value, up to its last four characters."""

    name: str
    value: Prose = Field(default="", repr=False)


class CheckoutKey(Model):
    """A key that may check the project's code out: `type` is deploy-key or github-user-key."""

    type: Text = ""
    fingerprint: Text = ""
    public_key: Text = ""
    preferred: bool | None = None
    time: Time | None = None


def _slug(vcs_type: str, title: str) -> ProjectSlug:
    return ProjectSlug(f"{_SHORT.get(vcs_type, vcs_type)}/{title}")


def as_list(data: Any) -> list[Any]:
    """Return the items of an answer that should be a list."""
    return data if isinstance(data, list) else []
