"""Stories of what is agreed to: it stands in the request whole, and nothing else is sent on that agreement."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.actions import (
    AgreeDeploy,
    ApproveJob,
    ChooseDefinition,
    DeclineDeploy,
    DeployAnyway,
    RerunAll,
    RerunFailed,
    TypeTarget,
)
from bot.models.attempt import Demand
from bot.models.circleci import PipelineId
from bot.models.pending import End
from bot.models.slack import Click
from bot.watching.engine import EXPIRE, PRESS
from playground.circleci.pipelines import Pipeline
from playground.circleci.scenarios import JobPlan, Scenario, WorkflowPlan
from playground.slack.conversations import Message
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
    somewhere,
    team_under,
    types,
    writes,
)
from tests.stories.team import Team

POLICY = """
[roles.release-team]
groups = ["S0RELEASE"]

[[rules]]
name = "members do all this"
roles = ["members"]
words = ["read", "deploy", "rerun", "approve", "cancel"]

[[rules]]
name = "admins do all"
roles = ["admins"]
words = ["*"]

[[rules]]
name = "the release team looks into builds"
roles = ["release-team"]
words = ["ssh"]

[[rules]]
name = "two people"
effect = "demand"
words = ["deploy", "rerun", "approve"]
branches = ["main", "hold/prod", "try/*", "feature/*"]
second_person = true

[[rules]]
name = "typed"
effect = "demand"
words = ["rerun", "approve"]
branches = ["release/*", "feature/*"]
typed = true

[[rules]]
name = "nothing over a red branch"
effect = "demand"
words = ["deploy"]
branches = ["release/*", "hold/prod"]
green = true
"""
FAILED = JobPlan("unit", ends="failed")
OTHERS = Scenario(
    (WorkflowPlan("build", (FAILED, JobPlan("ship"))),),
    rerun=(WorkflowPlan("build", (JobPlan("unit"), JobPlan("ship", ends="failed"))),),
)
BOTH = Scenario((WorkflowPlan("alpha", (FAILED,)), WorkflowPlan("beta", (FAILED,))))
MIXED = Scenario(
    (
        WorkflowPlan("build", (FAILED, JobPlan("ship", requires=("unit",)), JobPlan("tell", requires=("ship",)))),
        WorkflowPlan("nightly", (JobPlan("sweep", seconds=90), JobPlan("report", requires=("sweep",)))),
    )
)
HOLD, SECOND_HOLD = (JobPlan(name, approval=True) for name in ("hold", "hold-again"))
CHAIN = Scenario(
    (
        WorkflowPlan(
            "ship",
            (
                HOLD,
                JobPlan("deploy-prod", requires=("hold",)),
                JobPlan("smoke", requires=("deploy-prod",)),
                JobPlan("hold-again", approval=True, requires=("smoke",)),
                JobPlan("announce", requires=("hold-again",)),
            ),
        ),
    )
)


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under(POLICY, tmp_path) as team:
        yield team


async def asked(team: Team, text: str) -> Message:
    await types(team, team.ada, text)
    return await team.reads("Somebody else must agree")


async def half_cancelled(team: Team) -> Pipeline:
    """Return a build of which one workflow failed and the other was cancelled while it ran."""
    team.circleci.world.set_scenario(FRONTEND, "main", MIXED)
    build = pushed(team, "main", 50)
    team.circleci.world.cancel(build.runs[1].id, by="barbara")
    goes_by(team, OVER)
    return build


async def test_mine_shows_a_request_to_who_reads_the_channel_it_stands_in(team: Team) -> None:
    await team.ada.command("war-room", "/ci", "deploy acme/frontend try/merger")
    await team.ada.command("releases", "/ci", "deploy acme/frontend try/open")
    await team.is_done()
    told = {name: said(await types(team, team.slack.person(name), "mine")) for name in ("ada", "grace", "admin")}
    assert all("try/open" in one for one in told.values())
    assert ["try/merger" in told[name] for name in told] == [True, False, True]  # grace is not in the war room
    await team.grace.message_bot("help")  # which shows what waits, in direct messages from everywhere
    await team.slack.wait_for(lambda: any("try/open" in one.visible for one in team.grace.direct_messages))
    assert "try/merger" not in said(team.grace.direct_messages)
    team.slack.workspace.channel("releases").members.remove(team.grace.id)
    assert "try/open" not in said(await types(team, team.grace, "mine"))


@pytest.mark.parametrize("note", ["n" * 310, "a `tick` and, target=staging", "x" * 500 + "&" * 12])
async def test_every_parameter_stands_in_the_request(team: Team, note: str) -> None:
    request = await asked(team, f'deploy acme/frontend main note="{note}" dry=false target=production-eu')
    assert "target=production-eu" in request.visible
    assert "dry=false" in request.visible
    assert note.replace("`", "ˋ").replace("&", "&amp;") in request.visible.replace("&amp;", "&").replace("&", "&amp;")


async def test_an_unseen_letter_of_a_value_is_seen(team: Team) -> None:
    request = await asked(team, 'deploy acme/frontend main target="prod\u200b"')
    assert 'target="prod\\u200b"' in request.visible


async def test_many_parameters_are_shown_all(team: Team) -> None:
    given = " ".join(f"name{number}={'v' * 60}{number}" for number in range(50))
    request = await asked(team, f"deploy acme/frontend main {given}")
    assert [number for number in range(50) if f"name{number}={'v' * 60}{number}" not in request.visible] == []


async def test_what_does_not_fit_into_the_request_is_refused_before_anything_is_asked(team: Team) -> None:
    jobs = tuple(JobPlan(f"a-job-with-a-long-name-{'x' * 100}-{number}", ends="failed") for number in range(120))
    team.circleci.world.set_scenario(FRONTEND, "main", Scenario((WorkflowPlan("build", jobs),)))
    build = pushed(team, "main", OVER)
    told = said(await presses(team, team.ada, somewhere(team), RerunFailed(pipeline_id=build.id)))
    assert "does not fit into a message" in told
    assert team.count("must agree") == 0
    assert writes(team) == []


async def test_more_jobs_than_ten_are_shown_all(team: Team) -> None:
    build = pushed(team, "try/ninety-failures", OVER * 5)
    failed = [job.name for run in build.runs for job in run.plan.jobs if job.ends == "failed"]
    await presses(team, team.ada, somewhere(team), RerunFailed(pipeline_id=build.id))
    request = await team.reads("Somebody else must agree")
    assert len(failed) > 10
    assert [name for name in failed if name not in request.visible] == []


async def test_a_workflow_that_somebody_cancelled_did_not_fail_and_is_not_run_again(team: Team) -> None:
    build = await half_cancelled(team)
    await presses(team, team.ada, somewhere(team), RerunFailed(pipeline_id=build.id))
    request = await team.reads("Somebody else must agree")
    assert "What runs again: unit." in request.visible
    assert "Behind them, as far as they pass: ship, tell." in request.visible
    await presses(team, team.grace, request, "Agree and rerun")
    assert writes(team) == [f"POST /api/v2/workflow/{build.runs[0].id}/rerun"]


async def test_of_what_was_cancelled_all_is_offered(team: Team) -> None:
    team.circleci.world.set_scenario(FRONTEND, "topic", "slow")
    build = pushed(team, "topic", 20)
    for run in build.runs:
        team.circleci.world.cancel(run.id, by="barbara")
    goes_by(team, OVER)
    (told,) = await types(team, team.ada, "rerun acme/frontend topic")
    assert "was cancelled; nothing failed" in told.visible
    assert told.buttons == ["Rerun all"]
    pressed = said(await presses(team, team.ada, somewhere(team), RerunFailed(pipeline_id=build.id)))
    assert "was cancelled" in pressed
    assert "all` runs all of it again" in pressed
    assert writes(team) == []


async def test_all_that_an_approval_lets_run_stands_in_the_request(team: Team) -> None:
    team.circleci.world.set_scenario(FRONTEND, "main", CHAIN)
    build = pushed(team, "main", RUNNING)
    run = build.runs[0]
    hold = ApproveJob(pipeline_id=build.id, workflow_id=run.id, approval_request_id=run.job_ids["hold"])
    await presses(team, team.ada, somewhere(team), hold)
    request = await team.reads("Somebody else must agree")
    assert "It would start: deploy-prod, smoke." in request.visible
    assert "wait for another approval: hold-again." in request.visible
    assert "announce" not in request.visible
    # Who asked for it cannot approve it alone, and who can agree hears of it by asking for help.
    await types(team, team.ada, f"watch acme/frontend #{build.number}")
    (own,) = await types(team, team.ada, "mine")
    assert f"your approval of hold in acme/frontend main #{build.number}" in own.visible
    assert "hold waits for a second person" in own.visible
    assert own.buttons == []
    (help_there,) = await types(team, team.grace, "help")
    assert "Waits for you to agree* · the approval of hold in" in help_there.visible
    (help_again,) = await types(team, team.ada, "help")
    assert "Waits for" not in help_again.visible


async def test_what_reruns_with_ssh_says_so_and_takes_two_who_may(team: Team) -> None:
    team.slack.workspace.usergroups["S0RELEASE"].users.append(team.ada.id)
    build = pushed(team, "try/parallel", OVER)
    request = await asked(team, f"rerun acme/frontend #{build.number} ssh")
    assert "ada wants to rerun with SSH the failed jobs of" in request.visible
    agree = request.element("Agree and rerun")
    assert "may not open builds to SSH" in said(await presses(team, team.grace, request, agree))
    assert writes(team) == []
    await presses(team, team.slack.person("admin"), request, agree)
    assert len(writes(team)) == 1


async def test_the_request_names_the_pipeline_definition(team: Team) -> None:
    (which,) = await types(team, team.ada, f"deploy {MOBILE} main")
    await presses(team, team.ada, which, "nightly")
    request = await team.reads("Somebody else must agree")
    assert "Pipeline definition: nightly." in request.visible
    # Another one is called so meanwhile: what was seen is no longer what it is, and says which one it is.
    definitions = team.circleci.world.projects[MOBILE].definitions
    (nightly,) = [one for one, name in definitions.items() if name == "nightly"]
    definitions.update(dict.fromkeys(definitions, "nightly"))
    await presses(team, team.grace, request, AgreeDeploy(attempt_id=pending_of(request)))
    assert writes(team) == []
    assert f"Pipeline definition: nightly ({nightly})." in request.visible


async def test_builds_that_say_nothing_do_not_make_a_branch_green(team: Team) -> None:
    pushed(team, "release/v2.0", OVER)
    team.circleci.world.set_scenario(FRONTEND, "release/v2.0", "slow")
    for number in range(7):
        build = pushed(team, "release/v2.0", 20)
        if number % 2:
            team.circleci.world.cancel(build.runs[0].id, by="barbara")
    (told,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
    assert "#2417 at `38c6d84`, is red: unit-tests" in told.visible
    assert writes(team) == []


async def test_where_no_build_has_ended_the_branch_is_not_green(team: Team) -> None:
    team.circleci.world.set_scenario(FRONTEND, "release/v2.0", "slow")
    pushed(team, "release/v2.0", 20)
    (told,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
    assert "No build of acme/frontend release/v2.0 has lately passed or failed" in told.visible
    await presses(team, team.ada, told, "Deploy all the same")
    assert len(writes(team)) == 1


async def test_behind_many_that_say_nothing_a_green_one_is_found(team: Team) -> None:
    for scenario, times in (("green", 1), ("slow", 8)):
        team.circleci.world.set_scenario(FRONTEND, "release/v2.0", scenario)
        for _ in range(times):
            pushed(team, "release/v2.0", OVER if scenario == "green" else 2)
    assert await types(team, team.ada, "deploy acme/frontend release/v2.0") == []
    assert len(writes(team)) == 1


async def asked_to_rerun(team: Team, scenario: Scenario, branch: str = "main") -> tuple[Pipeline, Message]:
    team.circleci.world.set_scenario(FRONTEND, branch, scenario)
    build = pushed(team, branch, OVER)
    await presses(team, team.ada, somewhere(team), RerunFailed(pipeline_id=build.id))
    return build, await team.reads("Somebody else must agree")


def pending_of(message: Message) -> str:
    return AgreeDeploy.unpack(message.element(message.buttons[0])["value"]).attempt_id


@asynccontextmanager
async def blip(team: Team, claim: str) -> AsyncIterator[None]:
    """Let Redis refuse what is asked of one claim."""
    async with Redis.from_url(team.app.docket.url) as redis:
        await redis.lpush(f"ci:claim:{claim}", "no string")
        yield
        await redis.delete(f"ci:claim:{claim}")


def claim_of(build: Pipeline) -> str:
    return f"rerun:{build.id}:{','.join(sorted(run.id for run in build.runs))}"


async def test_what_was_chosen_is_not_chosen_anew_by_a_forged_press(team: Team) -> None:
    (which,) = await types(team, team.ada, f"deploy {MOBILE} main")
    other = ChooseDefinition.unpack(which.element("nightly")["value"])
    await presses(team, team.ada, which, "build")
    request = await team.reads("Somebody else must agree")
    late = said(await presses(team, team.ada, somewhere(team), other))
    assert "You answered this. acme/mobile main waits for somebody else to agree." in late
    assert "Pipeline definition: build." in request.visible
    await presses(team, team.grace, request, "Agree and deploy")
    (sent,) = team.posts("/pipeline/run")
    definitions = team.circleci.world.projects[MOBILE].definitions
    assert definitions[sent["definition_id"]] == "build"  # type: ignore[index]  # it is JSON


async def test_what_never_was_a_choice_is_not_chosen(team: Team) -> None:
    nightly = next(key for key, name in team.circleci.world.projects[MOBILE].definitions.items() if name == "nightly")
    request = await asked(team, "deploy acme/frontend main")
    forged = ChooseDefinition(invocation_id=pending_of(request), definition_id=nightly)
    assert "too old" in said(await presses(team, team.ada, somewhere(team), forged))
    assert request.element("Agree and deploy")


async def test_what_was_not_asked_yet_is_answered_by_no_forged_press(team: Team) -> None:
    team.circleci.world.set_scenario(FRONTEND, "feature/typed", MIXED)
    build = pushed(team, "feature/typed", OVER)
    (told,) = await types(team, team.ada, f"rerun acme/frontend #{build.number}")
    pending, place = TypeTarget.unpack(told.element("Type it")["value"]).attempt_id, somewhere(team)
    for forged in (AgreeDeploy(attempt_id=pending, word="rerun"), DeployAnyway(attempt_id=pending)):
        assert "too old" in said(await presses(team, team.grace, place, forged))
    decline = DeclineDeploy(attempt_id=pending, word="rerun")
    assert "too old" in said(await presses(team, team.grace, place, decline))
    window = await opens(team, team.ada, told, "Type it")
    await fills_in(team.ada, window, typed="feature/typed")
    assert (await team.reads("Somebody else must agree")).element("Agree and rerun")
    assert writes(team) == []


async def test_what_failed_otherwise_meanwhile_is_shown_and_agreed_to_anew(team: Team) -> None:
    build, request = await asked_to_rerun(team, OTHERS)
    assert "What runs again: unit." in request.visible
    agree = request.element("Agree and rerun")
    team.circleci.world.rerun(build.runs[0].id)
    goes_by(team, OVER)
    assert "has changed since it was asked" in said(await presses(team, team.grace, request, agree))
    assert "What runs again: ship." in request.visible
    for person in (team.grace, team.slack.person("admin")):  # a double click, and somebody else's on what it showed
        assert "has changed since it was asked" in said(await presses(team, person, request, agree))
    grace = team.slack.workspace.user("grace")
    grace.is_restricted = True  # what Slack said at the press before is a moment old
    assert "You may not rerun" in said(await presses(team, team.grace, request, "Agree and rerun"))
    assert writes(team) == []
    grace.is_restricted = False
    assert await presses(team, team.grace, request, "Agree and rerun") == []
    await team.reads("watched by ada · rerun by ada")  # it is followed where it was asked for
    assert writes(team) == [f"POST /api/v2/workflow/{build.runs[1].id}/rerun"]


async def test_a_button_of_an_earlier_version_agrees_to_what_was_shown_first_alone(team: Team) -> None:
    build, request = await asked_to_rerun(team, OTHERS)
    earlier = AgreeDeploy(attempt_id=pending_of(request), word="rerun")
    team.circleci.world.rerun(build.runs[0].id)
    goes_by(team, OVER)
    for _ in range(2):
        assert "has changed since it was asked" in said(await presses(team, team.grace, request, earlier))
    assert writes(team) == []


async def test_what_is_read_after_the_press_is_sent_only_if_it_was_seen(team: Team) -> None:
    build, request = await asked_to_rerun(team, OTHERS)
    arrives = asyncio.Event()
    team.circleci.faults.add("GET", "*/workflow", until=arrives, spare=1)
    before = len(team.circleci.requests)
    await team.clicks(team.grace, request, "Agree and rerun")
    await team.until(lambda: sum(one.path.endswith("/workflow") for one in team.circleci.requests[before:]) == 2)
    team.circleci.world.rerun(build.runs[0].id)
    goes_by(team, OVER)
    arrives.set()
    await team.is_done()
    assert "grace agreed" in request.visible
    assert "had changed by the time it was to be sent" in request.visible
    assert writes(team) == []


async def test_what_runs_again_already_is_not_run_again_on_an_old_agreement(team: Team) -> None:
    build, request = await asked_to_rerun(team, MIXED)
    team.circleci.world.rerun(build.runs[0].id)
    goes_by(team, 1)
    told = said(await presses(team, team.grace, request, "Agree and rerun"))
    assert "has changed since it was asked" in told
    assert "Nothing of it could run again at this moment." in request.visible
    assert writes(team) == []


async def test_what_was_let_go_on_over_a_red_commit_is_not_agreed_to_over_another(team: Team) -> None:
    team.circleci.world.set_scenario(FRONTEND, "hold/prod", "failing-tests")
    pushed(team, "hold/prod", OVER)
    (red,) = await types(team, team.ada, "deploy acme/frontend hold/prod")
    await presses(team, team.ada, red, "Deploy all the same")
    request = await team.reads("Somebody else must agree")
    agree = request.element("Agree and deploy")
    pushed(team, "hold/prod", OVER, revision="beef" * 10)
    assert "has changed since it was asked" in said(await presses(team, team.grace, request, agree))
    assert "ask for it anew" in said(await presses(team, team.grace, request, "Agree and deploy"))
    assert "It is another commit by now" in request.visible
    assert writes(team) == []


async def test_an_agreement_that_met_a_red_branch_is_over(team: Team) -> None:
    team.circleci.world.set_scenario(FRONTEND, "hold/prod", "green")
    pushed(team, "hold/prod", OVER)
    request = await asked(team, "deploy acme/frontend hold/prod")
    team.circleci.world.set_scenario(FRONTEND, "hold/prod", "failing-tests")
    pushed(team, "hold/prod", OVER)  # the same commit, built again
    pending = pending_of(request)
    told = said(await presses(team, team.grace, request, "Agree and deploy"))
    assert "ask for it anew" in told
    assert "but nothing was started" in request.visible
    assert "is red: unit-tests" in request.visible
    pushed(team, "hold/prod", 5, revision="beef" * 10)
    for person in (team.ada, team.grace, team.slack.person("admin")):
        told = said(await presses(team, person, somewhere(team), DeployAnyway(attempt_id=pending)))
        assert "grace agreed to acme/frontend hold/prod, but nothing was started" in told
    assert writes(team) == []
    assert ("deploy", "refused", "grace") in [(one.word, one.outcome, one.agreed_name) for one in await record(team)]


async def test_an_agreement_of_which_a_part_was_sent_says_so(team: Team) -> None:
    build = await half_cancelled(team)
    await presses(team, team.ada, somewhere(team), RerunAll(pipeline_id=build.id))
    request = await team.reads("Somebody else must agree")
    pending = pending_of(request)
    team.circleci.faults.add("POST", "*/rerun", status=403, body={"message": "Plan is suspended."}, spare=1)
    await presses(team, team.grace, request, "Agree and rerun")
    assert "Only a part of it was done: build. CircleCI refused this" in request.visible
    kept = await team.app.store.pending.get(pending)
    assert kept is not None
    assert kept.end is not None
    assert kept.end.lost == "in part"  # as an agent would be told
    assert "nothing was started" not in request.visible


async def test_who_lets_somebody_deploy_over_a_red_branch_is_in_the_record(team: Team) -> None:
    pushed(team, "release/v2.0", OVER)
    (told,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
    anyway = DeployAnyway.unpack(told.element("Deploy all the same")["value"])
    grace = team.slack.workspace.user("grace")
    await types(team, team.grace, "status acme/frontend release/v2.0")
    grace.deleted = True  # since Slack was asked
    assert "You may not approve" in said(await presses(team, team.grace, somewhere(team), anyway))
    grace.deleted = False
    team.app.permissions.forget()
    await presses(team, team.grace, somewhere(team), anyway)
    assert [(one.user_name, one.word, one.for_name, one.for_id, one.outcome) for one in await record(team)] == [
        ("grace", "approve", "", "", "refused"),
        ("grace", "approve", "ada", team.ada.id, "done"),
        ("ada", "deploy", "", "", "done"),
    ]
    (told,) = await types(team, team.ada, "deploy acme/frontend release/v2.0 note=mine")
    await presses(team, team.ada, told, "Deploy all the same")
    assert [(one.user_name, one.word, one.for_name) for one in (await record(team))[3:]] == [
        ("ada", "approve", ""),
        ("ada", "deploy", ""),
    ]
    (shown,) = await types(team, team.slack.person("admin"), "audit")
    assert "for ada" in shown.visible


async def test_what_is_typed_may_be_typed_again_after_a_blip(team: Team) -> None:
    build = pushed(team, "release/v2.0", OVER)
    (told,) = await types(team, team.ada, f"rerun acme/frontend #{build.number}")
    async with blip(team, claim_of(build)):
        window = await opens(team, team.ada, told, "Type it")
        assert "Try again in a minute" in await fills_in(team.ada, window, typed="release/v2.0")
    assert writes(team) == []
    window = await opens(team, team.ada, told, "Type it")
    assert "It goes on" in await fills_in(team.ada, window, typed="release/v2.0")
    assert len(writes(team)) == 1
    assert "You have typed it already" in said(await presses(team, team.ada, told, "Type it"))
    assert len(writes(team)) == 1


async def test_what_was_typed_and_died_behind_its_claim_is_gone_on_with(team: Team) -> None:
    build = pushed(team, "release/v2.0", OVER)
    (told,) = await types(team, team.ada, f"rerun acme/frontend #{build.number}")
    pending, claims = TypeTarget.unpack(told.element("Type it")["value"]).attempt_id, team.app.store.claims
    # As far as a run of it came before it died: answered, the act claimed.
    await claims.claim(f"answered:{pending}:typed", f"V0|{team.ada.id}")
    await claims.claim(claim_of(build), f"V0|{team.ada.id}")
    window = await opens(team, team.ada, told, "Type it")
    assert "It goes on" in await fills_in(team.ada, window, typed="release/v2.0")
    assert len(writes(team)) == 1


async def test_a_decline_may_be_sent_again_after_a_blip(team: Team) -> None:
    request = await asked(team, "deploy acme/frontend main")
    decision = f"second:{pending_of(request)}"
    await team.app.store.claims.claim(decision, f"V0|{team.grace.id}|decline")  # and then its run died
    other = await opens(team, team.slack.person("admin"), request, "Decline")
    assert "was first" in await fills_in(team.slack.person("admin"), other, reason="no")
    window = await opens(team, team.grace, request, "Decline")
    assert "Declined" in await fills_in(team.grace, window, reason="not on a Friday")
    assert "grace declined acme/frontend main: not on a Friday." in request.visible
    assert request.buttons == []
    assert team.count("@ada, grace declined it") == 1


async def test_a_decline_that_died_is_finished_when_its_time_is_up(team: Team) -> None:
    request = await asked(team, "deploy acme/frontend main")
    await team.app.store.claims.claim(f"second:{pending_of(request)}", f"V0|{team.grace.id}|decline")
    await lapses(team, pending_of(request))
    await pulls_forward(team, EXPIRE)
    told = await team.reads("@ada, grace declined it")
    assert "Nothing was started" in told.visible
    assert request.buttons == []


async def test_who_agreed_in_time_goes_on_after_it(team: Team) -> None:
    request = await asked(team, "deploy acme/frontend main")
    click = died_agreeing(team, request)
    # As far as a run of it came before it died: decided.
    await team.app.store.claims.claim(f"second:{pending_of(request)}", f"{click.caller.claim}|agree")
    await lapses(team, pending_of(request))
    await runs_again(team, click)
    assert "grace agreed" in request.visible
    assert len(writes(team)) == 1


async def test_what_was_pushed_before_a_dead_agreement_is_gone_on_with_is_not_sent(team: Team) -> None:
    request = await asked(team, "deploy acme/frontend main")
    click, pending = died_agreeing(team, request), pending_of(request)
    # As far as a run of it came before it died: decided, and kept with the word of the second person.
    await team.app.store.claims.claim(f"second:{pending}", f"{click.caller.claim}|agree")
    met = {"agreed": click.caller, "met": (Demand.SECOND_PERSON,), "open": ()}
    assert await team.app.store.pending.change(pending, lambda one: one.model_copy(update=met))
    pushed(team, "main", 5, revision="beef" * 10)
    await runs_again(team, click)
    assert "but nothing was started" in request.visible
    assert writes(team) == []


async def test_a_dead_agreement_says_when_its_time_is_up_that_nobody_can_tell(team: Team) -> None:
    request = await asked(team, "deploy acme/frontend main")
    pending = pending_of(request)
    await team.app.store.claims.claim(f"second:{pending}", f"dead|{team.grace.id}|agree")
    await pulls_forward(team, EXPIRE)
    assert request.element("Agree and deploy")  # it may be under way
    await lapses(team, pending)
    async with asyncio.timeout(30):
        while "I was interrupted over it" not in request.visible:
            await pulls_forward(team, EXPIRE)  # again, for the run before may not have ended yet
            await team.slack.pause(0.1)
    assert "nothing was started" not in request.visible


@pytest.mark.parametrize("again", ["pressed", "expired"])
async def test_an_end_that_was_not_said_is_said_by_the_next_run(team: Team, again: str) -> None:
    request = await asked(team, "deploy acme/frontend main")
    click, pending = died_agreeing(team, request), pending_of(request)
    # As far as a run of it came before it died: it was sent, and how it ended is kept.
    await team.app.store.claims.claim(f"second:{pending}", f"{click.caller.claim}|agree")
    ended = {"end": End(shown="It is on its way.")}
    assert await team.app.store.pending.change(pending, lambda one: one.model_copy(update=ended))
    if again == "pressed":
        await runs_again(team, click)
    else:
        await lapses(team, pending)
        await pulls_forward(team, EXPIRE)
    await team.slack.wait_for(lambda: "It is on its way." in request.visible)
    assert request.buttons == []
    assert writes(team) == []


async def test_who_died_agreeing_under_a_lock_may_agree_when_it_is_gone(team: Team) -> None:
    request = await asked(team, "deploy acme/frontend main")
    click, admin = died_agreeing(team, request), team.slack.person("admin")
    await team.app.store.claims.claim(f"second:{pending_of(request)}", f"{click.caller.claim}|agree")
    await types(team, admin, "lock acme/frontend:main incident")
    await runs_again(team, click)
    await types(team, admin, "unlock acme/frontend:main")
    await presses(team, team.grace, request, "Agree and deploy")
    assert "grace agreed" in request.visible
    assert len(writes(team)) == 1


async def test_what_is_under_way_is_not_typed_a_second_time(team: Team) -> None:
    build = pushed(team, "release/v2.0", OVER)
    (told,) = await types(team, team.ada, f"rerun acme/frontend #{build.number}")
    answer = f"answered:{TypeTarget.unpack(told.element('Type it')['value']).attempt_id}:typed"
    for claim in (answer, f"alone:{answer}"):
        await team.app.store.claims.claim(claim, f"V0|{team.ada.id}")
    window = await opens(team, team.ada, told, "Type it")
    assert "You have asked for this already" in await fills_in(team.ada, window, typed="release/v2.0")
    assert writes(team) == []


async def test_an_agreement_that_died_between_two_workflows_sends_the_other_one(team: Team) -> None:
    build, request = await asked_to_rerun(team, BOTH)
    click, pending = died_agreeing(team, request), pending_of(request)
    claims, (alpha, beta) = team.app.store.claims, [run.id for run in build.runs]
    await claims.claim(f"second:{pending}", f"{click.caller.claim}|agree")
    met = {"agreed": click.caller, "met": (Demand.SECOND_PERSON,), "open": ()}
    assert await team.app.store.pending.change(pending, lambda one: one.model_copy(update=met))
    await claims.claim(f"reruns:{click.id}:{build.id}", ",".join(sorted((alpha, beta))))
    await claims.claim(f"sent:{click.id}:{alpha}", "sent")
    await team.app.store.acted.save(PipelineId(build.id), f"{click.id}|{team.ada.id}")
    team.circleci.world.rerun(alpha)
    goes_by(team, 1)
    await runs_again(team, click)
    assert "grace agreed: the failed jobs" in request.visible
    assert writes(team) == [f"POST /api/v2/workflow/{beta}/rerun"]


async def test_an_agreement_to_a_rerun_that_was_sent_and_died_is_gone_on_with(team: Team) -> None:
    build, request = await asked_to_rerun(team, OTHERS)
    click, pending = died_agreeing(team, request), pending_of(request)
    # As far as a run of it came before it died: it was sent.
    await team.app.store.claims.claim(f"second:{pending}", f"{click.caller.claim}|agree")
    met = {"agreed": click.caller, "met": (Demand.SECOND_PERSON,), "open": ()}
    assert await team.app.store.pending.change(pending, lambda one: one.model_copy(update=met))
    await team.app.store.acted.save(PipelineId(build.id), f"{click.id}|{team.ada.id}")
    team.circleci.world.rerun(build.runs[0].id)
    goes_by(team, 1)
    await runs_again(team, click)
    assert "grace agreed" in request.visible
    assert writes(team) == []


def died_agreeing(team: Team, request: Message) -> Click:
    agree = AgreeDeploy.unpack(request.element(request.buttons[0])["value"])
    return Click(
        id="dead",
        action_id=agree.action_id,
        value=agree.pack(),
        user_id=team.grace.id,
        user_name="grace",
        team_id=team.slack.workspace.team_id,
        channel_id=team.deploys.id,
        message_ts=request.ts,
    )


async def runs_again(team: Team, click: Click) -> None:
    await team.app.store.deliveries.record(click)
    await team.app.engine.add(PRESS, click.id)
    await team.is_done()


async def test_a_blip_under_an_agreement_is_no_end_of_it(team: Team) -> None:
    build, request = await asked_to_rerun(team, OTHERS)
    agree = request.element("Agree and rerun")
    async with blip(team, claim_of(build)):
        await team.grace.click(request, agree)
        await team.until(lambda: request.buttons)
    await team.is_done()
    assert "grace agreed" in request.visible
    assert "nothing was started" not in request.visible
    assert len(writes(team)) == 1


async def test_what_is_declined_while_it_is_written_anew_stays_declined(team: Team) -> None:
    request = await asked(team, "deploy acme/frontend main")
    pending = pending_of(request)
    agree, decline = request.element("Agree and deploy"), request.element("Decline")
    window = await opens(team, team.grace, request, decline)
    pushed(team, "main", 5, revision="beef" * 10)
    team.circleci.faults.add("GET", "*/workflow", delay=1)
    admin = team.slack.person("admin")
    await admin.click(request, agree)
    await team.until(lambda: any(seen.path.endswith("/workflow") for seen in team.circleci.requests))
    await fills_in(team.grace, window, reason="not on a Friday")
    await team.is_done()
    assert "grace declined acme/frontend main" in request.visible
    assert request.buttons == []
    kept = await team.app.store.pending.get(pending)
    assert kept is not None
    assert kept.over
    assert writes(team) == []


async def lapses(team: Team, pending_id: str) -> None:
    """Let the time of a question be up, and what died over it have had its time as well."""
    past = datetime.now(UTC) - timedelta(hours=1)
    assert await team.app.store.pending.change(pending_id, lambda one: one.model_copy(update={"expires_at": past}))
