"""Why a channel was told of a build: to who may read it, and of its subscriptions what they may read alone."""

from pathlib import Path

import pytest

from bot.actions import RerunFailed
from bot.models.circleci import PipelineId
from bot.models.slack import utc_now
from bot.models.subscription import USUAL, Event
from bot.models.told import MessageAbout, Reason, Why
from playground.circleci.pipelines import Pipeline
from playground.slack.conversations import Message
from tests.operations.scene import (
    BACKEND,
    FRONTEND,
    OVER,
    RUNNING,
    followed,
    mentions,
    presses,
    pushed,
    said,
    somewhere,
    team_under,
    types,
    writes,
)
from tests.operations.test_looking import subscribed
from tests.operations.test_subscribing import POLICY
from tests.stories.team import Team


async def test_who_may_not_read_it_learns_nothing_of_it_or_of_its_rules(tmp_path: Path) -> None:
    async with team_under(POLICY, tmp_path) as team:
        guest = team.slack.person("guest")
        hidden, seen = pushed(team, "main", OVER, slug=BACKEND), pushed(team, "try/slow", OVER)
        await subscribed(team)
        for branch in ("merger", "release/*"):
            await subscribed(team, id=branch, project_slug=FRONTEND, project_title="acme/frontend", branches=(branch,))
        assert "may not look at this" in said(await types(team, guest, f"told acme/backend #{hidden.number}"))
        for person, sees_all in ((guest, False), (team.ada, True)):
            told = said(await types(team, person, f"told acme/frontend #{seen.number}"))
            assert "No subscription of this channel is about try/slow of acme/frontend" in told
            assert ("release/*" in told, "merger" in told) == (True, sees_all)
        await mentions(team, team.ada, f"told acme/backend #{hidden.number}")
        assert "is about" not in said(await types(team, guest, "told nowhere/else #1"))


async def test_of_a_subscription_that_they_may_not_read_it_does_not_say_that_there_is_none(tmp_path: Path) -> None:
    async with team_under(POLICY, tmp_path) as team:
        guest, ada, one = team.slack.person("guest"), team.ada, pushed(team, "try/slow", OVER)
        line = f"told acme/frontend #{one.number}"
        await subscribed(
            team, project_slug=FRONTEND, project_title="acme/frontend", branches=("try/slow", "merger"), events=USUAL
        )
        assert "No subscription of this channel that you may read is about" in said(await types(team, guest, line))
        reason = Reason(why=Why.TOLD, at=utc_now(), branch="try/slow")
        await team.app.store.told.note(PipelineId(one.id), reason, channel_id=team.deploys.id)
        for person, reads_all in ((guest, False), (ada, True)):
            told = said(await types(team, person, line))
            assert "This channel was told of it" in told
            assert "No subscription" not in told
            assert ("I say when" in told) is reads_all


async def test_of_several_subscriptions_those_are_named_by_which_it_was_told(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        one, of = pushed(team, "try/slow", OVER), {"project_slug": FRONTEND, "project_title": "acme/frontend"}
        for events in ((Event.DEPLOYED,), (Event.FAILED, Event.PASSED), (Event.SLOW,)):
            branches = ("try/slow",)
            await subscribed(team, id=events[0], **of, branches=branches, events=events, made_by=team.ada.id)
        said_in = {"1.1": "deployed", "1.2": "broke", "1.3": "of another version"}
        reason = Reason(why=Why.TOLD, at=utc_now(), branch="try/slow", ts="1.3", before=("1.1", "1.2"), said=said_in)
        await team.app.store.told.note(PipelineId(one.id), reason, channel_id=team.deploys.id)
        told = said(await types(team, team.ada, f"told acme/frontend #{one.number}"))
        by, _, others = told.partition("Told by:")[2].partition("Others that are about it:")
        assert ("is deployed" in by, "fails or passes" in by, "takes long" in others) == (True, True, True)


@pytest.mark.parametrize("known_as", [{"1.1": "try/slow", "1.2": "try/slow workflow=deploy"}, {}])
async def test_what_two_subscriptions_told_is_told_by_both_and_each_by_its_own_builds(
    tmp_path: Path, known_as: dict[str, str]
) -> None:
    """Of what an earlier version kept the last message alone says by whom."""
    async with team_under("", tmp_path) as team:
        one, of = pushed(team, "try/slow", OVER), {"project_slug": FRONTEND, "project_title": "acme/frontend"}
        for name, by in {"all": {}, "some": {"workflows": ("deploy",)}, "others": {"workflows": ("tests",)}}.items():
            await subscribed(team, id=name, **of, branches=("try/slow",), events=("failed",), made_by=team.ada.id, **by)
        told = {"ts": "1.2", "before": ("1.1",), "said": {"1.1": "failed", "1.2": "failed"}, "known_as": known_as}
        reason = {"why": Why.TOLD, "at": utc_now(), "branch": "try/slow workflow=deploy", **told}
        await team.app.store.told.note(PipelineId(one.id), Reason.model_validate(reason), channel_id=team.deploys.id)
        answer = said(await types(team, team.ada, f"told acme/frontend #{one.number}"))
        by_these, _, others = answer.partition("Told by:")[2].partition("Others that are about it:")
        assert (by_these.count("I say when"), others.count("I say when")) == ((2, 1) if known_as else (1, 2))
        assert ("deploy" in by_these, "tests" in others) == (True, True)


async def test_many_subscriptions_that_are_about_a_build_fit_into_what_slack_takes(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        for nth in range(50):
            of = {"project_slug": FRONTEND, "project_title": "acme/frontend", "branches": ("try/slow",)}
            await subscribed(team, id=f"s{nth}", **of, mention=f"S0GROUP{nth}", made_by=team.ada.id)
        one = pushed(team, "try/slow", OVER)
        (answer,) = await types(team, team.ada, f"told acme/frontend #{one.number}")
        (rules,) = [block["elements"][0]["text"] for block in answer.blocks if block["type"] == "context"]
        assert len(rules) <= 3000
        assert rules.splitlines()[-1].startswith("and ")


async def asked(team: Team, place: Message, line: str, answer: str) -> None:
    """Ask in the thread of a message, and wait for an answer there with these words."""
    before = len(place.replies)
    await team.ada.mention(place.channel, line, thread_ts=place.ts)
    await team.slack.wait_for(lambda: any(answer in one.text for one in place.replies[before:]))


async def tells_of(team: Team, place: Message, one: Pipeline) -> None:
    """Let a message be one of a subscription, about a build."""
    about = {"pipeline_id": one.id, "project_slug": FRONTEND, "branch": "try/slow", "number": one.number}
    await team.app.store.told.note_message(team.deploys.id, place.ts, MessageAbout.model_validate(about))


@pytest.mark.parametrize("is_followed", [False, True])
async def test_a_press_on_what_tells_of_a_build_is_followed_below_it_unless_the_channel_follows_that(
    tmp_path: Path, is_followed: bool
) -> None:
    async with team_under("", tmp_path) as team:
        if is_followed:
            await followed(team, "try/infrastructure", OVER, "red so far")
        else:
            pushed(team, "try/infrastructure", OVER)
        told, one = somewhere(team), team.circleci.world.pipelines[-1]
        await tells_of(team, told, one)
        before = len(team.deploys.roots)
        await presses(team, team.ada, told, RerunFailed(pipeline_id=one.id))
        await team.reads("attempt 2")
        assert (bool(told.replies), len(team.deploys.roots)) == (not is_followed, before)


async def test_a_thread_is_about_what_its_message_tells_of_or_a_newer_build_that_it_follows(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        place = somewhere(team)
        first, second, third = (pushed(team, "try/slow", OVER) for _ in range(3))
        await tells_of(team, place, first)
        await asked(team, place, "told", f"#{first.number} of acme/frontend")
        await asked(team, place, f"watch acme/frontend #{second.number}", "passed")
        await asked(team, place, "told", f"#{second.number} of acme/frontend")
        await tells_of(team, place, third)
        await asked(team, place, "told", f"#{third.number} of acme/frontend")


@pytest.mark.parametrize("is_older", [True, False])
@pytest.mark.parametrize(("slug", "branch"), [(FRONTEND, "release/v2.0"), (BACKEND, "try/slow")])
async def test_a_build_of_another_branch_that_a_thread_follows_is_meant_no_less_whichever_has_the_greater_number(
    tmp_path: Path, slug: str, branch: str, *, is_older: bool
) -> None:
    async with team_under("", tmp_path) as team:
        place, order = somewhere(team), [(slug, branch), (FRONTEND, "try/slow")]
        built = {one: pushed(team, one[1], RUNNING, slug=one[0]) for one in (order if is_older else order[::-1])}
        other, told = built[slug, branch], built[FRONTEND, "try/slow"]
        await tells_of(team, place, told)
        of_other = f"{slug.removeprefix('gh/')} #{other.number}"
        await team.ada.mention(place.channel, f"watch {of_other}", thread_ts=place.ts)
        await team.slack.wait_for(lambda: any(f"#{other.number}" in one.visible for one in place.replies[1:]))
        await team.is_done()
        await team.ada.mention(place.channel, "cancel", thread_ts=place.ts)
        await team.is_told(team.ada, "This thread is about 2 builds.")
        (asks,) = [one.visible for one in team.ada.sees_only if "This thread is about 2 builds." in one.visible]
        assert all(one in asks for one in (of_other, f"acme/frontend #{told.number}"))
        assert not writes(team)
