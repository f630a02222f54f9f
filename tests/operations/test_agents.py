"""Stories of agents: what they ask for waits for the press of a person, and what else is demanded holds."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import AskedAlready, ForAPerson, Locked, NotAllowed, NothingToDo, UsageError
from bot.models.agent import Agent
from bot.models.audit import Entry, Outcome
from bot.models.caller import Caller
from bot.models.circleci import PipelineId, ProjectSlug
from bot.operations import Operations
from bot.policy import Word
from bot.watching.engine import EXPIRE
from formatters import errors
from playground.slack.conversations import Message
from tests.operations.agents import WHY, deployment, made, refused, speaking, waits
from tests.operations.scene import (
    FRONTEND,
    MOBILE,
    OVER,
    RUNNING,
    fills_in,
    goes_by,
    opens,
    presses,
    pulls_forward,
    pushed,
    record,
    said,
    team_under,
    types,
    writes,
)
from tests.stories.team import Team, bot_at_work, far_sides

POLICY = """
[roles.ada]
users = ["U0ADA"]

[roles.robots]
agents = ["release-bot"]

[roles.nightly]
agents = ["nightly"]

[[rules]]
name = "members do all this"
roles = ["members", "robots"]
words = ["read", "deploy", "rerun", "approve", "cancel"]

[[rules]]
name = "at night alone"
roles = ["nightly"]
words = ["deploy", "rerun", "cancel"]
agents_alone = true

[[rules]]
name = "admins do all"
roles = ["admins"]
words = ["*"]

[[rules]]
name = "ada takes a second person"
effect = "demand"
words = ["deploy"]
roles = ["ada"]
branches = ["try/parallel"]
second_person = true

[[rules]]
name = "agents take a second person there"
effect = "demand"
words = ["deploy"]
roles = ["agents"]
branches = ["try/on-hold"]
second_person = true

[[rules]]
name = "ada types it there"
effect = "demand"
words = ["deploy"]
roles = ["ada"]
branches = ["try/on-hold"]
typed = true

[[rules]]
name = "two people"
effect = "demand"
words = ["deploy"]
branches = ["main"]
second_person = true

[[rules]]
name = "typed"
effect = "demand"
words = ["deploy", "rerun"]
branches = ["hold/*"]
typed = true

[[rules]]
name = "nothing over a red branch"
effect = "demand"
words = ["deploy"]
branches = ["release/*"]
green = true
"""
THERE = """
[roles.release-team]
groups = ["S0RELEASE"]

[[rules]]
name = "everybody reads"
words = ["read"]

[[rules]]
name = "the release team, there"
roles = ["release-team"]
channels = ["C0DEPLOYS"]
words = ["deploy"]

[[rules]]
name = "members deploy"
roles = ["members"]
words = ["deploy"]
"""
SENT = f"POST /api/v2/project/{FRONTEND}/pipeline"


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under(POLICY, tmp_path) as team:
        yield team


def operations(team: Team) -> Operations:
    return team.app.operations


async def asks(team: Team, agent: Agent, branch: str, delivery_id: str = "mcp:1") -> Message:
    """Let an agent ask for a deploy, and return the request for somebody's word."""
    await waits(operations(team).deploy(speaking(agent, delivery_id), deployment(branch)))
    return team.deploys.messages[-1]


async def entries(team: Team, outcome: Outcome) -> list[Entry]:
    return [one for one in await record(team) if one.outcome is outcome and one.word == Word.DEPLOY]


async def test_a_deploy_waits_for_a_person_and_its_owner_is_one(team: Team) -> None:
    agent = await made(team, team.grace)
    request = await asks(team, agent, "try/green")
    assert writes(team) == []
    assert "🤖 laptop, for grace, wants to deploy acme/frontend try/green.* A person must agree." in request.visible
    assert f"It says why: “{WHY}”" in request.visible
    assert "Who may deploy it can agree: members, the people in ADMINS: admin." in request.visible
    assert "robots" not in request.visible
    assert "So can grace, for whom it asks." in request.visible
    await presses(team, team.grace, request, "Agree and deploy")
    assert writes(team) == [SENT]
    assert "grace agreed: acme/frontend try/green is on its way, as 🤖 laptop (for grace) asked." in request.visible
    assert f"🤖 laptop said why: “{WHY}”" in request.visible
    root = await team.reads("🤖 laptop asked, for grace; grace agreed")
    assert f"🤖 laptop said why: “{WHY}”" in root.visible
    team.time_flies()
    await team.slack.wait_for(lambda: "Passed" in root.visible)
    assert "@grace" in (await team.reads("Passed in")).visible
    (done,) = await entries(team, Outcome.DONE)
    assert (done.agent, done.user_id, done.agreed_name) == ("laptop", team.grace.id, "grace")
    audit = said(await types(team, team.slack.person("admin"), "audit"))
    assert "🤖 laptop (for grace)" in audit
    assert f"why: “{WHY}”" in audit


async def test_its_owner_is_no_second_person(team: Team) -> None:
    agent = await made(team, team.grace)
    request = await asks(team, agent, "main")
    assert "Somebody else than grace must agree." in request.visible
    told = said(await presses(team, team.grace, request, "Agree and deploy"))
    assert "Your agent asked for it, so somebody else must agree." in told
    assert writes(team) == []
    await presses(team, team.ada, request, "Agree and deploy")
    assert writes(team) == [SENT]
    (entry,) = await entries(team, Outcome.REFUSED)
    assert (entry.user_id, entry.for_name) == (team.grace.id, "🤖 laptop (for grace)")


async def test_who_may_not_do_it_cannot_let_it_happen(team: Team) -> None:
    request = await asks(team, await made(team, team.grace), "try/green")
    told = said(await presses(team, team.slack.person("guest"), request, "Agree and deploy"))
    assert "You may not deploy" in told
    assert writes(team) == []


async def test_an_agent_answers_nothing_that_is_asked(team: Team) -> None:
    agent = await made(team, team.grace)
    await asks(team, agent, "try/green")
    presser = speaking(agent, "mcp:2")
    answers = (operations(team).agree(presser, "mcp:1"), operations(team).anyway(presser, "mcp:1"))
    assert [type(await refused(one)) for one in answers] == [UsageError, UsageError]
    with pytest.raises(UsageError):
        await operations(team).decline(presser, "mcp:1", "no")
    assert writes(team) == []


async def test_a_rerun_and_a_cancel_wait_too(team: Team) -> None:
    agent, build = await made(team, team.grace), pushed(team, "try/failing-tests", OVER)
    caller, pipeline_id = speaking(agent), PipelineId(build.id)
    await waits(operations(team).rerun(caller, pipeline_id, failed_only=True))
    request = team.deploys.messages[-1]
    assert f"wants to rerun the failed jobs of acme/frontend try/failing-tests #{build.number}.*" in request.visible
    assert "What runs again: unit-tests" in request.visible
    assert writes(team) == []
    await presses(team, team.ada, request, "Agree and rerun")
    assert [one.rpartition("/")[2] for one in writes(team)] == ["rerun"]
    root = await team.reads("rerun by 🤖 laptop (for grace); ada agreed")
    assert f"🤖 laptop said why: “{WHY}”" in root.visible
    goes_by(team, RUNNING)
    await waits(operations(team).cancel(speaking(agent, "mcp:2"), pipeline_id))
    request = team.deploys.messages[-1]
    assert f"🤖 laptop, for grace, wants to cancel acme/frontend try/failing-tests #{build.number}.*" in request.visible
    assert "What it stops: " in request.visible
    assert "Nothing is cancelled unless somebody agrees." in request.visible
    await presses(team, team.ada, request, "Agree and cancel")
    assert [one.rpartition("/")[2] for one in writes(team)] == ["rerun", "cancel"]
    assert "is being cancelled, as 🤖 laptop (for grace) asked." in request.visible
    told = await team.reads("🤖 laptop (for grace) asked to cancel; ada agreed.")
    assert f"🤖 laptop said why: “{WHY}”" in told.visible
    assert "🤖 laptop (for grace); ada agreed" in root.visible


async def test_nobody_is_asked_for_a_rerun_that_cannot_run(team: Team) -> None:
    agent, before = await made(team, team.grace), len(team.deploys.messages)
    refused_runs = [pushed(team, "try/config-error", OVER), pushed(team, "try/slow", RUNNING)]
    for number, build in enumerate(refused_runs):
        act = operations(team).rerun(speaking(agent, f"mcp:{number}"), PipelineId(build.id), failed_only=True)
        error = await refused(act)
        assert isinstance(error, NothingToDo)
        assert error.why == ("nothing_to_rerun", "already_running")[number]
    assert len(team.deploys.messages) == before
    assert [one.outcome for one in await record(team) if one.agent] == [Outcome.REFUSED, Outcome.REFUSED]


async def test_what_has_ended_meanwhile_is_not_cancelled(team: Team) -> None:
    agent, build = await made(team, team.grace), pushed(team, "try/slow", RUNNING)
    await waits(operations(team).cancel(speaking(agent), PipelineId(build.id)))
    request = team.deploys.messages[-1]
    goes_by(team, 10 * OVER)
    told = said(await presses(team, team.ada, request, "Agree and cancel"))
    assert "passed" in told
    assert f"ada agreed to acme/frontend try/slow #{build.number}, but nothing was cancelled." in request.visible
    assert writes(team) == []
    error = await refused(operations(team).cancel(speaking(agent, "mcp:2"), PipelineId(build.id)))
    assert isinstance(error, NothingToDo)
    assert team.deploys.messages[-1] is request


async def test_what_runs_by_now_is_shown_before_it_is_cancelled(team: Team) -> None:
    agent, build = await made(team, team.grace), pushed(team, "try/setup", 3)
    await waits(operations(team).cancel(speaking(agent), PipelineId(build.id)))
    request = team.deploys.messages[-1]
    assert "What it stops: generate-config." in request.visible
    agree = request.element("Agree and cancel")
    goes_by(team, 60)
    for person in (team.grace, team.grace, team.ada):
        assert "has changed since it was asked" in said(await presses(team, person, request, agree))
    assert writes(team) == []
    assert "What it stops: test, deploy." in request.visible


async def test_what_begins_behind_the_press_is_not_cancelled(team: Team) -> None:
    agent, build, arrives = await made(team, team.grace), pushed(team, "try/setup", 3), asyncio.Event()
    await waits(operations(team).cancel(speaking(agent), PipelineId(build.id)))
    request, before = team.deploys.messages[-1], len(team.circleci.requests)
    team.circleci.faults.add("GET", "*/workflow", until=arrives, spare=1)
    await team.clicks(team.ada, request, "Agree and cancel")
    await team.until(lambda: sum(one.path.endswith("/workflow") for one in team.circleci.requests[before:]) == 2)
    goes_by(team, 60)
    arrives.set()
    await team.is_done()
    assert "but nothing was cancelled. acme/frontend try/setup #" in request.visible
    assert writes(team) == []


async def test_a_press_is_no_way_round_what_is_demanded_of_who_presses(team: Team) -> None:
    agent, others = (
        await made(team, team.grace),
        {"try/parallel": team.grace, "try/on-hold": team.slack.person("admin")},
    )
    for number, (branch, other) in enumerate(others.items()):
        pushed(team, branch, OVER)
        request = await asks(team, agent, branch, f"mcp:{number}")
        told = said(await presses(team, team.ada, request, "Agree and deploy"))
        assert "A rule demands more of you for this than a press." in told
        assert f"/ci deploy gh/acme/frontend {branch}" in told
        assert len(writes(team)) == number
        await presses(team, other, request, "Agree and deploy")
        assert len(writes(team)) == number + 1


async def test_a_later_one_of_its_name_is_another_agent(team: Team) -> None:
    agent, store = await made(team, team.grace), team.app.store
    await waits(operations(team).deploy(speaking(agent), deployment("try/slow")))
    assert await store.agents.remove(agent)
    await made(team, team.grace)
    await presses(team, team.grace, team.deploys.messages[-1], "Agree and deploy")
    assert "there is another one of its name" in team.deploys.messages[-1].visible
    assert writes(team) == []


async def test_a_person_who_cancels_is_asked_nothing_and_ends_the_request_for_it(team: Team) -> None:
    agent, build = await made(team, team.grace), pushed(team, "try/slow", RUNNING)
    await waits(operations(team).cancel(speaking(agent), PipelineId(build.id)))
    request = team.deploys.messages[-1]
    ada = Caller(person_id=team.ada.id, name="ada", place=speaking(agent).place, delivery_id="1")
    await operations(team).cancel(ada, PipelineId(build.id))
    assert [one.rpartition("/")[2] for one in writes(team)] == ["cancel"]
    assert "ada did the same meanwhile" in request.visible


async def test_no_agent_answers_what_else_is_demanded_and_nobody_is_asked_it(team: Team) -> None:
    pushed(team, "release/v2.0", OVER)
    team.circleci.world.set_scenario(FRONTEND, "try/slow", "slow")
    await types(team, team.ada, "deploy acme/frontend try/slow")
    agent, before, sent = await made(team, team.grace), len(team.deploys.messages), writes(team)
    stands = {
        "green": deployment("release/v2.0"),
        "typed": deployment("hold/prod"),
        "definition": deployment("main", MOBILE),
        "unbuilt": deployment("try/slwo"),
        "alone": deployment("try/slow"),
    }
    for number, (demand, wish) in enumerate(stands.items()):
        error = await refused(operations(team).deploy(speaking(agent, f"mcp:{number}"), wish))
        assert isinstance(error, ForAPerson), error
        assert error.demand == demand
        assert f"A person can: `/ci {error.line}` in Slack." in errors.error(error).text
        assert error.line == wish.typed
        assert bool(error.among) is (demand in ("definition", "unbuilt"))
        entry = (await record(team))[-1]
        assert (entry.agent, entry.outcome) == ("laptop", Outcome.REFUSED)
    assert len(team.deploys.messages) == before
    assert team.grace.sees_only == []
    assert writes(team) == sent


async def test_a_branch_that_turned_red_since_ends_the_request(team: Team) -> None:
    team.circleci.world.set_scenario(FRONTEND, "release/v2.0", "green")
    build = pushed(team, "release/v2.0", OVER)
    request = await asks(team, await made(team, team.grace), "release/v2.0")
    team.circleci.world.set_scenario(FRONTEND, "release/v2.0", "failing-tests")
    pushed(team, "release/v2.0", OVER, revision=build.revision)
    await presses(team, team.grace, request, "Agree and deploy")
    assert "grace agreed to acme/frontend release/v2.0, but nothing was started." in request.visible
    assert "No agent can go on over that." in request.visible
    assert request.buttons == []
    assert writes(team) == []


async def test_nothing_that_nobody_could_be_asked_for_is_done(team: Team) -> None:
    agent, build = await made(team, team.grace), pushed(team, "try/failing-tests", OVER)
    with_ssh = operations(team).rerun(speaking(agent), PipelineId(build.id), failed_only=True, ssh=True)
    assert isinstance(await refused(with_ssh), ForAPerson)
    running = pushed(team, "try/slow", RUNNING)
    number = next(iter(running.runs[0].job_numbers.values()))
    job = operations(team).cancel_job(speaking(agent, "mcp:2"), ProjectSlug(FRONTEND), number)
    assert isinstance(await refused(job), ForAPerson)
    assert writes(team) == []


async def test_one_that_was_removed_meanwhile_gets_nothing_whoever_presses(team: Team) -> None:
    agent = await made(team, team.grace)
    request = await asks(team, agent, "try/green")
    await team.app.store.agents.remove(agent)
    told = said(await presses(team, team.ada, request, "Agree and deploy"))
    assert "🤖 laptop (for @grace) may not deploy" in told
    assert "ada agreed to acme/frontend try/green, but nothing was started." in request.visible
    assert "the agent laptop was removed" in request.visible
    assert request.buttons == []
    assert writes(team) == []
    (entry,) = await entries(team, Outcome.REFUSED)
    assert (entry.agent, entry.agreed_name) == ("laptop", "ada")


async def test_of_an_owner_slack_is_asked_anew_at_each_press_and_before_each_write(tmp_path: Path) -> None:
    async with team_under(THERE, tmp_path) as team:
        guest, workspace = team.slack.person("guest"), team.slack.workspace
        group = workspace.usergroups["S0RELEASE"].users
        group.append(guest.id)
        # Each request made known who its owner is, less than a minute ago.
        one, other, third = [await made(team, guest, name) for name in ("laptop", "desktop", "phone")]
        request = await asks(team, one, "try/green")
        team.deploys.members.remove(guest.id)
        await presses(team, team.ada, request, "Agree and deploy")
        assert "its owner is not in its channel" in request.visible
        error = await refused(operations(team).deploy(speaking(one, "mcp:9"), deployment("try/flaky")))
        assert isinstance(error, NotAllowed)
        team.deploys.members.append(guest.id)
        request = await asks(team, other, "try/green", "mcp:2")
        group.remove(guest.id)
        await presses(team, team.ada, request, "Agree and deploy")
        assert "🤖 desktop (for @guest) may not deploy" in request.visible
        assert writes(team) == []
        group.append(guest.id)
        request = await asks(team, third, "try/green", "mcp:3")
        team.circleci.faults.add("POST", "*", status=429, headers={"Retry-After": "1.5"})
        await team.clicks(team.ada, request, "Agree and deploy")
        await team.until(lambda: writes(team))
        workspace.user(guest.id).deleted = True
        await team.is_done()
        assert "its owner has left the workspace" in request.visible
        assert writes(team) == [SENT]  # what CircleCI put off


async def test_the_same_is_asked_for_once(team: Team) -> None:
    agent = await made(team, team.grace)
    request = await asks(team, agent, "try/green")
    error = await refused(operations(team).deploy(speaking(agent, "mcp:2"), deployment("try/green")))
    assert isinstance(error, AskedAlready)
    assert error.pending_id == "mcp:1"
    assert "🤖 laptop (for grace) asked for this at" in errors.error(error).text
    assert "A person must agree to" in errors.error(error).text
    assert team.deploys.messages[-1] is request


async def test_a_lock_of_its_owner_stops_one_that_stands_on_its_own_alone(team: Team) -> None:
    agent, robot = await made(team, team.grace), await made(team, team.slack.person("admin"), "release-bot", own=True)
    await types(team, team.grace, "lock acme/frontend:try/green mine")
    await types(team, team.slack.person("admin"), "lock acme/frontend:try/flaky mine")
    for number, (who, branch) in enumerate([(agent, "try/flaky"), (robot, "try/flaky"), (robot, "try/green")]):
        error = await refused(operations(team).deploy(speaking(who, f"mcp:{number}"), deployment(branch)))
        assert isinstance(error, Locked), (who.name, branch)
    request = await asks(team, agent, "try/green", "mcp:9")
    await presses(team, team.ada, request, "Agree and deploy")
    assert writes(team) == [SENT]


async def test_one_on_its_own_is_let_by_its_owner_too(team: Team) -> None:
    robot = await made(team, team.slack.person("admin"), "release-bot", own=True)
    request = await asks(team, robot, "try/green")
    assert "🤖 release-bot wants to deploy acme/frontend try/green.* A person must agree." in request.visible
    assert "So can admin, who made it." in request.visible
    await presses(team, team.slack.person("admin"), request, "Agree and deploy")
    assert writes(team) == [SENT]
    other = await made(team, team.slack.person("admin"), "unknown-bot", own=True)
    error = await refused(operations(team).deploy(speaking(other, "mcp:2"), deployment("try/flaky")))
    assert isinstance(error, NotAllowed)


async def test_where_a_rule_lets_it_act_alone_it_does_and_what_else_is_demanded_holds(team: Team) -> None:
    robot = await made(team, team.slack.person("admin"), "nightly", own=True)
    acted = await operations(team).deploy(speaking(robot), deployment("try/green"))
    assert acted.pipeline_number is not None
    assert writes(team) == [SENT]
    root = await team.reads("🤖 nightly asked ·")
    assert f"🤖 nightly said why: “{WHY}”" in root.visible
    await asks(team, robot, "main", "mcp:2")
    team.time_flies()
    await team.slack.wait_for(lambda: "Passed" in root.visible)
    error = await refused(operations(team).deploy(speaking(robot, "mcp:3"), deployment("try/green")))
    assert isinstance(error, AskedAlready)
    assert error.repeats == "mcp:1"
    assert writes(team) == [SENT]
    again = speaking(robot, "mcp:4").model_copy(update={"key": "another"})
    await operations(team).deploy(again, deployment("try/green"))
    assert writes(team) == [SENT, SENT]


async def test_what_is_declined_or_forgotten_says_whose_it_was(team: Team) -> None:
    agent = await made(team, team.grace)
    request = await asks(team, agent, "try/green")
    window = await opens(team, team.ada, request, "Decline")
    await fills_in(team.ada, window, reason="not today")
    assert "ada declined acme/frontend try/green: not today." in request.visible
    told = await team.reads("ada declined it: not today.")
    assert "`/ci deploy gh/acme/frontend try/green` asks in your own name." in told.visible
    assert told.buttons == []  # a press would deploy it at once
    await asks(team, agent, "try/flaky", "mcp:2")
    request = team.deploys.messages[-1]
    await pulls_forward(team, EXPIRE)
    await team.slack.wait_for(lambda: "Nobody decided on" in request.visible)
    await team.is_done()
    found = await entries(team, Outcome.REFUSED)
    assert [(one.agent, one.user_id) for one in found] == [("laptop", team.grace.id)] * 2
    assert writes(team) == []


async def test_its_owner_takes_it_back(team: Team) -> None:
    request = await asks(team, await made(team, team.grace), "try/green")
    window = await opens(team, team.grace, request, "Decline")
    await fills_in(team.grace, window, reason="it misread me")
    assert "🤖 laptop (for grace) took back" not in request.visible
    assert "grace took back" in request.visible


async def test_it_is_asked_in_direct_messages_unless_a_second_person_is_demanded(team: Team) -> None:
    place = await team.app.messenger.direct_channel(team.grace.id)
    agent = await made(team, team.grace, channel_id=place)
    await waits(operations(team).deploy(speaking(agent), deployment("try/green")))
    (request,) = [one for one in team.grace.direct_messages if "wants to deploy" in one.visible]
    error = await refused(operations(team).deploy(speaking(agent, "mcp:2"), deployment("main")))
    assert isinstance(error, NothingToDo)
    assert error.why == "agent_reads_alone"
    assert "grace, for whom it asks, can agree." in request.visible
    assert "members" not in request.visible
    await presses(team, team.grace, request, "Agree and deploy")
    assert writes(team) == [SENT]


async def test_mine_shows_what_ones_agent_waits_for(team: Team) -> None:
    await asks(team, await made(team, team.grace), "try/green")
    for person in (team.grace, team.ada):
        told = said(await types(team, person, "mine"))
        assert "Waits for you to agree* · the deploy of acme/frontend try/green, which 🤖 laptop (for grace)" in told


async def test_what_was_asked_before_a_crash_is_agreed_to_after_it(tmp_path: Path) -> None:
    data, policy = tmp_path / "data", tmp_path / "policy.toml"
    policy.write_text(POLICY)
    async with far_sides(speed=0) as (circleci, slack):
        async with bot_at_work(circleci, slack, data, policy_file=policy, admins="U0ADMIN") as team:
            request = await asks(team, await made(team, team.grace), "try/green")
        async with bot_at_work(circleci, slack, data, policy_file=policy, admins="U0ADMIN") as team:
            await presses(team, team.ada, request, "Agree and deploy")
            assert writes(team) == [SENT]
            await team.reads("🤖 laptop asked, for grace; ada agreed")
