"""What people see when CircleCI, Slack or Redis does not do what it should, and when two people press at once."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.app import App
from bot.configuration import BadSettings
from bot.models.attempt import Attempt
from bot.models.caller import Place
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.slack import Invocation, utc_now
from bot.operations.beside import GOES_ON
from bot.settings import Projects, Settings
from bot.slack.listeners import RECORD_SECONDS
from bot.watching.engine import HANDLE
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace
from tests.stories.team import Team, Waits, team_at_work


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (503, "CircleCI does not answer me"),
        (401, "does not accept my token any more"),  # a 429: tests/faults/test_limits.py
    ],
)
async def test_an_outage_is_two_lines_in_the_thread(team: Team, status: int, words: str) -> None:
    # C41 for the 401: the watch goes on when the token is accepted again.
    await team.runs()
    await team.reads("Running")
    team.circleci.faults.add("GET", "/api/v2/*", status=status, times=None)
    await team.reads(words)
    team.circleci.faults.clear()
    await team.reads("CircleCI answers again")
    team.time_flies()
    await team.slack.wait_for(lambda: team.count("Passed in") == 1, timeout=40)
    assert team.count("News will be late") == 1


async def test_a_root_stands_before_the_first_look_is_answered_or_fails(team: Team) -> None:
    answered = asyncio.Event()
    team.circleci.faults.add("GET", "/api/v2/pipeline/*", until=answered)
    team.circleci.faults.add("GET", "/api/v2/pipeline/*", status=503, times=None, spare=1)
    await team.deploys_branch("main")
    await team.is_done()
    assert "Waiting" in team.root.visible
    answered.set()
    await team.until(lambda: sum(seen.status == 503 for seen in team.circleci.requests) >= 2)
    team.circleci.faults.clear()
    await team.reads("Passed in")
    assert len(team.deploys.roots) == 1


async def test_a_trigger_that_never_arrived_is_given_up_in_words(team: Team) -> None:
    team.circleci.faults.add("POST", "*/pipeline", drop="before")
    await team.deploys_branch("main")
    await team.is_told(team.ada, "I will not start a second one")
    await team.is_told(team.ada, "that came of my request: it seems that it never took effect")
    assert team.circleci.world.pipelines == []


async def test_a_rerun_whose_answer_is_lost_is_not_sent_again(team: Team) -> None:
    await team.deploys_branch("release/v2.0")
    final = await team.reads("Failed after")
    team.circleci.faults.add("POST", "*/rerun", drop="after")
    await team.ada.click(final, final.element("Rerun failed"))
    await team.is_told(team.ada, "I send nothing twice")
    await team.pull_forward()
    await team.reads("attempt 2")
    await team.reads("Passed in")
    assert len(team.posts("/rerun")) == 1


async def test_a_refused_rerun_may_be_pressed_again(team: Team) -> None:
    await team.deploys_branch("release/v2.0")
    final = await team.reads("Failed after")
    team.circleci.faults.add("POST", "*/rerun", status=400, body={"message": "Not now"})
    await team.ada.click(final, final.element("Rerun failed"))
    await team.is_told(team.ada, "CircleCI refused this. Nothing was done. It says: Not now")
    await team.ada.click(final, final.element("Rerun failed"))
    await team.reads("Passed in")
    assert len(team.posts("/rerun")) == 2


async def test_a_press_while_it_runs_again_says_who_was_first(team: Team) -> None:
    await team.deploys_branch("release/v2.0")
    final = await team.reads("Failed after")
    rerun, everything = final.element("Rerun failed"), final.element("Rerun all")
    team.time_stands_still()
    await team.ada.click(final, rerun)
    await team.reads("pressed Rerun failed")
    await team.grace.click(final, everything)
    told = await team.is_told(team.grace, "to rerun it: #")
    assert "@ada was first" in told.visible
    assert len(team.posts("/rerun")) == 1


async def test_cancel_twice_and_cancel_too_late(team: Team) -> None:
    await team.runs()
    await team.reads("Running")
    cancel = team.root.element("Cancel #2417")
    await asyncio.gather(team.ada.click(team.root, cancel), team.grace.click(team.root, cancel))
    await team.slack.wait_for(lambda: team.ada.sees_only or team.grace.sees_only)
    team.time_flies()
    await team.reads("Cancelled after")
    assert team.count("pressed Cancel") == 1
    await team.grace.click(team.root, cancel)
    await team.is_told(team.grace, "There is nothing to cancel")


async def test_a_refused_approval_may_be_pressed_again(team: Team) -> None:
    await team.deploys_branch("hold/prod")
    hold = await team.reads("Waiting for approval")
    approve = hold.element("Approve hold-prod")
    team.circleci.faults.add("POST", "*/approve/*", status=403, body={"message": "Permission denied"})
    await team.ada.click(hold, approve)
    await team.is_told(team.ada, "Permission denied")
    await team.ada.click(hold, approve)
    await team.reads("Passed in")


async def test_deploy_again_pressed_by_two_starts_one(team: Team) -> None:
    await team.ada.command("deploys", "/ci", 'deploy acme/frontend try/no-workflow note="so be it" dry="true"')
    await team.reads("Could not run")
    await _keeps_that_it_ended(team)
    again = team.root.element("Deploy try/no-workflow again")
    await asyncio.gather(team.ada.click(team.root, again), team.grace.click(team.root, again))
    await team.until(lambda: len(team.circleci.world.pipelines) == 2)
    await team.slack.wait_for(lambda: team.ada.sees_only or team.grace.sees_only)
    first, second = team.posts("/pipeline")
    assert first == second == {"branch": "try/no-workflow", "parameters": {"note": "so be it", "dry": "true"}}


async def _keeps_that_it_ended(team: Team) -> None:
    """Wait until the bot keeps what it has said: until then, who deploys is asked whether it may run beside."""
    pipeline, watches = PipelineId(team.circleci.world.pipelines[-1].id), team.app.store.watches
    async with asyncio.timeout(20):
        while pipeline in await watches.watched([pipeline]):
            build = (await watches.last_look(pipeline)).build
            if build is not None and build.state not in GOES_ON:
                return
            await team.slack.pause(0.02)


async def test_an_archived_channel_is_left_for_a_direct_message(team: Team) -> None:
    # C35
    await team.runs()
    await team.reads("Running")
    team.deploys.is_archived = True
    team.time_flies()
    await team.slack.wait_for(
        lambda: [one for one in team.ada.direct_messages if "Passed in" in one.visible], timeout=40
    )
    why = [one for one in team.ada.direct_messages if "is_archived" in one.visible]
    assert len(why) == 1
    releases = team.slack.workspace.channel("releases")  # the operator's
    assert len([one for one in releases.messages if "I cannot write in #deploys any more" in one.visible]) == 1


@pytest.mark.parametrize("seconds", [1, 4])
async def test_slacks_own_limit_delays_and_loses_nothing(team: Team, seconds: int) -> None:
    team.slack.refuse("chat.postMessage", "ratelimited", retry_after=seconds)
    await team.deploys_branch("main")
    await team.reads("Passed in")
    assert len(team.deploys.roots) == 1


async def test_without_redis_nothing_starts_and_everybody_is_told(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, waits=Waits(record_seconds=RECORD_SECONDS)) as team:
        await team.runs()
        await team.reads("Running")
        async with Redis.from_url(team.app.docket.url) as redis:
            # A server that dies is started again at once: this one stands still.
            pid = int((await redis.info())["process_id"])
        os.kill(pid, signal.SIGSTOP)
        try:
            delivery, _, _ = await asyncio.gather(
                team.ada.command("deploys", "/ci", "deploy acme/frontend main"),
                team.grace.mention("deploys", "deploy acme/frontend main"),
                team.ada.click(team.root, team.root.element("Cancel #2417")),
            )
            assert delivery.acked
            assert delivery.shown is not None
            assert "Nothing was started" in str(delivery.shown)
            await team.is_told(team.grace, "Nothing was started")
            await team.slack.wait_for(lambda: len(team.ada.sees_only) >= 2)
            assert len(team.posts("/pipeline")) == 1
        finally:
            os.kill(pid, signal.SIGCONT)


async def test_operators_can_ask_how_it_is(both_ways: Team) -> None:
    assert both_ways.app.server is not None
    url = f"http://127.0.0.1:{both_ways.app.server.port}"
    async with aiohttp.ClientSession() as session:
        for path, words in (("/healthz", "alive"), ("/readyz", '"ready": true'), ("/metrics", "python_info")):
            async with session.get(url + path) as answer:
                assert answer.status == 200
                assert words in await answer.text()


async def test_a_request_that_is_not_slacks_is_refused(tmp_path: Path) -> None:
    # C33: the clock is part of the signature.
    async with team_at_work(tmp_path, socket_mode=False) as team:
        assert team.app.server is not None
        url = f"http://127.0.0.1:{team.app.server.port}/slack/events"
        async with aiohttp.ClientSession() as session:
            for stamp in ("yesterday", "1", "99999999999"):
                headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=00"}
                async with session.post(url, data="command=/ci", headers=headers) as answer:
                    assert answer.status == 401
        # At its start it tries its token, and that is all.
        assert {seen.path for seen in team.circleci.requests} <= {"/api/v2/me", "/api/v2/me/collaborations"}


@pytest.mark.parametrize("missing", ["slack_bot_token", "slack_app_token"])
async def test_a_token_slack_refuses_is_named_at_the_start(tmp_path: Path, missing: str) -> None:
    async with Slack(default_workspace(), socket_mode=True) as slack:
        tokens = {"slack_bot_token": slack.bot_token, "slack_app_token": slack.app_token}
        tokens[missing] += "-wrong"
        settings = Settings(
            slack_bot_token=SecretStr(tokens["slack_bot_token"]),
            slack_app_token=SecretStr(tokens["slack_app_token"]),
            slack_api_url=slack.url,
            circleci_token=SecretStr("x"),
            data_dir=tmp_path,
            port=0,
        )
        with pytest.raises(BadSettings, match=missing.upper()):
            await App(settings, Projects()).__aenter__()


async def test_help_explains_one_command(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "help deploy")
    await team.is_told(team.ada, "deploy <project> [<branch> | tag:<tag>] [name=value …]")
    await team.ada.command("deploys", "/ci", "help dance")
    await team.is_told(team.ada, "I do not know this word")
    await team.ada.command("deploys", "/ci", "")
    await team.is_told(team.ada, "says more about one word")


async def test_a_missing_project_is_answered_with_the_usage(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "deploy")
    await team.is_told(team.ada, "Which project should I deploy?")


async def test_a_worker_that_died_after_the_trigger_finds_what_it_started(team: Team) -> None:
    said = Invocation(
        id="Ev9",
        kind="mention",
        text="deploy acme/frontend main",
        user_id=team.ada.id,
        team_id=team.slack.workspace.team_id,
        channel_id=team.deploys.id,
    )
    attempt = Attempt(
        id=said.id,
        project_slug=ProjectSlug("gh/acme/frontend"),
        project_title="acme/frontend",
        ref=Ref(name="main"),
        thread=Place(channel_id=team.deploys.id),
        asker_id=team.ada.id,
        asked_at=utc_now(),
        newest_number=2416,
        sent_at=utc_now(),
    )
    store = team.app.store
    await store.deliveries.record(said)
    await store.attempts.save(attempt)
    team.circleci.world.trigger("gh/acme/frontend", branch="main", parameters={})
    await team.app.engine.add(HANDLE, said.id)
    await team.reads("Passed in")
    assert team.posts("/pipeline") == []
    assert len(team.circleci.world.pipelines) == 1


async def test_a_bot_that_was_removed_stops_calling_and_says_so(team: Team) -> None:
    # C38; the other codes that mean it: tests/test_messenger.py
    code = "account_inactive"
    await team.runs()
    await team.reads("Running")
    team.slack.token_error = code
    team.time_flies()
    await team.slack.wait_for(lambda: [call for call in team.slack.calls if call.answer.get("error") == code])
    calls = len(team.slack.calls)
    await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
    await team.until(lambda: len(team.circleci.world.pipelines) == 2)
    assert len(team.slack.calls) == calls
    assert team.app.server is not None
    address = f"http://127.0.0.1:{team.app.server.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        assert answer.status == 503
        assert code in await answer.text()
    team.slack.token_error = None
    team.app.messenger._calls.probe_at = 0  # a minute has gone by
    await team.slack.wait_for(lambda: team.count("Passed in") == 2, timeout=30)
    assert team.app.messenger.refused == ""


@pytest.mark.parametrize("profile", [{}, {"email": None}, {"real_name": "Deploy Bot"}])
async def test_a_profile_without_an_address_is_nobodys_trouble(team: Team, profile: dict[str, object]) -> None:
    # C39
    team.slack.workspace.user("ada").profile = profile
    await team.ada.mention("deploys", "deploy acme/frontend main")
    await team.reads("Passed in")
    assert "asked by" in team.deploys.messages[1].visible
