"""Locks in words."""

from datetime import UTC, datetime

from bot.answers.locks import Locks
from formatters import locks


def test_a_lock_that_nobody_can_read_is_named_among_the_others() -> None:
    found = Locks(locks=(), unread=("gh/acme/backend main",), read_at=datetime(2026, 11, 20, 12, tzinfo=UTC))
    said = str(locks.all_locks(found).blocks)
    assert "1 lock." in said
    assert "`gh/acme/backend main` · another version of me wrote this one, and I cannot read it" in said
