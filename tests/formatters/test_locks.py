"""Locks in words."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.actions import TakeLock
from bot.answers.acts import LockChanged
from bot.answers.locks import Locks
from bot.ends import NOT_GIVEN
from bot.errors import Locked
from bot.models.audit import Entry
from bot.models.circleci import ProjectSlug
from bot.models.lengths import tells_of_time
from bot.models.lock import Lock
from formatters import lock_news, locks
from formatters.limits import violations


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


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("tomorrow", "That time has passed today, so it is tomorrow's."),
        ("next_week", "so it is next week's."),
        ("skipped", "it is the moment after."),
        ("twice", "the second is meant."),
        ("utc", "I do not know your time zone"),
    ],
)
def test_how_an_end_was_read_is_said_where_another_may_be_meant(note: str, words: str) -> None:
    lock = LOCK.model_copy(update={"until": LOCK.since + timedelta(hours=2)})
    told = locks.locked(changed("U0ADA", "lock").model_copy(update={"lock": lock, "notes": (note,)})).text
    assert "It ends by itself: <!date^" in told
    assert "|2026-11-20 14:00 UTC>" in told
    assert words in told


def test_a_lock_whose_reason_tells_of_a_time_and_that_has_no_end_is_told_how_to_have_one() -> None:
    for act, words in (("lock", locks.locked), ("lock_again", locks.locked_again)):
        told = changed("U0ADA", act).model_copy(update={"notes": (NOT_GIVEN,)})
        assert (
            "It has no end: the time in your reason is a part of that. `/ci lock gh/acme/frontend 2h`"
            in words(told).text
        )
        ends = told.model_copy(update={"lock": LOCK.model_copy(update={"until": LOCK.since})})
        assert "It has no end" not in words(ends).text


@pytest.mark.parametrize(
    ("reason", "tells"),
    [
        ("back in 2 hours", True),
        ("done by friday.", True),
        ("freeze until 17:00", True),
        ("slow 2h", True),
        ("incident 42", False),
        ("500s everywhere", False),
        ("wed is off", False),
    ],
)
def test_which_reasons_tell_of_a_time(reason: str, tells: bool) -> None:
    assert tells_of_time(reason) is tells


@pytest.mark.parametrize(("reason", "pressed"), [("hotfix", True), ("long " * 300, True), ("too long " * 300, False)])
def test_the_dialog_of_take_over_names_ones_own_reason_and_end(reason: str, pressed: bool) -> None:
    error = Locked("acme/frontend", key=LOCK.key, holder_id="U0ADA", reason="x", age=timedelta(), word="lock")
    error.own_reason, error.own_until = reason, LOCK.since
    message = locks.refused(error)
    buttons = {one["text"]["text"]: one for one in message.blocks[-1]["elements"]}
    assert violations(message) == []
    assert ("Take over" in buttons) is pressed
    if pressed:
        asked = buttons["Take over"]["confirm"]["text"]["text"]
        assert f"then, until 2026-11-20 12:00 UTC. Your reason: {reason[:70]}" in asked
        assert TakeLock.unpack(buttons["Take over"]["value"]).reason == reason


def test_what_a_channel_hears_is_one_harmless_line_whatever_the_reason_is() -> None:
    hostile = {"reason": "<!channel> *x*\n" * 200, "holder_name": "<@U0EVE> " * 20}
    for lock in (LOCK, LOCK.model_copy(update={"until": LOCK.since})):
        message = lock_news.news(lock.model_copy(update=hostile))
        (said, row) = message.blocks
        assert violations(message) == []
        assert "<!channel" not in message.text + said["text"]["text"]
        assert "<@" not in message.text
        assert "\n" not in said["text"]["text"]
        assert [one["text"]["text"] for one in row["elements"]] == ["Unlock"]


@pytest.mark.parametrize(
    ("more", "in_thread", "said"),
    [
        ({}, False, None),
        ({}, True, "All of acme/frontend is locked. The channel has the news."),
        ({"notes": ("tomorrow",), "until": LOCK.since}, False, "so it is tomorrow's."),
        ({"notes": (NOT_GIVEN,)}, False, "It has no end: the time in your reason is a part of that."),
        ({"unbuilt": True, "near": "main"}, True, "lately. Did you mean `main`?"),
        ({"act": "unlock"}, False, None),
        ({"act": "unlock"}, True, "All of acme/frontend is unlocked. The channel has the news."),
        ({"act": "unlock", "still": LOCK}, False, "is gone, but <@U0ADA> has locked acme/frontend as a whole"),
    ],
)
def test_what_the_channel_was_told_is_not_said_a_second_time(
    more: dict[str, object], *, in_thread: bool, said: str | None
) -> None:
    lock = LOCK.model_copy(update={"until": more.pop("until", None)})
    found = changed("U0ADA", "lock").model_copy(update={"lock": lock, **more})
    message = locks.beside_news(found, in_thread=in_thread)
    assert (message is None) is (said is None)
    assert message is None or (str(said) in message.text and not violations(message))
