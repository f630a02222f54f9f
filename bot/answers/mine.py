"""What is somebody's own: the builds that they asked for, ran again or follow, and what waits for them."""

from datetime import datetime
from typing import Literal

from bot.answers import Answer
from bot.models.attempt import Attempt
from bot.models.build import Build
from bot.models.fields import Model


class MyBuild(Model):
    """A build as it stands now, or stood at the last look where CircleCI `is_silent`.

    Its person asked for it, pushed it, or follows it alone; they `may_approve` what waits in it, but for the approvals
    that were `asked_for` and wait for a second person. `thread_url` leads to the thread that tells them of it, if there
    is one.
    """

    title: str
    build: Build
    is_asked: bool
    is_pushed: bool = False
    is_silent: bool = False
    may_approve: bool = False
    asked_for: tuple[str, ...] = ()
    thread_url: str = ""


class MyWait(Model):
    """An act that waits: for `me` to agree or to answer, or for somebody `else` to agree to what I asked for.

    `asker_name` is who asked, where that was not me, `job_name` the job that is to be approved. The `line` has what I
    am to answer asked again; it was asked in `channel_id`, if that is not here, and a button here can have it asked
    there if that `is_reached`.
    """

    kind: Literal["deploy", "rerun", "approve"]
    target: str
    job_name: str = ""
    waits_for: Literal["me", "else"]
    asker_name: str = ""
    until: datetime | None = None
    url: str = ""
    line: str = ""
    channel_id: str = ""
    is_reached: bool = True


class MyBuilds(Answer):
    """What waits, then the builds, those that run first and each newest first; so many `more` are not shown.

    There may be even more than those where the list that is kept is `full`; it goes back `days`. Of so many CircleCI
    did not say how they stand, which are `unread`. What is `unsent` waits for its turn there. What their person pushed
    is among them as far as it was heard of, where it `knows_pushes`.
    """

    unsent: tuple[Attempt, ...] = ()
    waiting: tuple[MyWait, ...] = ()
    builds: tuple[MyBuild, ...] = ()
    more: int = 0
    more_waiting: int = 0
    full: bool = False
    unread: int = 0
    knows_pushes: bool = False
    days: float
