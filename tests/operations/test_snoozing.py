"""Snoozes of a red branch: by whoever may read it, until its time or the next green, said to all and told once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.actions import EndSnooze, SnoozeForm
from bot.models.caller import Caller, Place
from bot.models.circleci import ProjectSlug, Ref
from bot.models.red import Branch
from bot.models.slack import utc_now
from tests.operations.scene import BACKEND, fills_in, on_record, opens, presses, said, somewhere, team_under, types
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
        until = (await kept(team)).snoozed_until
        assert until is not None
        assert until.astimezone(ZoneInfo(zone or "UTC")).hour == 9
        await known(team, red_since=2419, number=2419)
        assert "is over" in said(await presses(team, team.grace, place, SNOOZE))


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
