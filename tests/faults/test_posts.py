"""A post whose answer nobody heard: Slack took it or not, and it is said once all the same."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import CircleCIError, NotTriggered, RateLimited, Rejected, Unauthorized, Unavailable
from bot.models.attempt import Attempt, Refusal
from bot.models.caller import Place
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.slack import Invocation, utc_now
from bot.watching.engine import HANDLE
from playground.circleci.past import PastPlan, scenario_of
from playground.slack.rules import GRANTED
from tests.stories.team import Team, team_at_work
from tests.stories.test_metrics import metrics

ROOT, CHANGE, FINAL = 0, 1, 2
BACKEND = "gh/acme/backend"


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path) as team:
        yield team


def break_post(team: Team, which: int, drop: str) -> None:
    """Break the connection under the root, the first reply or the final reply of a red build."""
    team.slack.faults.add("POST", "/api/chat.postMessage", drop=drop, spare=which)


async def it_fails(team: Team, *, told: bool = True) -> None:
    """Deploy what fails: one job of two first, which is `told` before the other one ends, if it can be."""
    await team.runs("try/failing-tests", for_seconds=200)
    if told:
        await team.reads("1 other job still runs")
    else:
        await team.until(lambda: any(seen.spoiled for seen in team.slack.requests))
    team.time_flies()
    await team.reads("test_adds_item")


async def eventually(team: Team, figure: str, value: float) -> None:
    """Wait until an operator sees a figure."""
    async with asyncio.timeout(30):
        while (await metrics(team)).get(figure, 0) != value:
            await team.slack.pause(0.05)


async def reads_times(team: Team, words: str, times: int) -> None:
    """Wait until somebody can read `words` so often in the channel."""
    await team.slack.wait_for(lambda: team.count(words) == times, timeout=15)


@pytest.mark.parametrize("drop", ["before", "after"])
@pytest.mark.parametrize("which", [ROOT, CHANGE, FINAL])
async def test_a_broken_connection_repeats_and_loses_no_post(team: Team, which: int, drop: str) -> None:
    before = await metrics(team)
    break_post(team, which, drop)
    await it_fails(team, told=which != CHANGE)
    found = f'ci_posts_unsure_total{{found="{"arrived" if drop == "after" else "missing"}"}}'
    await eventually(team, found, before.get(found, 0) + 1)
    posted = [message.visible for message in team.deploys.messages]
    # A change that could not be told before the end is told by the final reply alone.
    assert len(posted) == len(set(posted)) in ((2, 3) if which == CHANGE and drop == "before" else (3,)), posted
    assert len(team.deploys.roots) == 1


async def test_where_it_may_not_look_it_would_rather_say_it_twice(team: Team) -> None:
    team.slack.scopes = GRANTED - {"channels:history"}
    break_post(team, FINAL, "after")
    await it_fails(team)
    await team.slack.wait_for(lambda: team.count("test_adds_item") == 2, timeout=30)
    assert len(team.deploys.roots) == 1
    assert (await metrics(team))['ci_posts_unsure_total{found="unreadable"}'] >= 1
    assert {problem.split()[1] for problem in team.slack.problems} == {"missing_scope"}
    team.slack.problems.clear()


async def test_slacks_own_trouble_is_no_reason_to_say_it_twice(team: Team) -> None:
    team.slack.faults.add("POST", "/api/chat.postMessage", status=503, body="<html>Service Unavailable</html>")
    await team.deploys_branch("main")
    await team.reads("Passed in")
    assert len(team.deploys.roots) == 1
    assert team.count("Passed in") == 1


async def test_a_refusal_that_a_crash_cut_off_is_said_by_the_second_run(team: Team) -> None:
    said = Invocation(
        id="Ev9",
        kind="mention",
        text="deploy acme/frontend main",
        user_id=team.ada.id,
        team_id=team.slack.workspace.team_id,
        channel_id=team.deploys.id,
    )
    refused = Attempt(
        id=said.id,
        project_slug=ProjectSlug("gh/acme/frontend"),
        project_title="acme/frontend",
        ref=Ref(name="main"),
        thread=Place(channel_id=team.deploys.id),
        asker_id=team.ada.id,
        asked_at=utc_now(),
        sent_at=utc_now(),
        over=True,
        refusal=Refusal.of(Rejected(403, "You may not build here.")),
    )
    await team.app.store.attempts.save(refused)
    await team.app.store.deliveries.record(said)
    await team.app.engine.add(HANDLE, said.id)
    await team.is_told(team.ada, "You may not build here.")
    assert team.posts("/pipeline") == []


@pytest.mark.parametrize(
    "error",
    [
        Unauthorized(),
        RateLimited(timedelta(seconds=30)),
        Rejected(400, "Branch not found"),
        NotTriggered("nothing to build"),
        Unavailable("no connection", arrived=False),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_survives_being_kept(error: CircleCIError) -> None:
    kept = Refusal.model_validate_json(Refusal.of(error).model_dump_json()).error
    assert (type(kept), vars(kept)) == (type(error), vars(error))


async def test_an_outage_is_closed_even_where_slack_was_busy(team: Team) -> None:
    team.circleci.world.clock.speed = 20
    await team.deploys_branch("try/slow")
    await team.reads("Running")
    for nth in (1, 2):  # the one after it is told, too
        team.circleci.faults.add("GET", "/api/v2/*", status=401, times=None)
        await reads_times(team, "does not accept my token any more", nth)
        team.slack.refuse("chat.postMessage", "internal_error")
        team.circleci.faults.clear()
        await reads_times(team, "CircleCI answers again", nth)


@pytest.mark.parametrize("code", ["internal_error", "restricted_action"])
async def test_a_final_reply_is_completed_even_where_slack_was_busy(team: Team, code: str) -> None:
    # A passed build is looked at no more: nobody else would come back to it.
    world = team.circleci.world
    world.set_scenario(BACKEND, "main", scenario_of(PastPlan((frozenset({"test_session_expires"}),))))
    await team.deploys_branch("main", "acme/backend")
    await team.reads("Compared with")
    world.set_scenario(BACKEND, "main", scenario_of(PastPlan()))
    team.circleci.faults.add("GET", f"/api/v2/project/{BACKEND}", delay=0.5)
    await team.deploys_branch("main", "acme/backend")
    await team.reads("Passed in")
    team.slack.refuse("chat.update", code)
    final = await team.reads("it had been red for")
    assert "Passed in" in final.visible
    assert team.count("it had been red for") == 1


async def test_a_final_reply_that_somebody_deleted_is_let_be(team: Team) -> None:
    red = scenario_of(PastPlan((frozenset({"test_session_expires"}),)))
    team.circleci.world.set_scenario(BACKEND, "main", red)
    team.circleci.faults.add("GET", f"/api/v2/project/{BACKEND}", delay=0.5)
    await team.deploys_branch("main", "acme/backend")
    await team.reads("Failed after")
    team.slack.refuse("chat.update", "message_not_found", times=3)
    watches, pipeline = team.app.store.watches, PipelineId(team.circleci.world.pipelines[0].id)
    async with asyncio.timeout(10):
        while not any(key.startswith("judged:") for one in await watches.of(pipeline) for key in one.told):
            await team.slack.pause(0.05)
    # The root and the reply, each once.
    assert len([call for call in team.slack.calls if call.answer.get("error") == "message_not_found"]) == 2
