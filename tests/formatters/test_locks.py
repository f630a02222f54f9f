"""Locks in words."""

from datetime import UTC, datetime

from bot.answers.acts import LockChanged
from bot.answers.locks import Locks
from bot.models.audit import Entry
from bot.models.circleci import ProjectSlug
from bot.models.lock import Lock
from formatters import locks


def test_a_lock_that_nobody_can_read_is_named_among_the_others() -> None:
    found = Locks(locks=(), unread=("gh/acme/backend main",), read_at=datetime(2026, 11, 20, 12, tzinfo=UTC))
    said = str(locks.all_locks(found).blocks)
    assert "1 lock." in said
    assert "`gh/acme/backend main` · another version of me wrote this one, and I cannot read it" in said


LOCK = Lock(
    project_slug=ProjectSlug("gh/acme/frontend"),
    project_title="acme/frontend",
    holder_id="U0ADA",
    reason="until 17:00",
    since=datetime(2026, 11, 20, 12, tzinfo=UTC),
)


def changed(by: str, act: str) -> LockChanged:
    entry = Entry(at=LOCK.since, user_id=by, channel_id="C", word="deploy", what=act)
    return LockChanged(act=act, lock=LOCK, entry=entry)


def test_the_holder_reads_what_somebody_would_like_to_do() -> None:
    for stopped, wished in (
        ("deploy gh/acme/frontend main", "would like to deploy acme/frontend,"),
        ("", "would like to deploy acme/frontend,"),
        ("rerun gh/acme/frontend #7 all", "would like to rerun a build of acme/frontend,"),
        ("approve gh/acme/frontend #7", "would like to approve a job of acme/frontend,"),
    ):
        assert wished in locks.asked_for(LOCK, "U0GRACE", stopped).text


def test_a_lock_does_not_look_as_if_it_ended_by_itself() -> None:
    assert "It stays until it is unlocked." in locks.locked(changed("U0ADA", "lock")).text


def test_whose_lock_was_lifted_and_why_is_said_to_others() -> None:
    whose = "acme/frontend is unlocked. It was locked by <@U0ADA>: until 17:00."
    assert locks.unlocked(changed("U0GRACE", "unlock")).text == whose
    assert locks.unlocked(changed("U0ADA", "unlock")).text == "acme/frontend is unlocked."
