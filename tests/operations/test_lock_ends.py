"""Stories of how long a lock holds: it ends by itself, whoever runs then, and who is to hear of it does, once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.actions import AskHolder, RunCommand, TakeLock, TellWhenFree, Unlock
from bot.models.circleci import ProjectSlug, Ref
from bot.models.lock import Lock, Waiting, lock_key
from bot.models.slack import utc_now
from bot.watching.engine import END_LOCK
from playground.slack.conversations import Message
from tests.one_redis import server_is
from tests.operations.scene import (
    FRONTEND,
    again_until,
    answers,
    presses,
    pulls_forward,
    said,
    somewhere,
    team_under,
    types,
    writes,
)
from tests.stories.team import Team, bot_at_work, far_sides

MAIN = lock_key(ProjectSlug(FRONTEND), Ref(name="main"))


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under("", tmp_path) as team:
        yield team


async def held(team: Team, key: str = MAIN) -> Lock:
    lock = await team.app.store.locks.get(key)
    assert lock is not None
    return lock


async def time_is_up(team: Team, key: str = MAIN) -> None:
    """Let the moment come at which a lock ends."""
    lock = await held(team, key)
    assert await team.app.store.locks.take(lock, lock.model_copy(update={"until": utc_now()}))


def public(team: Team, words: str) -> list[Message]:
    return [one for one in team.deploys.messages if words in one.visible]


async def heard(team: Team, words: str) -> list[Message]:
    """Wait until the channel hears what a task tells it."""
    return await team.slack.wait_for(lambda: public(team, words))


async def all_is_told(team: Team) -> None:
    """Wait until nobody is left who is to hear of a lock."""
    async with asyncio.timeout(10):
        while await team.app.store.locks.due():
            await pulls_forward(team, END_LOCK)
            await team.slack.pause(0.02)


async def test_a_lock_ends_by_itself_and_channel_and_who_waits_hear_it_once(team: Team) -> None:
    await types(team, team.grace, "lock acme/frontend main migration until 23:59")
    (news,) = public(team, "grace locked acme/frontend main until")
    assert news.buttons == ["Unlock"]
    (refused,) = await types(team, team.ada, "deploy acme/frontend main env=prod")
    assert "@grace locked acme/frontend main just now, until" in refused.visible
    for words in ("I tell you in a direct message, once", "You had asked for that already."):
        assert words in said(await presses(team, team.ada, refused, "Tell me when it ends"))
    await time_is_up(team)
    # Nobody has told it yet, and it stops nobody any more.
    assert "Nothing is locked." in said(await types(team, team.ada, "locks"))
    assert not public(team, "has ended")
    await pulls_forward(team, END_LOCK)
    free = (await team.slack.wait_for(lambda: team.ada.direct_messages))[-1]
    assert "The lock on acme/frontend main that stopped you is gone: it has ended." in free.visible
    assert "@grace's lock on acme/frontend main has ended: migration." in public(team, "has ended:")[0].visible
    assert news.buttons == []
    there = said(await presses(team, team.ada, free, "Deploy main"))
    assert team.posts("/pipeline") == [{"branch": "main", "parameters": {"env": "prod"}}]
    assert await heard(team, "asked by ada")  # it stands where it was stopped
    assert "It is carried out in #deploys" in there
    await types(team, team.grace, "lock acme/frontend main again")
    await types(team, team.grace, "unlock acme/frontend main")
    await heard(team, "grace lifted the lock on acme/frontend main.")
    told = [one for one in team.ada.direct_messages if "that stopped you" in one.visible]
    assert len(told) == len(public(team, "has ended:")) == 1


async def test_what_was_stopped_is_carried_out_where_it_is_pressed_by_who_is_there_no_more(team: Team) -> None:
    there = team.slack.workspace.channel("releases")
    there.members.remove(team.ada.id)
    line = RunCommand(text="deploy acme/frontend main", channel_id=there.id)
    await presses(team, team.ada, somewhere(team), line)
    assert await heard(team, "asked by ada")
    assert there.messages == []


@pytest.mark.parametrize(
    ("first", "then", "said_of_it"),
    [("2h", "10m", "; it was to end 2"), ("", "2h", "; it had no end.")],
    ids=["earlier", "an end at all"],
)
async def test_who_waits_hears_once_that_the_end_was_moved(team: Team, first: str, then: str, said_of_it: str) -> None:
    await types(team, team.grace, f"lock acme/frontend main {first} migration")
    await presses(team, team.ada, somewhere(team), TellWhenFree(key=MAIN))
    await types(team, team.grace, f"lock acme/frontend main {then}")
    (told,) = await team.slack.wait_for(lambda: team.ada.direct_messages)
    assert "The lock on acme/frontend main that you wait for ends 2" in told.visible
    assert said_of_it in told.visible
    await types(team, team.grace, "lock acme/frontend main another reason")
    await pulls_forward(team, END_LOCK)
    await team.is_done()
    assert team.ada.direct_messages == [told]
    await types(team, team.grace, "unlock acme/frontend main")
    await team.slack.wait_for(lambda: "that stopped you is gone" in said(team.ada.direct_messages))


async def test_an_end_is_read_in_the_zone_of_who_says_it_and_said_where_it_is_not_known(team: Team) -> None:
    grace = team.slack.workspace.users[team.grace.id]
    for zone, hours, words in (("Asia/Tokyo", -9, ""), ("", 0, "I do not know your time zone, so I read it as UTC.")):
        grace.tz = zone
        told = said(await types(team, team.grace, "lock acme/frontend main until tomorrow 12:00"))
        at = (await held(team)).until
        assert at is not None
        assert at.hour == (12 + hours) % 24
        assert f"It ends by itself: {at:%Y-%m-%d %H:%M}." in told
        assert words in told


async def test_how_long_a_lock_holds_is_counted_on_the_clock_that_all_share(team: Team) -> None:
    server_is(team.app.store, timedelta(hours=-3))  # the clock of this host is that much ahead
    await types(team, team.grace, "lock acme/frontend main 2h")
    lock = await held(team)
    left = await team.app.store.locks.left(lock)
    assert left is not None
    assert timedelta(minutes=119) < left <= timedelta(hours=2)


async def test_a_second_lock_of_ones_own_changes_what_is_given_and_the_channel_hears_it(team: Team) -> None:
    await types(team, team.grace, "lock acme/frontend main migration")
    (first,) = public(team, "grace locked acme/frontend main: migration. It stays until it is unlocked.")
    told = said(await types(team, team.grace, "lock acme/frontend main 2h"))
    assert "You had locked acme/frontend main already. Your reason is still: migration. It ends by itself:" in told
    assert first.buttons == []
    (second,) = public(team, "grace changed the lock on acme/frontend main, until 2")
    told = said(await types(team, team.grace, "lock acme/frontend main incident 42"))
    assert "Your reason is now: incident 42 (it was: migration). It ends as before:" in told
    before = len(team.deploys.messages)
    await types(team, team.grace, "lock acme/frontend main incident 42")  # the same once more is no news
    assert len(team.deploys.messages) == before
    until = (await held(team)).until
    assert until is not None
    assert timedelta(minutes=119) < until - datetime.now(UTC) < timedelta(hours=2)
    assert second.buttons == []
    await types(team, team.grace, "lock acme/frontend main 10m")  # also an earlier end is the one that counts
    assert await ends_when(team) == (await held(team)).until


async def ends_when(team: Team) -> datetime:
    (task,) = [one for one in (await team.app.docket.snapshot()).future if one.function_name == END_LOCK]
    return task.when


async def test_who_takes_over_with_a_lock_of_their_own_holds_it_with_their_reason_and_end(team: Team) -> None:
    await types(team, team.grace, "lock acme/frontend main 2h migration")
    (refused,) = await types(team, team.ada, "lock acme/frontend main my hotfix for 5h")
    assert "@grace has locked acme/frontend main already" in refused.visible
    assert "*Take over* makes it yours until 2" in refused.visible
    (taken,) = await presses(team, team.ada, refused, "Take over")
    lock = await held(team)
    assert (lock.holder_id, lock.reason) == (team.ada.id, "my hotfix")
    assert lock.until is not None
    assert timedelta(minutes=299) < lock.until - datetime.now(UTC) < timedelta(hours=5)
    assert await ends_when(team) == lock.until
    assert f"Your reason: my hotfix. It ends by itself: {lock.until:%Y-%m-%d %H:%M}" in taken.visible
    (news,) = public(team, "ada took over grace's lock on acme/frontend main, until")
    assert f"{lock.until:%Y-%m-%d %H:%M}: my hotfix." in news.visible
    # A reason alone leaves the end, and a button of an earlier version leaves both; the answer names what is left.
    (refused,) = await types(team, team.grace, "lock acme/frontend main incident 42")
    told = said(await presses(team, team.grace, refused, "Take over"))
    assert f"Your reason: incident 42. It ends as before: {lock.until:%Y-%m-%d %H:%M}" in told
    told = said(await presses(team, team.ada, somewhere(team), TakeLock(key=MAIN, holder_id=team.grace.id)))
    assert "Its reason is still that of @grace: incident 42. It ends as before:" in told
    # Whose end has passed since it was shown takes nothing.
    late = TakeLock(key=MAIN, holder_id=team.ada.id, until=utc_now() - timedelta(minutes=1))
    assert "has passed since" in said(await presses(team, team.grace, somewhere(team), late))
    assert (await held(team)).holder_id == team.ada.id


async def test_whoever_may_lifts_it_by_the_channels_button_and_takes_it_over_with_its_end(team: Team) -> None:
    await types(team, team.grace, "lock acme/frontend main 2h migration")
    until = (await held(team)).until
    (refused,) = await types(team, team.ada, "deploy acme/frontend main")
    await presses(team, team.ada, refused, "Tell me when it ends")
    await presses(team, team.ada, refused, "Take over")
    (news,) = public(team, "ada took over grace's lock on acme/frontend main, until")
    assert (await held(team)).until == until
    assert public(team, "grace locked acme/frontend main")[0].buttons == []
    assert "guests may only read" in said(await presses(team, team.slack.person("guest"), news, "Unlock"))
    assert (await held(team)).holder_id == team.ada.id
    assert "is unlocked" in said(await presses(team, team.grace, news, "Unlock"))
    assert len(await heard(team, "grace lifted ada's lock on acme/frontend main.")) == 1
    assert news.buttons == []
    # Ada holds what she waited for, and is told of nothing but who lifted it.
    assert [one.visible for one in team.ada.direct_messages if "that stopped you" in one.visible] == []


async def test_who_waits_hears_of_the_end_and_of_what_else_is_locked(team: Team) -> None:
    wish = TellWhenFree(key=MAIN)
    assert "is not locked any more" in said(await presses(team, team.ada, somewhere(team), wish))
    await types(team, team.grace, "lock acme/frontend main migration")
    assert "is your own" in said(await presses(team, team.grace, somewhere(team), wish))
    await presses(team, team.ada, somewhere(team), wish)
    await types(team, team.grace, 'lock acme/frontend "freeze"')
    await types(team, team.grace, "unlock acme/frontend:main")
    (told,) = await team.slack.wait_for(lambda: team.ada.direct_messages)
    assert "is gone: grace lifted it. But acme/frontend is locked too" in told.visible
    assert writes(team) == []


BLIND = """
[roles.blind]
users = ["U0ADA"]

[[rules]]
name = "all"
words = ["*"]

[[rules]]
name = "not for some"
effect = "deny"
roles = ["blind"]
words = ["read"]
"""


async def test_who_may_not_look_at_it_is_told_nothing_of_its_end_now_or_later(tmp_path: Path) -> None:
    async with team_under(BLIND, tmp_path) as team:
        await types(team, team.grace, "lock acme/frontend main migration")
        refused = said(await presses(team, team.ada, somewhere(team), TellWhenFree(key=MAIN)))
        assert "not for some" in refused
        assert "acme/frontend" not in refused
        assert await team.app.store.locks.waiting(MAIN) == []
        # And who might when they asked.
        await team.app.store.locks.wait(MAIN, Waiting(person_id=team.ada.id, channel_id=team.deploys.id))
        await types(team, team.grace, "unlock acme/frontend main")
        await all_is_told(team)
        assert team.ada.direct_messages == []


async def test_who_may_deploy_and_not_look_reads_nothing_of_a_lock(tmp_path: Path) -> None:
    async with team_under(BLIND.replace('["read"]', '["read"]\nbranches = ["main"]'), tmp_path) as team:
        await types(team, team.grace, "lock acme/frontend main migration until 23:59")
        since = (await held(team)).since.isoformat()
        assert "Nothing is locked, as far as I may show it." in said(await types(team, team.ada, "locks"))
        assert "1 lock." in said(await types(team, team.grace, "locks"))
        for text in ("deploy acme/frontend main", "lock acme/frontend:main mine", "rerun acme/frontend main"):
            told = said(await types(team, team.ada, text))
            assert not any(words in told for words in ("migration", "grace", "until")), told
        (told_of_deploy,) = await types(team, team.ada, "deploy acme/frontend main")
        assert "It is locked, and a rule keeps you from looking at it. Nothing was deployed." in told_of_deploy.visible
        assert told_of_deploy.buttons == []
        holder = team.grace.id
        for forged in (
            Unlock(key=MAIN, holder_id=team.ada.id, since="x"),
            TakeLock(key=MAIN, holder_id=holder, since=since),
            AskHolder(key=MAIN, holder_id=holder),
        ):
            told = said(await presses(team, team.ada, somewhere(team), forged))
            assert "not for some" in told
            assert not any(words in told for words in ("migration", "grace", "until")), told
        assert (await held(team)).holder_id == holder
        assert "migration" in said(await types(team, team.slack.person("admin"), "deploy acme/frontend main"))


async def test_where_i_cannot_write_who_asks_is_told_that_nobody_heard(team: Team) -> None:
    before = list(team.grace.sees_only)
    await team.grace.command("random", "/ci", "lock acme/frontend main 2h")
    await team.is_done()
    assert "This channel has not heard of it" in said(answers(team.grace, before))
    await types(team, team.grace, "lock acme/frontend:try/slow 2h")
    team.deploys.is_archived = True
    for key in (MAIN, MAIN.replace("main", "try/slow")):
        await time_is_up(team, key)
    await pulls_forward(team, END_LOCK)
    ended = [f"lock on acme/frontend {branch} has ended" for branch in ("main", "try/slow")]
    await team.slack.wait_for(lambda: all(words in said(team.grace.direct_messages) for words in ended))


async def test_a_lock_ends_while_nobody_runs_and_of_two_processes_one_says_so(tmp_path: Path) -> None:
    async with far_sides(speed=0) as (circleci, slack):
        async with bot_at_work(circleci, slack, tmp_path / "data") as team:
            await types(team, team.grace, "lock acme/frontend main 2h migration")
            await types(team, team.grace, "lock acme/frontend:try/slow 2h")
            await time_is_up(team)
        async with (
            bot_at_work(circleci, slack, tmp_path / "data") as team,
            bot_at_work(circleci, slack, tmp_path / "data"),
        ):
            await heard(team, "has ended: migration")
            assert "1 lock." in said(await types(team, team.ada, "locks"))
            await types(team, team.ada, "deploy acme/frontend main")
            assert len(team.posts("/pipeline")) == 1
            assert len(public(team, "has ended: migration")) == 1


async def test_where_slack_is_busy_the_channel_hears_of_a_lock_a_little_later_and_once(team: Team) -> None:
    team.slack.refuse("chat.postMessage", "internal_error", times=1)
    assert "has not heard" not in said(await types(team, team.grace, "lock acme/frontend main 2h migration"))
    await pulls_forward(team, END_LOCK)
    (news,) = await heard(team, "grace locked acme/frontend main until")
    await pulls_forward(team, END_LOCK)
    assert "is unlocked" in said(await presses(team, team.ada, news, "Unlock"))
    for reason in ("one", "two", "one"):  # what is said once more is said, also where it had been said before
        await types(team, team.grace, f"lock acme/frontend main {reason}")
    assert [one.buttons for one in public(team, "the lock on acme/frontend main")][-1] == ["Unlock"]
    assert len(public(team, ": one.")) == 2


@pytest.mark.parametrize("lifted", [False, True])
async def test_what_one_who_waits_cannot_be_told_yet_is_said_to_the_channel_once(team: Team, lifted: bool) -> None:
    await types(team, team.grace, "lock acme/frontend main 2h migration")
    await presses(team, team.ada, somewhere(team), TellWhenFree(key=MAIN))
    answers_of = {"conversations.history": "missing_scope", "conversations.open": "internal_error"}
    for method, code in answers_of.items():  # without the scope, nobody can look whether it was said
        body = {"ok": False, "error": code}
        team.slack.faults.add("*", f"/api/{method}", status=200, body=body, times=None)
    if lifted:
        await types(team, team.grace, "unlock acme/frontend main")
    else:
        await time_is_up(team)
    await again_until(lambda: pulls_forward(team, END_LOCK), lambda: _asked(team, "conversations.open") >= 3)
    words = "lifted the lock" if lifted else "has ended: migration"
    assert len(public(team, words)) == 1
    team.slack.faults.clear()
    await all_is_told(team)
    assert len(public(team, words)) == len(team.ada.direct_messages) == 1


def _asked(team: Team, method: str) -> int:
    return sum(seen.path.endswith(method) for seen in team.slack.requests)


@pytest.mark.parametrize(("drop", "posts_again"), [("before", 1), ("after", 0)])
async def test_what_slack_gives_no_answer_to_is_said_once_all_the_same(team: Team, drop: str, posts_again: int) -> None:
    def breaks(spare: int = 0) -> None:
        team.slack.faults.add("POST", "/api/chat.postMessage", drop=drop, spare=spare)

    breaks()
    await types(team, team.grace, "lock acme/frontend main 2h migration")
    await again_until(lambda: pulls_forward(team, END_LOCK), lambda: public(team, "grace locked"))
    await presses(team, team.ada, somewhere(team), TellWhenFree(key=MAIN))
    await time_is_up(team)
    breaks()  # what the channel is to hear, and then the direct message
    breaks(posts_again)
    await all_is_told(team)
    assert sum(seen.spoiled for seen in team.slack.requests) == 3
    assert len(public(team, "grace locked")) == len(public(team, "has ended: migration")) == 1
    assert len(team.ada.direct_messages) == 1
