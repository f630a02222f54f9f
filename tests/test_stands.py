"""Where the answer to each command stands where the bot was asked by its name: for all to see, or with who asked."""

from datetime import UTC, datetime

import pytest

from bot.answers import Answer
from bot.answers.acts import Acted, LockChanged
from bot.answers.channels import ChannelUses
from bot.answers.jobs import Artifacts, NoLog
from bot.models.audit import Entry
from bot.models.circleci import ProjectSlug, Ref
from bot.models.lock import Lock
from bot.routing import Router
from commands import register
from tests.registry import Row, table

# What everybody reads of a command's answers; all others are for who asked alone. Some depend on what they say.
FOR_ALL = {
    "deploy": {"Acted"},
    "rerun": {"Acted"},
    "again": set[str](),
    "cancel": set[str](),
    "approve": {"OnHold"},
    "watch": {"Acted"},
    "unwatch": {"Acted"},
    "subscribe": set[str](),
    "unsubscribe": set[str](),
    "snooze": set[str](),
    "told": {"WhyTold"},
    "subscriptions": {"Subscriptions"},
    "use": {"ChannelUses"},
    "lock": {"LockChanged"},
    "unlock": {"LockChanged"},
    "locks": {"Locks"},
    "status": {"BuildShown", "NewestBuilds"},
    "triage": {"BuildTriaged", "BuildShown"},
    "why-red": {"WhyRed"},
    "tests": {"TestResults"},
    "flaky": {"FlakyTests"},
    "job": {"JobSteps"},
    "logs": {"StepLog", "NoLog"},
    "artifacts": {"Artifacts", "ArtifactTooLarge"},
    "recent": {"RecentBuilds"},
    "projects": {"FollowedProjects"},
    "me": set[str](),
    "mine": set[str](),
    "notify": set[str](),
    "agent": set[str](),
    "env": set[str](),
    "keys": set[str](),
    "ssh-key": set[str](),
    "heroku-key": set[str](),
    "cache": set[str](),
    "hello": set[str](),
    "help": set[str](),
    "may": set[str](),
    "audit": set[str](),
    "doctor": set[str](),
    "webhook": set[str](),
}
ENTRY = Entry(
    at=datetime(2026, 11, 20, 10, tzinfo=UTC), user_id="U0ADA", channel_id="C0DEPLOYS", word="deploy", what="lock"
)
LOCK = Lock(
    project_slug=ProjectSlug("gh/acme/frontend"),
    project_title="acme/frontend",
    ref=Ref(name="main"),
    holder_id="U0ADA",
    since=ENTRY.at,
)


@pytest.mark.parametrize("row", table()["command"], ids=lambda row: row.name)
def test_each_command_says_where_its_answers_stand(row: Row) -> None:
    assert {one.__name__ for one in row.answers if _may_stand_for_all(one)} == FOR_ALL[row.name]


def _may_stand_for_all(kind: type[Answer]) -> bool:
    return kind.is_for_all is not Answer.is_for_all


def test_only_what_finds_something_can_be_shared_and_it_changes_nothing() -> None:
    found = {name for name, one in register(Router()).commands.items() if one.finds}
    assert found == {
        *("approve", "locks", "status", "triage", "why-red", "tests", "flaky", "job", "logs", "artifacts", "recent"),
        *("projects", "subscriptions", "told"),
    }


@pytest.mark.parametrize(
    ("answer", "is_for_all"),
    [
        (Acted(act="unwatch", entry=ENTRY), True),
        (Acted(act="cancel_job", entry=ENTRY), True),
        (Acted(act="deploy", entry=ENTRY), False),
        (Acted(act="set_variable", entry=ENTRY), False),
        (Acted(act="add_ssh_key", entry=ENTRY), False),
        (Acted(act="clear_cache", entry=ENTRY), False),
        (Acted(act="add_webhook", entry=ENTRY), False),
        (LockChanged(act="lock", lock=LOCK, before=LOCK, entry=ENTRY), True),
        (LockChanged(act="lock", lock=LOCK, unheard=True, entry=ENTRY), False),
        (LockChanged(act="lock_again", lock=LOCK, before=LOCK, entry=ENTRY), False),
        (LockChanged(act="unlock", lock=LOCK, entry=ENTRY), True),
        (LockChanged(act="take", lock=LOCK, entry=ENTRY), False),
        (LockChanged(act="ask", lock=LOCK, entry=ENTRY), False),
        (ChannelUses(act="shown"), True),
        (ChannelUses(act="set"), False),
        (NoLog(project_slug=LOCK.project_slug, job_name="test", job_number=1842), True),
        (NoLog(project_slug=LOCK.project_slug, job_name="test", job_number=1842, steps=("Run tests",)), False),
        (Artifacts(title="acme/cli"), True),
        (Artifacts(title="acme/cli", which=True), False),
    ],
)
def test_some_answers_depend_on_what_they_say(answer: Answer, *, is_for_all: bool) -> None:
    assert answer.is_for_all is is_for_all
