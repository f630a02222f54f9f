"""Who looks at a branch that is red: whoever may read it there, the first of several, while that is told there."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from bot.actions import EndSnooze, LookAt, LookInstead, SnoozeForm
from bot.models.circleci import ProjectSlug
from bot.models.red import Branch
from bot.models.slack import utc_now
from bot.models.subscription import Subscription
from bot.watching.branches import ended_name
from tests.operations.scene import BACKEND, presses, said, somewhere, team_under, types
from tests.stories.team import Team

LOOK = LookAt(project_slug=BACKEND, branch="main", since=2417)
HIDDEN = """
[[rules]]
name = "everyone looks"
roles = ["everyone"]
words = ["read"]

[[rules]]
name = "guests see no backend"
effect = "deny"
roles = ["guests"]
words = ["*"]
projects = ["acme/backend"]
"""


async def known(team: Team, **more: object) -> Branch:
    channel_id = team.deploys.id
    state = Branch.model_validate({"channel_id": channel_id, "project_slug": BACKEND, "branch": "main", **more})
    return await team.app.store.subscriptions.know(channel_id, ProjectSlug(BACKEND), state.branch, lambda _: state)


async def looking(team: Team) -> str:
    state = await team.app.store.subscriptions.known(team.deploys.id, ProjectSlug(BACKEND), "main")
    return state.looking if state else ""


async def subscribed(team: Team, **more: object) -> Subscription:
    made = {"id": "s1", "channel_id": team.deploys.id, "made_by": "U0ADA", "made_at": utc_now()}
    of = {"project_slug": BACKEND, "project_title": "acme/backend", "default_branch": "main"}
    one = Subscription.model_validate({**made, **of, **more})
    await team.app.store.subscriptions.add(one)
    return one


async def test_the_first_of_several_looks_and_all_read_that(tmp_path: Path) -> None:
    async with team_under(HIDDEN, tmp_path) as team:
        ada, grace, guest, place = team.ada, team.grace, team.slack.person("guest"), somewhere(team)
        await subscribed(team)
        assert "is over: it is green again, broke anew, or" in said(await presses(team, ada, place, LOOK))
        await known(team, red_since=2417, number=2418, root_ts=place.ts)
        assert "You may not look at this" in said(await presses(team, guest, place, LOOK))
        assert not await looking(team)

        told = await asyncio.gather(*(presses(team, one, place, LOOK) for one in (ada, grace)))
        first = await looking(team)
        assert first in ("ada", "grace")
        assert [reply.text for reply in place.replies] == [f"{first} looks at it."]
        assert [said(one) for one in told if one] == [f"{first} looks at it already."]
        elsewhere = team.slack.workspace.post(
            team.slack.workspace.channel("general"), team.slack.workspace.bot_user_id, "A copy.", []
        )
        assert "No subscription of this channel" in said(await presses(team, grace, elsewhere, LOOK))

        await known(team, red_since=2419, number=2419)
        assert "is over" in said(await presses(team, grace, place, LOOK))
        assert not await looking(team)
        kept = await team.app.store.audit.lately(timedelta(hours=1), lambda one: one.what.startswith("look at"), 20)
        assert {one.outcome for one in kept} == {"done", "refused"}


async def test_who_looks_is_followed_by_somebody_else_or_gives_it_back(tmp_path: Path) -> None:
    """By the button that stands in the place of the first one; what was pressed twice is done and said once."""
    async with team_under(HIDDEN, tmp_path) as team:
        ada, grace, guest, place = team.ada, team.grace, team.slack.person("guest"), somewhere(team)
        await subscribed(team)
        await known(team, red_since=2417, number=2418, root_ts=place.ts)
        await presses(team, ada, place, LOOK)
        instead = LookInstead(**LOOK.model_dump(), looking_id=ada.id)
        assert "You may not look at this" in said(await presses(team, guest, place, instead))
        for _ in range(2):
            assert await presses(team, grace, place, instead) == []
        assert await looking(team) == "grace"
        admin = team.slack.person("admin")
        assert said(await presses(team, admin, place, instead)) == "grace looks at it already."
        assert said(await presses(team, ada, place, instead)) == "grace looks at it already."
        assert await looking(team) == "grace"
        mine = instead.model_copy(update={"looking_id": grace.id})
        for _ in range(2):
            assert await presses(team, grace, place, mine) == []
        assert not await looking(team)
        await presses(team, grace, place, LOOK)
        assert [reply.text for reply in place.replies] == [
            "ada looks at it.",
            "grace looks at it instead of ada.",
            "grace does not look at it any more.",
            "grace looks at it.",
        ]


async def test_whoever_an_earlier_version_kept_as_looking_gives_it_over(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        place = somewhere(team)
        await subscribed(team)
        await known(team, red_since=2417, number=2418, root_ts=place.ts, looking="ada")
        assert await presses(team, team.grace, place, LookInstead(**LOOK.model_dump())) == []
        assert [reply.text for reply in place.replies] == ["grace looks at it instead of ada."]


async def test_whoever_an_earlier_version_kept_as_looking_gives_it_back_however_often_pressed(
    tmp_path: Path,
) -> None:
    async with team_under("", tmp_path) as team:
        place, of_then = somewhere(team), LookInstead(**LOOK.model_dump())
        await subscribed(team)
        await known(team, red_since=2417, number=2418, root_ts=place.ts, looking="ada")
        for _ in range(2):
            assert await presses(team, team.ada, place, of_then) == []
        assert not await looking(team)
        assert await presses(team, team.grace, place, of_then) == []
        assert said(await presses(team, team.ada, place, of_then)) == "grace looks at it already."
        assert [one.text for one in place.replies] == ["ada does not look at it any more.", "grace looks at it."]


async def test_what_nobody_subscribes_to_any_more_has_no_buttons_and_a_press_says_why(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        place, late = somewhere(team), somewhere(team)
        await subscribed(team)
        await known(team, red_since=2417, number=2418, root_ts=place.ts)
        await types(team, team.ada, "unsubscribe acme/backend")
        assert "No subscription of this channel is about it any more" in place.visible
        assert not place.buttons
        snooze = SnoozeForm(project_slug=BACKEND, branch="main", since=2417)
        for action in (LOOK, snooze):
            late = somewhere(team)
            assert "No subscription of this channel is about" in said(await presses(team, team.ada, late, action))
            assert "main was red" in late.visible
        assert not await team.app.store.subscriptions.known(team.deploys.id, ProjectSlug(BACKEND), "main")


async def test_a_press_ends_a_message_that_was_left_to_say_what_is_over(tmp_path: Path) -> None:
    """Not one that says what repaired the branch, though its button was pressed just before."""
    async with team_under("", tmp_path) as team:
        left, ended, stands = somewhere(team), somewhere(team), somewhere(team)
        await subscribed(team)
        state = await known(team, red_since=2419, number=2419, root_ts=stands.ts)
        await team.app.store.claims.first(ended_name(state.model_copy(update={"root_ts": ended.ts})))
        for place in (left, ended, stands):
            assert "is over" in said(await presses(team, team.ada, place, LOOK))
        assert left.text.startswith("main of acme/backend was red since #2417. It is green by now, has broken anew")
        assert (left.buttons, ended.edited_ts, stands.edited_ts) == ([], None, None)


async def test_the_message_of_a_branch_that_others_rules_are_about_goes_on(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        place = somewhere(team)
        await subscribed(team)
        await subscribed(team, id="s2", branches=("m*",))
        await known(team, red_since=2417, number=2418, root_ts=place.ts)
        await types(team, team.ada, "unsubscribe acme/backend m*")
        assert place.visible == "It bears a button."
        assert await presses(team, team.ada, place, LOOK) == []
        assert await looking(team) == "ada"


@pytest.mark.parametrize(("root", "code"), [(None, ""), ("1", "thread_not_found"), ("1", "is_archived")])
async def test_where_there_is_no_thread_the_channel_or_who_pressed_reads_it(
    tmp_path: Path, root: str | None, code: str
) -> None:
    async with team_under("", tmp_path) as team:
        place = somewhere(team)
        await subscribed(team)
        await known(team, red_since=2417, number=2418, root_ts=place.ts if root else None)
        if code:
            team.slack.refuse("chat.postMessage", code)
        answer = said(await presses(team, team.ada, place, LOOK))
        if code == "is_archived":
            assert "Slack did not take my message about that here" in answer
        else:
            assert team.deploys.roots[-1].text == "ada looks at main of acme/backend."
            assert not answer


@pytest.mark.parametrize("is_moved", [True, False])
async def test_a_button_of_a_project_that_is_renamed_is_about_it(tmp_path: Path, is_moved: bool) -> None:
    """The bot has noticed it, whether CircleCI knows the old name still or not."""
    async with team_under("", tmp_path) as team:
        place, world, web, kept = (
            somewhere(team),
            team.circleci.world,
            ProjectSlug("gh/acme/web"),
            team.app.store.subscriptions,
        )
        rule = await subscribed(team)
        await known(team, red_since=2417, number=2418, root_ts=place.ts)
        world.projects[web] = world.projects.pop(ProjectSlug(BACKEND))
        world.projects[web].slug = web
        if is_moved:
            team.circleci.moved[ProjectSlug(BACKEND)] = web
        await kept.is_by_now(rule, web, "acme/web", "main")
        assert await presses(team, team.ada, place, LOOK) == []
        assert [reply.text for reply in place.replies] == ["ada looks at it."]
        assert await presses(team, team.ada, place, EndSnooze(project_slug=BACKEND, branch="main", since=2417))
        state = await kept.known(team.deploys.id, web, "main")
        assert state
        assert (state.looking, "was red" in place.visible) == ("ada", False)
