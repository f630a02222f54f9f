"""Stories of a channel that subscribes: who may, once, said to all, ended by its line, and never lost."""

import asyncio
import copy
import itertools
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest

from bot.answers.subscriptions import Subscribed
from bot.errors import NothingToDo
from bot.models.caller import Caller, Place
from bot.models.circleci import Project, ProjectSlug
from bot.models.red import Branch
from bot.models.subscription import Event, Mode, Subscription, Wish
from bot.settings import Projects
from bot.store import subscriptions
from bot.watching.engine import SAY
from formatters import red
from playground.slack.people import Person
from tests.operations.scene import (
    FRONTEND,
    mentions,
    on_record,
    presses,
    pulls_forward,
    pushed,
    record,
    said,
    somewhere,
    team_under,
    types,
)
from tests.stories.team import Team

PROJECTS = Projects(people={"octo-ada": "U0ADA", "octo-grace": "U0GRACE"})
POLICY = """
[[rules]]
name = "members may all this"
roles = ["members"]
words = ["read", "cancel"]

[[rules]]
name = "guests look"
roles = ["guests"]
words = ["read"]

[[rules]]
name = "the merger is secret"
effect = "deny"
words = ["read"]
roles = ["guests"]
branches = ["merger"]

[[rules]]
name = "the backend is secret"
effect = "deny"
words = ["read"]
roles = ["guests"]
projects = ["acme/backend"]
"""

OF_WHO_CANCELS = """name = "guests cancel"
roles = ["guests"]
words = ["read", "cancel"]"""


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under(POLICY, tmp_path, projects=PROJECTS) as team:
        yield team


async def kept(team: Team) -> list[Subscription]:
    return await team.app.store.subscriptions.all()


def told(team: Team) -> list[str]:
    """Return what the channel was told, oldest first."""
    bot = team.slack.workspace.bot_user_id
    return [one.visible for one in team.deploys.messages if one.user == bot and " say here" in one.visible]


def guest_of(team: Team) -> Person:
    return team.slack.person("guest")


async def test_a_channel_is_told_who_subscribed_it_to_what_and_the_same_twice_is_one(team: Team) -> None:
    assert await types(team, team.ada, "subscribe acme/frontend") == []
    (first,) = await kept(team)
    assert (first.made_by, first.channel_id, first.default_branch) == ("U0ADA", team.deploys.id, "main")
    assert (first.branches, first.events, first.mode) == ((), (Event.BROKE, Event.FIXED), Mode.THREAD)
    (began,) = told(team)
    assert (
        "From now on I say here when the default branch of acme/frontend (main now) breaks or is fixed"
        in began.replace("`", "")
    )
    assert "ada subscribed." in began
    again = said(await types(team, team.grace, "subscribe acme/frontend fixed broke"))
    assert "I say here already" in again
    assert "ada subscribed." in again
    assert (await kept(team), told(team)) == ([first], [began])
    entry = await on_record(team, "subscribe to acme/frontend main")
    assert (entry.word, entry.result) == ("read", "the channel hears of gh/acme/frontend broke fixed")


async def test_what_the_channel_hears_already_is_named_with_who_asked_for_that(team: Team) -> None:
    await types(team, team.ada, "subscribe acme/frontend")
    await types(team, team.grace, "subscribe acme/frontend main failed")
    assert "Of that I say here already when main of acme/frontend breaks (ada)." in told(team)[-1].replace("`", "")
    await types(team, team.ada, "subscribe acme/frontend develop failed")
    assert "already" not in told(team)[-1]
    await types(team, team.grace, "subscribe acme/frontend main failed channel")
    assert "already" not in told(team)[-1]
    await types(team, team.ada, "subscribe acme/* !acme/backend failed")
    assert told(team)[-1].replace("`", "").count("main of acme/frontend has a build that fails (grace)") == 1


async def test_what_they_may_not_look_at_is_not_named_to_them_as_heard_already(team: Team) -> None:
    """Who may look at all of a project but one branch does not learn of that from the answer."""
    await types(team, team.ada, "subscribe acme/backend")
    await types(team, guest_of(team), "subscribe acme/*")
    assert "acme/backend" not in told(team)[-1]


async def test_of_two_who_ask_at_once_one_is_kept_and_said(team: Team) -> None:
    asked = [person.command("deploys", "/ci", "subscribe acme/frontend main") for person in (team.ada, team.grace)]
    await asyncio.gather(*asked)
    await team.is_done()
    assert (len(await kept(team)), len(told(team))) == (1, 1)


async def test_another_mode_or_mention_is_said_with_what_was_before(team: Team) -> None:
    await types(team, team.ada, "subscribe acme/frontend main")
    await mentions(team, team.grace, "subscribe acme/frontend main channel mention=<!subteam^S0ONCALL|@oncall>")
    (one,) = await kept(team)
    assert (one.mode, one.mention, one.made_by) == (Mode.CHANNEL, "S0ONCALL", "U0ADA")
    changed = told(team)[-1]
    assert "until now it was in one thread for each time that it is red, nobody mentioned" in changed
    assert "oncall is mentioned when it breaks" in changed
    assert "<!subteam" not in changed  # which would ping them


async def test_whom_a_rule_mentions_is_called_by_name_however_they_are_given(team: Team) -> None:
    team.slack.workspace.add_usergroup("S0ONCALL", "oncall", "U0ADA")
    for given, name in (("S0ONCALL", "@oncall"), ("U0GRACE", "grace"), ("S0NOBODY", "")):
        await types(team, team.ada, f"subscribe acme/frontend mention={given}")
        assert (await kept(team))[0].mention_name == name
        assert f"{name or given} is mentioned when it breaks" in told(team)[-1].replace("`", "")


async def test_who_may_not_read_subscribes_to_nothing_and_sees_nothing_of_it(team: Team) -> None:
    for line in ("acme/backend", "acme/backend main", "acme/frontend merger", "acme/frontend main merger"):
        assert "may not look at this" in said(await types(team, guest_of(team), f"subscribe {line}")), line
    # What is pushed later may be what they must not see.
    assert "may not look at this" in said(await types(team, guest_of(team), "subscribe acme/frontend *"))
    assert (await kept(team), told(team)) == ([], [])
    for line in ("acme/backend", "acme/frontend merger", "acme/frontend main"):
        await types(team, team.ada, f"subscribe {line}")
    listed = said(await types(team, guest_of(team), "subscriptions"))
    assert "There is 1 subscription here." in listed
    assert "backend" not in listed
    assert "merger" not in listed
    for line in ("acme/backend", "acme/frontend merger"):
        assert "There is no such subscription" in said(await types(team, guest_of(team), f"unsubscribe {line}"))
    assert "There are 3 subscriptions here." in said(await types(team, team.grace, "subscriptions"))


async def test_what_is_listed_ends_it_and_what_others_subscribed_takes_more_than_reading(team: Team) -> None:
    await types(team, team.ada, "subscribe acme/frontend main release/* !release/old failed")
    await types(team, guest_of(team), "subscribe acme/frontend main")
    for line in ("unsubscribe acme/frontend main failed", "unsubscribe acme/frontend nowhere", "unsubscribe acme/cli"):
        assert "There is no such subscription" in said(await types(team, team.ada, line)), line
    asked = said(await types(team, team.grace, "unsubscribe frontend"))
    assert "Unsubscribe acme/frontend?" in asked
    which = said(await types(team, team.grace, "unsubscribe acme/frontend"))
    lines = [f"unsubscribe {one.line}" for one in await kept(team)]
    assert all(line in which for line in lines)
    refused = said(await types(team, guest_of(team), lines[0]))
    assert "may not change what a channel hears" in refused
    assert (
        "may not change"
        in said(await types(team, guest_of(team), "subscribe acme/frontend main release/* !release/old failed channel"))
        or len(await kept(team)) == 2
    )
    await types(team, guest_of(team), lines[1])  # their own
    await types(team, team.grace, lines[0])
    assert await kept(team) == []
    assert ["guest ended it" in told(team)[-2], "grace ended it" in told(team)[-1]] == [True, True]
    assert "There is no such subscription" in said(await types(team, team.grace, lines[0]))
    assert [one.what for one in await record(team) if one.outcome == "done"][-1].startswith("unsubscribe from")


async def test_what_others_subscribed_is_changed_by_who_may_end_it(team: Team) -> None:
    await types(team, team.ada, "subscribe acme/frontend main")
    refused = said(await types(team, guest_of(team), "subscribe acme/frontend main channel"))
    assert "may not change what a channel hears" in refused
    await types(team, team.grace, "subscribe acme/frontend main channel")
    assert [one.mode for one in await kept(team)] == [Mode.CHANNEL]


async def test_what_circleci_knows_no_more_and_they_may_not_read_any_more_can_be_ended(team: Team) -> None:
    gone = {"project_slug": "circleci/5e0c5f62/00000000", "project_title": "acme/gone", "default_branch": "main"}
    hidden = {"project_slug": "gh/acme/backend", "project_title": "acme/backend", "default_branch": "main"}
    for number, of in enumerate((gone, hidden)):
        made = {"channel_id": team.deploys.id, "made_by": guest_of(team).id, "made_at": "2026-11-29T12:00:00Z"}
        await team.app.store.subscriptions.add(Subscription.model_validate({"id": f"s{number}", **made, **of}))
    assert "Nothing is subscribed here" in said(await types(team, guest_of(team), "subscriptions"))
    for one in await kept(team):
        await types(team, guest_of(team), f"unsubscribe {one.line}")
    assert await kept(team) == []


async def test_a_short_name_asks_with_the_whole_line(team: Team) -> None:
    (question,) = await types(team, team.ada, "subscribe frontend main still-red")
    assert await kept(team) == []
    (label,) = question.buttons
    sure = question.element(label)["confirm"]["text"]["text"]
    assert "This carries out: subscribe gh/acme/frontend main still-red" in sure
    await presses(team, team.ada, question, label)
    await presses(team, team.ada, question, label)
    assert [one.line for one in await kept(team)] == ["gh/acme/frontend main still-red"]
    assert len(told(team)) == 1


async def test_where_nobody_would_hear_and_beyond_what_is_kept_nothing_begins(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = team.ada.mark
    await team.ada.command("random", "/ci", "subscribe acme/frontend")
    await team.is_done()
    assert "I am not in this channel" in said(team.ada.sees_only_since(mark))
    monkeypatch.setattr(subscriptions, "MOST", 1)
    await types(team, team.ada, "subscribe acme/frontend")
    assert "I keep no more for one channel" in said(await types(team, team.ada, "subscribe acme/cli"))
    assert len(await kept(team)) == 1


async def test_what_was_paused_goes_on_and_stays_that_of_who_made_it(team: Team) -> None:
    await types(team, team.ada, "subscribe acme/frontend main")
    (one,) = await kept(team)
    await team.app.store.subscriptions.pause(one, "is_archived")
    assert "Paused: this channel is archived" in said(await types(team, team.grace, "subscriptions"))
    for more in ("channel", "mention=S0ONCALL"):
        refused = said(await types(team, guest_of(team), f"subscribe acme/frontend main {more}"))
        assert "may not change what a channel hears" in refused
    await types(team, guest_of(team), "subscribe acme/frontend main")
    (goes_on,) = await kept(team)
    assert goes_on == one
    assert "until now it was paused, as this channel is archived" in told(team)[-1]
    refused = said(await types(team, guest_of(team), "unsubscribe acme/frontend main"))
    assert "may not change what a channel hears" in refused


@pytest.mark.parametrize("paused", ["", red.HIDDEN])
async def test_what_somebody_left_behind_goes_on_for_who_asks_for_the_same(team: Team, paused: str) -> None:
    await types(team, team.ada, "subscribe acme/frontend main")
    (one,) = await kept(team)
    await team.app.store.subscriptions.pause(one, paused)
    team.slack.workspace.users["U0ADA"].deleted = True
    team.app.permissions.forget()
    await types(team, guest_of(team), "subscribe acme/frontend main channel")
    (goes_on,) = await kept(team)
    assert (goes_on.paused, goes_on.made_by, goes_on.mode) == ("", "U0GUEST", Mode.CHANNEL)
    assert "in the name of ada, who may not look at it any more" in told(team)[-1]


async def test_what_is_ended_and_begun_anew_knows_nothing_of_before(team: Team) -> None:
    def is_red(known: Branch) -> Branch:
        return known.model_copy(update={"number": 7, "red_since": 7, "root_ts": "1.2"})

    for line in ("acme/frontend main", "acme/frontend release/*"):
        await types(team, team.ada, f"subscribe {line}")
    channel_id, slug, store = team.deploys.id, ProjectSlug("gh/acme/frontend"), team.app.store.subscriptions
    for branch in ("main", "release/v1"):
        await store.know(channel_id, slug, branch, is_red)
    await types(team, team.ada, "unsubscribe acme/frontend main")
    await types(team, team.ada, "subscribe acme/frontend main")
    assert await store.known(channel_id, slug, "main") is None
    assert await store.known(channel_id, slug, "release/v1")


async def test_a_list_pages(team: Team) -> None:
    for number in range(12):
        await types(team, team.ada, f"subscribe acme/frontend topic-{number}")
    first = said(await types(team, team.ada, "subscriptions"))
    assert "topic-9" in first
    assert "topic-10" not in first
    assert "/ci subscriptions 2" in first
    second = said(await types(team, team.ada, "subscriptions 2"))
    assert "Page 2 of 2" in second
    assert "topic-11" in second
    assert second == said(await types(team, team.ada, "subscriptions 9"))


async def test_a_list_is_turned_and_each_of_it_ended_by_a_button(team: Team) -> None:
    for number in range(11):
        await types(team, team.ada, f"subscribe acme/frontend topic-{number}")
    await types(team, team.ada, 'subscribe acme/frontend "a`b"')  # no line in code ends that
    (first,) = await types(team, team.ada, "subscriptions")
    assert first.buttons == [*["Unsubscribe"] * 10, "Next", "Share here"]
    (second,) = await presses(team, team.ada, first, "Next")
    assert second.buttons[:2] == ["Unsubscribe"] * 2
    pressed = second.element("end_subscription:2")
    assert 'unsubscribe gh/acme/frontend "a`b" broke fixed' in pressed["confirm"]["text"]["text"]
    assert "may not change what a channel hears" in said(await presses(team, guest_of(team), second, pressed))
    assert await presses(team, team.grace, second, pressed) == []
    assert "grace ended it" in told(team)[-1]
    assert "has ended already" in said(await presses(team, team.ada, second, pressed))
    await types(team, team.ada, 'subscribe acme/frontend "a`b"')
    assert "has ended already" in said(await presses(team, team.ada, second, pressed))  # this one is another
    await mentions(team, team.ada, "subscriptions")
    (before_all,) = [one for one in team.deploys.messages if "There are 12 subscriptions here" in one.visible]
    assert "Shortened" not in before_all.visible


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("unsubscribe acme/frontend main", ["gh/acme/frontend broke fixed", "acme/* failed"]),
        ("unsubscribe acme/frontend release/v2", ["gh/acme/frontend release/* !release/old broke fixed"]),
        ("unsubscribe acme/frontend release/*", ["gh/acme/frontend release/* !release/old broke fixed"]),
        ("unsubscribe acme/frontend nowhere failed", ["gh/acme/frontend broke fixed", "acme/* failed"]),
        ("unsubscribe acme/cli", ["acme/* failed"]),
        ("unsubscribe acme/frontend by=octo-ada", ["gh/acme/frontend broke fixed", "acme/* failed"]),
    ],
)
async def test_a_line_that_ends_none_is_told_which_ones_tell_of_it(team: Team, typed: str, named: list[str]) -> None:
    for line in ("acme/frontend", "acme/frontend release/* !release/old", "acme/* failed"):
        await types(team, team.ada, f"subscribe {line}")
    (which,) = await types(team, team.grace, typed)
    assert "There is no such subscription" in which.visible
    assert all(f"/ci unsubscribe {line}" in which.visible for line in named)
    assert len(await kept(team)) == 3
    await presses(team, team.grace, which, which.element("Unsubscribe"))
    assert named[0] not in [one.line for one in await kept(team)]


async def test_a_line_ends_what_its_project_was_called_then(team: Team) -> None:
    await types(team, team.ada, "subscribe acme/frontend main")
    (one,) = await kept(team)
    await team.app.store.subscriptions.is_by_now(one, ProjectSlug("gh/acme/web"), "acme/web", "main")
    assert await types(team, team.ada, f"unsubscribe {one.line}") == []
    assert await kept(team) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("fixd", "gh/acme/frontend fixed"),
        ("main,release/* chanel", ""),  # two of them: each is asked about
        ("main,fixed channel", "gh/acme/frontend main fixed channel"),
        ('"channel" brok', 'gh/acme/frontend "channel" broke'),
        ("everything failed", "gh/acme/frontend * failed"),
        ("workflow=deploy,build", "gh/acme/frontend broke fixed workflow=deploy workflow=build"),
    ],
)
async def test_a_line_that_is_refused_is_offered_as_it_is_surely_meant(team: Team, typed: str, meant: str) -> None:
    (refused,) = await types(team, team.ada, f"subscribe acme/frontend {typed}")
    assert await kept(team) == []
    assert len(refused.buttons) == bool(meant)
    if meant:
        assert await presses(team, team.ada, refused, refused.buttons[0]) == []
        assert [one.line for one in await kept(team)] == [meant]


async def test_who_never_built_there_and_a_workflow_that_is_none_are_named(team: Team) -> None:
    pushed(team, "main", 400)
    await types(team, team.ada, "subscribe acme/frontend by=nobody-such workflow=nosuch")
    assert "None of the newest builds there fits by=nobody-such or workflow=nosuch." in told(team)[-1].replace("`", "")
    for line in ("by=barbara", "workflow=build-*", "by=BARBARA workflow=!nosuch"):
        await types(team, team.ada, f"subscribe acme/frontend {line}")
        assert "None of the newest" not in told(team)[-1], line


async def test_what_is_pushed_to_a_branch_that_they_may_not_look_at_is_not_there_for_them(team: Team) -> None:
    pushed(team, "main", 400)
    team.circleci.world.set_scenario(FRONTEND, "merger", "green")
    team.circleci.world.trigger(FRONTEND, branch="merger", parameters={}, by="carol")
    for person, is_named in ((guest_of(team), True), (team.ada, False)):
        await types(team, person, f"subscribe acme/frontend main by={'carol' if is_named else 'CAROL'} failed")
        assert ("None of the newest builds there fits" in told(team)[-1]) is is_named
        await types(team, person, "unsubscribe acme/frontend")


async def test_in_direct_messages_it_is_for_one_alone_and_a_redelivery_is_nothing_new(team: Team) -> None:
    await team.ada.message_bot("subscribe acme/frontend main")
    await team.slack.wait_for(
        lambda: any("From now on I say here when" in one.visible for one in team.ada.direct_messages)
    )
    (one,) = await kept(team)
    assert one.channel_id.startswith("D")
    delivery = await team.ada.command("deploys", "/ci", "subscribe acme/frontend main")
    await team.is_done()
    await team.ada.redeliver(delivery)
    await team.is_done()
    assert (len(await kept(team)), len(told(team))) == (2, 1)


def speaks(team: Team, person: Person) -> Caller:
    return Caller(person_id=person.id, name=person.user.name, place=Place(channel_id=team.deploys.id), delivery_id="it")


async def dies_over(team: Team, method: str, run: Coroutine[Any, Any, object]) -> None:
    """Let a run die while Slack has not answered a call."""
    lost, before = asyncio.Event(), len(team.slack.requests)
    team.slack.faults.add("POST", f"/api/{method}", drop="before", until=lost)
    task = asyncio.create_task(run)
    await team.until(lambda: any(one.path.endswith(method) for one in team.slack.requests[before:]) or task.done())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    team.slack.faults.clear()
    lost.set()


@pytest.mark.parametrize("act", ["began", "changed", "ended"])
async def test_a_run_that_died_is_gone_on_with_by_the_next(team: Team, act: str) -> None:
    if act != "began":
        await types(team, team.ada, "subscribe acme/frontend main")
    before, operations, grace = len(told(team)), team.app.operations, speaks(team, team.grace)
    known = (await kept(team))[0].project_id if act != "began" else ""
    project = Project(slug=ProjectSlug(FRONTEND), organization_name="acme", name="frontend", id=known)

    async def run() -> Subscribed:
        if act == "ended":
            begun = await operations.begun_to_end(grace)
            return await operations.unsubscribe(grace, begun or (await kept(team))[0])
        return await operations.subscribe(grace, project, Wish(branches=("main",), mode=Mode.CHANNEL))

    await dies_over(team, "chat.postMessage", run())
    assert len(told(team)) == before
    for _ in range(2):
        again = await run()
        assert (again.act, again.told) == (act, True)
    (word,) = told(team)[before:]
    what = {"began": "grace subscribed", "changed": "grace changed that: until now", "ended": "grace ended it"}[act]
    assert what in word
    assert len(await kept(team)) == (act != "ended")


async def test_a_run_that_is_gone_on_with_ends_none_that_was_begun_anew_meanwhile(team: Team) -> None:
    await types(team, team.ada, "subscribe acme/frontend main")
    ada, operations = speaks(team, team.ada), team.app.operations

    async def run() -> Subscribed:
        return await operations.unsubscribe(ada, await operations.begun_to_end(ada) or (await kept(team))[0])

    await dies_over(team, "chat.postMessage", run())
    await types(team, team.grace, "subscribe acme/frontend main")
    for _ in range(2):
        assert (await run()).act == "ended"
    (one,) = await kept(team)
    assert one.made_by == team.grace.id
    assert ["ada ended it" in word for word in told(team)] == [False, True, False]


async def test_what_a_list_has_is_not_ended_in_the_place_of_what_was_begun_anew(team: Team) -> None:
    """Two press at once, of whom one had read the list before the other's end."""
    await types(team, team.ada, "subscribe acme/frontend main")
    (listed,) = await kept(team)
    await types(team, team.ada, "unsubscribe acme/frontend main")
    await types(team, team.ada, "subscribe acme/frontend main")
    with pytest.raises(NothingToDo):
        await team.app.operations.unsubscribe(speaks(team, team.ada), listed)
    assert len(await kept(team)) == 1
    assert "From now on" in told(team)[-1]


async def test_who_ends_it_is_answered_before_the_messages_about_what_is_red(team: Team) -> None:
    """However many there are: they wait for their turns, and those of a run that died are not left as they were."""
    root, answered = somewhere(team), asyncio.Event()
    await types(team, team.ada, "subscribe acme/frontend main")
    is_red = {"red_since": 7, "number": 7, "root_ts": root.ts}
    place = (team.deploys.id, ProjectSlug(FRONTEND), "main")
    await team.app.store.subscriptions.know(*place, lambda one: one.model_copy(update=is_red))
    team.slack.faults.add("POST", "/api/chat.update", until=answered)
    await types(team, team.ada, "unsubscribe acme/frontend main")
    assert "ada ended it" in told(team)[-1]
    await types(team, team.ada, "subscribe acme/frontend main")
    assert await team.app.store.subscriptions.known(*place) is None
    answered.set()
    await team.until(lambda: "main of acme/frontend was red" in root.text)
    assert root.buttons == []


@pytest.mark.parametrize("line", ["main channel", "main", "develop"])
async def test_what_slack_does_not_take_for_a_moment_the_channel_reads_a_moment_later(team: Team, line: str) -> None:
    await types(team, team.ada, "subscribe acme/frontend main")
    before = len(told(team))
    team.slack.faults.add("POST", "/api/chat.postMessage", status=503)
    verb = "unsubscribe" if line == "main" else "subscribe"
    assert "say here" in said(await types(team, team.grace, f"{verb} acme/frontend {line}"))  # who asked reads it now
    await pulls_forward(team, SAY)
    await team.until(lambda: len(told(team)) > before)
    assert len(told(team)) == before + 1


async def test_of_many_who_change_it_at_once_the_channel_reads_last_what_holds(team: Team) -> None:
    await types(team, team.ada, "subscribe acme/frontend main")
    people = [team.ada, team.grace, team.slack.person("admin")] * 3
    lines = [f"subscribe acme/frontend main {'channel' if at % 2 else 'thread'}" for at in range(len(people))]
    await asyncio.gather(*(who.command("deploys", "/ci", line) for who, line in zip(people, lines, strict=True)))
    await team.is_done()
    async with asyncio.timeout(10):
        while await team.app.store.unsaid.channels():
            await team.slack.pause(0.05)
    (one,) = await kept(team)
    words = told(team)
    is_apart = "each time by a message" in words[-1].partition("changed")[0]
    assert is_apart is (one.mode is Mode.CHANNEL)
    modes = ["each time by a message" in word.partition("changed")[0] for word in words]
    assert all(now is not before for before, now in itertools.pairwise(modes))  # each says what it was before


async def test_where_we_are_not_any_more_it_can_be_ended(team: Team) -> None:
    await types(team, team.ada, "subscribe acme/frontend main")
    team.deploys.members.remove(team.slack.workspace.bot_user_id)
    mark = team.ada.mark
    await team.ada.command("deploys", "/ci", "unsubscribe acme/frontend main")
    await team.is_done()
    assert "I do not say here any more when" in said(team.ada.sees_only_since(mark))
    assert await kept(team) == []


async def heard_of(team: Team) -> list[str]:
    return sorted(await team.app.store.subscriptions.projects())


async def test_a_pattern_means_what_its_maker_may_read_and_what_comes_later(team: Team) -> None:
    store = team.app.store
    assert await types(team, guest_of(team), "subscribe acme/* !acme/cli failed") == []
    (began,) = told(team)
    assert "the default branch of any project acme/* (but not acme/cli)" in began.replace("`", "")
    assert "It fits 2 projects now: acme/frontend and acme/legacy." in began
    assert "backend" not in began  # which they may not look at
    assert await heard_of(team) == [FRONTEND, "gh/acme/legacy"]
    (one,) = await store.subscriptions.of_project(ProjectSlug("github/Acme/Frontend"))
    assert (one.project_slug, one.project_title, one.pattern) == (FRONTEND, "acme/frontend", "acme/*")
    assert (await kept(team))[0].line == "acme/* !acme/cli failed"
    team.circleci.world.projects[ProjectSlug("gh/acme/web")] = later = copy.copy(team.circleci.world.projects[FRONTEND])
    later.slug, later.name = "gh/acme/web", "web"
    await store.claims.release("projects-fitted")
    await team.app._sweep._fits.refresh()
    assert "gh/acme/web" in await heard_of(team)
    assert "gh/acme/cli" not in await heard_of(team)
    refused = said(await types(team, team.ada, "subscribe acme/* !acme/cli failed channel"))
    assert refused == ""
    assert "until now it was in one thread" in told(team)[-1]
    await types(team, guest_of(team), "unsubscribe acme/* !acme/cli failed")
    assert (await kept(team), await heard_of(team)) == ([], [])
    assert await store.subscriptions.of_project(ProjectSlug(FRONTEND)) == []


async def test_a_pattern_that_means_nothing_they_may_read_is_none(team: Team) -> None:
    for line in ("acme/back*", "acne/*", "acme/nothing-*"):
        assert "I know no project" in said(await types(team, guest_of(team), f"subscribe {line}")), line
    assert (await kept(team), told(team)) == ([], [])
    await types(team, team.ada, "subscribe acme/back*")
    assert "Nothing is subscribed here" in said(await types(team, guest_of(team), "subscriptions"))
    assert "There is no such subscription" in said(await types(team, guest_of(team), "unsubscribe acme/back*"))
    await types(team, team.ada, "subscribe acme/* !acme/backend")
    assert "Nothing is subscribed here" in said(await types(team, guest_of(team), "subscriptions"))  # it names that
    await types(team, team.ada, "subscribe acme/*")
    assert "any project acme/*" in said(await types(team, guest_of(team), "subscriptions")).replace("`", "")
    refused = said(await types(team, guest_of(team), "unsubscribe acme/* broke fixed"))
    assert "may not change what a channel hears" in refused


async def test_what_is_not_theirs_to_read_is_not_theirs_to_change_though_they_may_cancel_it(tmp_path: Path) -> None:
    cancels = POLICY.replace('name = "guests look"\nroles = ["guests"]\nwords = ["read"]', OF_WHO_CANCELS)
    async with team_under(cancels, tmp_path, projects=PROJECTS) as team:
        for line in ("acme/*", "acme/* !acme/backend"):
            await types(team, team.ada, f"subscribe {line}")
        before = await kept(team)
        for more in ("channel", "mention=S0ONCALL"):
            refused = said(await types(team, guest_of(team), f"subscribe acme/* {more}"))
            assert "You may not look at this here" in refused
        assert await kept(team) == before
        await types(team, guest_of(team), "subscribe acme/* !acme/backend channel")
        assert [one.mode for one in await kept(team)] == [Mode.THREAD, Mode.CHANNEL]


async def test_a_pattern_costs_no_look_at_each_of_its_projects(team: Team) -> None:
    world, names = team.circleci.world, [f"{letter}-web" for letter in "abcdefgh"]
    for name in names:
        world.projects[ProjectSlug(f"gh/acme/{name}")] = later = copy.copy(world.projects[FRONTEND])
        later.slug, later.name = f"gh/acme/{name}", name
    await types(team, team.ada, "subscribe acme/*")
    for person, line in (
        (team.grace, "subscriptions"),
        (guest_of(team), "subscriptions"),
        (team.ada, "unsubscribe acme/*"),
    ):
        team.app.permissions.forget()
        before = len(team.circleci.requests)
        await types(team, person, line)
        asked = {seen.path for seen in team.circleci.requests[before:]}
        assert sum(path.endswith("-web") for path in asked) <= 2, line
    assert await kept(team) == []


async def test_a_line_ends_the_one_that_is_just_so(team: Team) -> None:
    for more in ("", " workflow=deploy", " by=octo-ada"):
        await types(team, team.ada, f"subscribe acme/frontend main{more}")
    lines = [one.line for one in await kept(team)]
    assert lines == [f"gh/acme/frontend main broke fixed{more}" for more in ("", " workflow=deploy", " by=octo-ada")]
    for line in lines:
        await types(team, team.ada, f"unsubscribe {line}")
        assert line not in [one.line for one in await kept(team)]
    assert await kept(team) == []


async def test_somebody_in_slack_stands_for_their_name_at_the_code_host(team: Team) -> None:
    asked = [("by=<@U0GRACE>", "octo-grace"), ("by=me", "octo-ada"), ("by=U0GRACE main", "octo-grace")]
    for said_so, login in asked:
        await mentions(team, team.ada, f"subscribe acme/frontend {said_so}")
        assert (await kept(team))[-1].by == login
    assert "in builds by octo-grace" in told(team)[-1].replace("`", "")
    unknown = said(await mentions(team, team.ada, "subscribe acme/frontend by=<@U0GUEST>"))
    assert "I do not know what they are called at the code host" in unknown
    assert ("You wrote guest." in unknown.replace("`", ""), "U0GUEST" in unknown.partition("/ci")[0]) == (True, False)
    await mentions(team, team.ada, "unsubscribe acme/frontend main by=<@U0GRACE>")
    assert [one.by for one in await kept(team)] == ["octo-grace", "octo-ada"]
