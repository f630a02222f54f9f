"""Snoozes of a red branch: by whoever may read it, until its time or the next green, said to all and told once."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from bot.actions import EndSnooze, LookAt, SnoozeForm
from bot.errors import NothingToDo
from bot.models.caller import Caller, Place
from bot.models.circleci import ProjectSlug, Ref
from bot.models.red import Branch
from bot.models.slack import utc_now
from bot.models.subscription import Fitting
from bot.operations import Operations
from bot.watching.engine import Engine
from bot.watching.snoozed import snooze_of
from tests.operations.scene import (
    BACKEND,
    button,
    fills_in,
    on_record,
    opens,
    presses,
    said,
    somewhere,
    team_under,
    types,
)
from tests.operations.test_looking import HIDDEN, known, subscribed
from tests.stories.team import Team

SNOOZE = SnoozeForm(project_slug=BACKEND, branch="main", since=2417)
END = EndSnooze(project_slug=BACKEND, branch="main", since=2417)


async def kept(team: Team) -> Branch:
    found = await team.app.store.subscriptions.known(team.deploys.id, ProjectSlug(BACKEND), "main")
    assert found is not None
    return found


async def test_who_may_read_snoozes_what_is_red_here_and_its_thread_says_who(tmp_path: Path) -> None:
    async with team_under(HIDDEN, tmp_path) as team:
        guest, place = team.slack.person("guest"), somewhere(team)
        assert "is not red here" in said(await types(team, team.ada, "snooze acme/backend main 2h"))
        await subscribed(team)
        for line in ("2h", "main off"):
            assert "is not red here" in said(await types(team, team.ada, f"snooze acme/backend {line}"))
        await known(team, red_since=2417, number=2418, root_ts=place.ts)
        for line in ("main 2h", "main off"):
            assert "You may not look at this" in said(await types(team, guest, f"snooze acme/backend {line}"))
        assert "is not snoozed here" in said(await types(team, team.ada, "snooze acme/backend off"))

        told = said(await types(team, team.ada, "snooze acme/backend 2h"))
        assert "is snoozed here until" in told
        state = await kept(team)
        assert state.snoozed_until is not None
        assert timedelta(minutes=119) < state.snoozed_until - utc_now() < timedelta(minutes=121)
        assert (state.snoozed_by, place.replies[-1].text.partition(" until")[0]) == ("ada", "ada snoozed this")
        await on_record(team, "snooze acme/backend main")

        assert "ada ended the snooze of this" in said([*await presses(team, team.ada, place, END), *place.replies[-1:]])
        assert not (await kept(team)).snoozed_until
        assert "is not snoozed here" in said(await presses(team, team.grace, place, END))


async def test_the_window_snoozes_by_the_clock_of_who_presses(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        place = somewhere(team)
        await subscribed(team)
        await known(team, red_since=2417, number=2418, root_ts=place.ts)
        view = await opens(team, team.grace, place, SNOOZE)
        zone = await team.app.messenger.zone_of(team.grace.id)
        assert "is snoozed here until" in await fills_in(team.grace, view, how_long="until tomorrow 9:00")
        by_button = (await kept(team)).snoozed_until
        await types(team, team.grace, "snooze acme/backend main 1h")
        await types(team, team.grace, "snooze acme/backend main tomorrow")
        assert (await kept(team)).snoozed_until == by_button
        until = (await kept(team)).snoozed_until
        assert until is not None
        assert until.astimezone(ZoneInfo(zone or "UTC")).hour == 9
        await known(team, red_since=2419, number=2419)
        await team.clicks(team.grace, place, button(SNOOZE))
        await team.until(lambda: "is over" in said(team.grace.sees_only))


async def test_a_run_that_died_means_the_same_end_and_says_it_once(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        place = somewhere(team)
        await subscribed(team)
        await known(team, red_since=2417, number=2418, root_ts=place.ts)
        ada = Caller(person_id=team.ada.id, name="ada", place=Place(channel_id=team.deploys.id), delivery_id="died")
        snooze, until = team.app.operations.snooze, datetime(2031, 1, 1, tzinfo=UTC)
        about = (ProjectSlug(BACKEND), "acme/backend", Ref(name="main"))
        done = [await snooze(ada, *about, until + timedelta(hours=late)) for late in range(2)]
        assert [one.until for one in done] == [until, until]
        ended = ada.model_copy(update={"delivery_id": "died too"})
        assert [(await snooze(ended, *about, None)).until for _ in range(2)] == [None, None]
        assert [reply.text.partition(" ")[2].partition(" ")[0] for reply in place.replies] == ["snoozed", "ended"]


async def test_what_broke_in_a_snooze_is_said_when_that_is_ended_by_hand(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        place = somewhere(team)
        await subscribed(team)
        await subscribed(team, id="s2", workflows=("deploy",))
        await subscribed(team, id="s3", workflows=("tests",))
        await known(team, red_since=2417, number=2418, root_ts=place.ts)
        await types(team, team.ada, "snooze acme/backend main 4h")
        await known(team, branch="main workflow=tests", red_since=2418, number=2418, builds=1)
        await known(team, branch="main workflow=deploy", red_since=2418, number=2418, builds=1, broke_asleep=True)
        before = len(team.deploys.messages)
        await presses(team, team.ada, place, END)
        await team.until(lambda: any("(workflow=deploy)" in one.text for one in team.deploys.messages[before:]))
        assert not any("workflow=tests" in one.text for one in team.deploys.messages)


class WhileItIsFixed:
    """Adds the task of an end while another process tells that the branch is green."""

    def __init__(self, team: Team) -> None:
        self._team = team

    async def put(self, name: str, *ids: str, when: datetime) -> None:
        await known(self._team, number=2419)
        await self._team.app.engine.put(name, *ids, when=when)


async def test_a_snooze_that_meets_the_repair_is_none(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        place = somewhere(team)
        await subscribed(team)
        operations = Operations(replace(team.app.operations._hands, engine=cast("Engine", WhileItIsFixed(team))))
        snooze, pressed = operations.snooze, operations.snooze_pressed
        ada = Caller(person_id=team.ada.id, name="ada", place=Place(channel_id=team.deploys.id), delivery_id="late")
        until, about = datetime(2031, 1, 1, tzinfo=UTC), (ProjectSlug(BACKEND), "acme/backend", Ref(name="main"))
        for press in (False, True):
            await known(team, red_since=2417, number=2418, root_ts=place.ts)
            one = ada.model_copy(update={"delivery_id": f"late {press}"})
            with pytest.raises(NothingToDo) as refused:
                await (pressed(one, SNOOZE, until) if press else snooze(one, *about, until))
            assert refused.value.why == ("not_red_any_more" if press else "not_red_here")
        assert (place.replies, len(team.deploys.roots)) == ([], 1)


async def test_a_line_without_a_branch_asks_which_where_the_default_one_is_not_red(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        place = somewhere(team)
        await subscribed(team, branches=("release/*", "old"))
        await known(team, branch="release/v1", red_since=2417, number=2418, root_ts=place.ts)
        for line in ("acme/backend 2h", "2h"):
            answer = await types(team, team.ada, f"snooze {line}")
            assert "`release/v1` of acme/backend is red here" in said(answer)
            assert "release/v1" in " ".join(answer[-1].buttons)
        await known(team, branch="old", red_since=2400, number=2400, snoozed_until=utc_now() + timedelta(hours=1))
        assert "`old` of acme/backend is red here" in said(await types(team, team.ada, "snooze acme/backend off"))
        await known(team, red_since=2417, number=2418)
        assert "is snoozed here until" in said(await types(team, team.ada, "snooze acme/backend 2h"))


async def test_of_many_branches_those_that_were_built_last_are_offered(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        await subscribed(team, branches=("fix/*",))
        for number in range(2417, 2425):
            await known(team, branch=f"fix/{number}", red_since=number, number=number)
        answer = await types(team, team.ada, "snooze 2h")
        assert "8 branches may be meant. Nothing is done yet: which one? These are 5 of them" in said(answer)
        assert [one.rpartition("/")[2] for one in answer[-1].buttons] == ["2424", "2423", "2422", "2421", "2420"]


HIDDEN_BRANCH = """
[[rules]]
name = "everyone looks"
roles = ["everyone"]
words = ["read"]

[[rules]]
name = "guests see no main"
effect = "deny"
roles = ["guests"]
words = ["read"]
branches = ["main"]
"""


async def test_a_branch_that_is_known_by_some_workflows_alone_is_looked_at_and_snoozed_as_itself(
    tmp_path: Path,
) -> None:
    """Also where a pattern means its project, and only by who may read that branch."""
    async with team_under(HIDDEN_BRANCH, tmp_path) as team:
        guest, place, of_all = team.slack.person("guest"), somewhere(team), somewhere(team)
        fits = Fitting(slug=ProjectSlug(BACKEND), title="acme/backend", default_branch="main")
        for number, workflows in enumerate([(), ("deploy",)]):
            named = {"project_slug": "acme/*", "pattern": "acme/*", "project_title": "acme/*", "default_branch": ""}
            one = await subscribed(team, id=f"s{number}", workflows=workflows, **named)
            await team.app.store.subscriptions.fit([fits], [one])
        key, red = "main workflow=deploy", {"red_since": 2417, "number": 2418}
        await known(team, **red, root_ts=of_all.ts)
        await known(team, **red, root_ts=place.ts, branch=key)
        on_message = {"project_slug": BACKEND, "branch": key, "since": 2417}
        for action in (LookAt(**on_message), EndSnooze(**on_message)):
            assert "You may not look at this" in said(await presses(team, guest, place, action))
        assert await presses(team, team.ada, place, LookAt(**on_message)) == []
        assert [reply.text for reply in place.replies] == ["ada looks at it."]
        assert of_all.replies == []
        assert "is snoozed here until" in said(await types(team, team.ada, "snooze acme/backend 2h"))
        assert [reply.text.partition(" until")[0] for reply in (of_all.replies[-1], place.replies[-1])] == [
            "ada snoozed this"
        ] * 2
        await presses(team, team.ada, place, EndSnooze(**on_message))
        assert (await kept(team)).snoozed_until is not None
        here = team.app.store, team.deploys.id, ProjectSlug(BACKEND)
        assert [bool(await snooze_of(*here, one)) for one in ("main", key, "main by=octo-grace")] == [True, False, True]
        part = await team.app.store.subscriptions.known(team.deploys.id, ProjectSlug(BACKEND), key)
        assert part is not None
        assert part.snoozed_until is None
        await known(team, **red, root_ts=of_all.ts)
        await fills_in(team.ada, await opens(team, team.ada, of_all, SNOOZE), how_long="4h")
        part = await team.app.store.subscriptions.known(*here[1:], key)
        assert part is not None
        assert part.snoozed_until == (await kept(team)).snoozed_until


async def test_of_several_who_press_at_once_the_first_counts_and_its_end_is_told(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        place, until = somewhere(team), datetime(2031, 1, 1, tzinfo=UTC)
        await subscribed(team)
        await known(team, red_since=2417, number=2418, root_ts=place.ts)
        callers = [
            Caller(person_id=f"U0{name.upper()}", name=name, place=Place(channel_id=team.deploys.id), delivery_id=name)
            for name in ("ada", "grace")
        ]
        press = team.app.operations.snooze_pressed
        done = [press(one, SNOOZE, until + timedelta(hours=late)) for late, one in enumerate(callers)]
        refused = [one for one in await asyncio.gather(*done, return_exceptions=True) if isinstance(one, NothingToDo)]
        assert [one.why for one in refused] == ["snoozed_already"]
        state = await kept(team)
        assert (refused[0].what, len(place.replies)) == (state.snoozed_by, 1)
        tasks = [one.when for one in (await team.app.docket.snapshot()).future if one.function_name == "end_snooze"]
        assert tasks == [state.snoozed_until]
        again = await press(callers[0], SNOOZE, until) if state.snoozed_by == callers[0].name else None
        assert again is None or again.until == state.snoozed_until
