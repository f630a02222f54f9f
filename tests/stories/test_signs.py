"""Who speaks to the bot sees at once that it was heard, and what it read; the sign goes when the answer stands."""

import asyncio
from datetime import timedelta

from bot.budgets import CLEAR_SECONDS
from bot.models.slack import Invocation
from bot.watching.engine import READS_AT_ONCE
from tests.stories.team import Team, is_offer, is_sign

EYES = [("eyes", "U0BOT")]
UNDERSTOOD = "👀 Understood: `{}`. My answer follows."


def signs(team: Team) -> list[str]:
    """Return the signs that Ada sees."""
    return [one.visible for one in team.ada.sees_only if is_sign(one)]


async def test_the_ack_says_what_was_understood_and_the_answer_takes_its_place(both_ways: Team) -> None:
    team = both_ways
    looked = await team.ada.command("deploys", "/ci", "status acme/frontend")
    assert looked.shown == UNDERSTOOD.format("status acme/frontend")
    deployed = await team.ada.command("deploys", "/ci", "deploy acme/frontend release/v2.0")
    assert deployed.shown == UNDERSTOOD.format("deploy acme/frontend release/v2.0")
    await team.reads("#2417")
    await team.slack.wait_for(lambda: not signs(team))
    assert [one.earlier for one in team.ada.sees_only if not is_offer(one)] == [[looked.shown]]


async def test_where_slack_keeps_what_an_ack_said_it_stays_true(team: Team) -> None:
    team.slack.responses.replaces = False
    team.circleci.faults.add("GET", "/api/v2/project/*", status=503, times=None)
    await team.ada.command("deploys", "/ci", "status acme/frontend")
    await team.slack.wait_for(lambda: len(team.ada.sees_only) == 2)
    assert signs(team) == [UNDERSTOOD.format("status acme/frontend")]


async def test_what_takes_a_while_bears_eyes_until_it_is_answered(team: Team) -> None:
    answered = asyncio.Event()
    team.circleci.faults.add("GET", "/api/v2/project/*", until=answered, times=None)
    await team.ada.mention("deploys", "status acme/frontend")
    (said,) = team.deploys.roots
    await team.slack.wait_for(lambda: said.reactions == EYES)
    answered.set()
    await team.slack.wait_for(lambda: said.reactions == [])
    assert len(team.ada.sees_only) == 1
    team.circleci.faults.clear()
    await team.runs()
    await team.reads("Running")
    pressed = asyncio.Event()
    team.circleci.faults.add("POST", "*/cancel", until=pressed, times=None)
    root = next(one for one in team.deploys.roots if "Cancel #2417" in one.buttons)
    await team.ada.click(root, "Cancel #2417")
    await team.slack.wait_for(lambda: root.reactions == EYES)
    pressed.set()
    await team.slack.wait_for(lambda: root.reactions == [])


async def test_eyes_of_a_run_that_was_cut_off_are_taken_away_by_the_next_however_fast_it_is(team: Team) -> None:
    said = team.slack.workspace.post(team.deploys, team.ada.id, "<@U0BOT> status acme/frontend", [])
    heard = Invocation(
        id="E1",
        kind="mention",
        text="status",
        user_id=team.ada.id,
        team_id="T0ACME",
        channel_id=team.deploys.id,
        message_ts=said.ts,
    )

    async def answers(never: asyncio.Event) -> None:
        async with team.app.signs.while_answered(heard):
            await never.wait()

    run = asyncio.create_task(answers(asyncio.Event()))
    await team.slack.wait_for(lambda: said.reactions == EYES)
    run.cancel()
    await asyncio.wait({run})
    assert said.reactions == EYES
    done = asyncio.Event()
    done.set()
    await answers(done)
    await team.slack.wait_for(lambda: said.reactions == [])
    async with asyncio.timeout(5):
        while await team.app.store.claims.is_taken("eyes:E1"):
            await team.slack.pause(0.01)


async def test_without_the_scope_slacks_own_line_says_it_and_it_is_asked_for_once(team: Team) -> None:
    team.slack.refuse("reactions.add", "missing_scope")
    for _ in range(2):
        answered = asyncio.Event()
        team.circleci.faults.add("GET", "/api/v2/project/*", until=answered, times=None)
        await team.ada.mention("deploys", "status acme/frontend")
        said = team.deploys.roots[-1]
        await team.slack.wait_for(lambda: said.status == "is looking at it")  # noqa: B023  # it is awaited here
        answered.set()
        await team.slack.wait_for(lambda: said.status == "")  # noqa: B023  # as above
        team.circleci.faults.clear()
    assert len(team.slack.calls_of("reactions.add")) == 1


async def test_a_sign_that_slack_is_long_about_delays_no_answer_and_goes_when_it_comes(team: Team) -> None:
    answered, taken = asyncio.Event(), asyncio.Event()
    team.circleci.faults.add("GET", "/api/v2/project/*", until=answered, times=None)
    team.slack.faults.add("POST", "*/reactions.add", until=taken, times=None)
    for _ in range(READS_AT_ONCE):
        await team.ada.mention("deploys", "status acme/frontend")
    await team.until(lambda: sum("reactions.add" in one.path for one in team.slack.requests) == READS_AT_ONCE)
    answered.set()
    await team.slack.wait_for(lambda: len(team.ada.sees_only) == READS_AT_ONCE)
    await team.ada.mention("deploys", "status acme/frontend main")
    await team.slack.wait_for(lambda: len(team.ada.sees_only) == READS_AT_ONCE + 1, timeout=8)
    assert all(said.reactions == [] for said in team.deploys.roots)
    taken.set()
    await team.slack.wait_for(lambda: len(team.slack.calls_of("reactions.remove")) >= READS_AT_ONCE)
    await team.slack.wait_for(lambda: all(said.reactions == [] for said in team.deploys.roots))


async def test_who_waits_for_circleci_is_told_how_long_and_the_answer_stands_last(team: Team) -> None:
    people, taken = (team.ada, team.grace), asyncio.Event()
    await team.app.store.turns.pause("circleci", timedelta(seconds=3.5))
    await team.slack.pause(CLEAR_SECONDS)
    team.slack.faults.add("POST", "/commands/*", until=taken)  # the sign of one of them
    for person in people:
        await person.command("deploys", "/ci", "status acme/frontend")
    # A deploy can be taken back there, before it is known of what.
    admin = team.slack.person("admin")
    await admin.command("deploys", "/ci", "deploy acme/frontend try/green")
    offered = await team.is_told(admin, "⏳ Waiting: `deploy acme/frontend try/green`.")
    await admin.click(offered, "Do not deploy it")
    await team.is_told(admin, "You took it back: acme/frontend try/green is not deployed. Nothing of it was sent")
    answers = [await team.is_told(person, "Nothing was built there lately") for person in people]
    taken.set()
    await team.is_done()
    assert team.posts("/pipeline") == []
    await team.slack.wait_for(lambda: sorted(len(one.earlier) for one in answers) == [2, 3])
    again = "I may ask CircleCI again in about "
    assert any(f"{UNDERSTOOD.format('status acme/frontend')} {again}" in one.earlier[0] for one in answers)
    for answer in answers:
        assert "Nothing was built there lately" in answer.visible
        assert answer.earlier[-1].startswith("⏳ Waiting: `status acme/frontend`. My turn at CircleCI comes in about ")
