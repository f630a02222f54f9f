"""CircleCI's outbound webhooks, read: the signature first, then who it is about. Pure.

https://circleci.com/docs/outbound-webhooks/ . A webhook is a reason to look, never the truth: deliveries are doubled,
late and out of order.
"""

import hashlib
import hmac
from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field, ValidationError

from bot.models.circleci import PipelineId
from bot.models.fields import Model, Text

# Only the newest version known is checked: an older one beside it must not open the door.
VERSION = "v1"
FRESH, AHEAD = timedelta(hours=1), timedelta(minutes=5)  # the clocks of two hosts differ by less


class _Reference(Model):
    id: str


class _Project(Model):
    slug: Text = ""


class _Author(Model):
    email: Text = Field("", repr=False)


class _Commit(Model):
    author: _Author | None = None


class _Vcs(Model):
    branch: Text = ""
    commit: _Commit | None = None


class _Gitlab(Model):
    commit_author_email: Text = Field("", repr=False)


class _Parameters(Model):
    gitlab: _Gitlab | None = None


class _Pipeline(_Reference):
    vcs: _Vcs | None = None
    trigger_parameters: _Parameters | None = None


class Event(Model):
    """What happened, as far as it matters here; a ping is about no pipeline, or project. `type` is an open string."""

    id: str
    type: str
    happened_at: AwareDatetime
    pipeline: _Pipeline | None = None
    workflow: _Reference | None = None
    job: _Reference | None = None
    project: _Project = _Project()

    @property
    def pipeline_id(self) -> PipelineId | None:
        """The pipeline it is about."""
        return PipelineId(self.pipeline.id) if self.pipeline else None

    @property
    def branch(self) -> str:
        """The branch that its pipeline runs on, where it says that; or empty text."""
        return self.pipeline.vcs.branch if self.pipeline and self.pipeline.vcs else ""

    @property
    def mail(self) -> str:
        """The address of who made the commit, where it says that; or empty text."""
        if self.pipeline is None:
            return ""
        commit, given = self.pipeline.vcs and self.pipeline.vcs.commit, self.pipeline.trigger_parameters
        if commit and commit.author:
            return commit.author.email
        return given.gitlab.commit_author_email if given and given.gitlab else ""

    def is_fresh(self, now: datetime) -> bool:
        """Say whether it is news: a replayed delivery is not, nor is what has not happened yet."""
        return -AHEAD < now - self.happened_at < FRESH


def is_signed(body: bytes, header: str, secret: str) -> bool:
    """Say whether `circleci-signature` holds our signature of the raw body, compared in constant time."""
    pairs = dict(pair.strip().partition("=")[::2] for pair in header.split(","))
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(pairs.get(VERSION, "").encode(), expected.encode())


def read(body: bytes) -> Event | None:
    """Return the event, or None for what is none."""
    try:
        return Event.model_validate_json(body)
    except ValidationError:
        return None
