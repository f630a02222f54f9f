"""What people see of each course a pipeline can take."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from playground.circleci.scenarios import SCENARIOS, Scenario
from tests.stories.team import Team


async def test_failing_tests_are_named_and_a_rerun_goes_green(both_ways: Team) -> None:
    team = both_ways
    if team.slack.socket.enabled:  # all four ways to say it: test_deploy.py
        await team.ada.mention("deploys", "deploy acme/frontend release/v2.0")
    else:
        await team.deploys_branch("release/v2.0")
    final = await team.reads("Failed after")
    assert "3 of 60 tests" in final.visible
    for words in ("test_adds_item", "tests/test_login.py", "peer went away", "Run tests", "exit code 1"):
        assert words in final.visible
    assert "coverage (117 files)" in final.visible
    assert "junit.xml" in final.visible
    rerun = final.element("Rerun failed")
    await asyncio.gather(team.ada.click(final, rerun), team.grace.click(final, rerun))
    passed = await team.reads("Passed in")
    assert team.posts("/rerun") == [{"from_failed": True}]
    assert team.count("pressed Rerun failed") == 1
    assert team.count("Failed after") == team.count("Passed in") == 1
    root = next(one for one in team.deploys.messages if "asked by" in one.visible)
    assert "Passed" in root.visible
    assert "Cancel" not in " ".join(root.buttons)
    assert {final.thread_ts, passed.thread_ts} == {team.root.ts}


async def test_a_mention_in_a_thread_stays_in_that_thread(team: Team) -> None:
    question = team.slack.workspace.post(team.deploys, team.grace.id, "Is main fine?")
    await team.ada.mention("deploys", "deploy acme/frontend main", thread_ts=question.ts)
    final = await team.reads("Passed in")
    assert final.thread_ts == question.ts
    assert team.deploys.roots == [question]


async def test_a_hold_is_approved_by_one_press_of_two(team: Team) -> None:
    # C26
    await team.deploys_branch("hold/prod")
    hold = await team.reads("Waiting for approval")
    assert "@ada asked for it. " in hold.visible
    assert "It would start deploy-prod" in hold.visible
    approve = hold.element("Approve hold-prod")
    await asyncio.gather(team.ada.click(hold, approve), team.grace.click(hold, approve))
    passed = await team.reads("Passed in")
    # Who acted last waits for the end, and the asker is named.
    acted = "grace" if team.count("grace approved") else "ada"
    assert f"@{acted}{' (asked by @ada)' if acted == 'grace' else ''}" in passed.visible
    assert f"asked by ada · approved by {acted}" in team.root.visible
    assert len([seen for seen in team.circleci.requests if "/approve/" in seen.path]) == 1
    assert team.count("approved hold-prod") == 1
    # Who comes late reads what became of it.
    late = team.ada if acted == "grace" else team.grace
    before = list(late.sees_only)
    await late.click(hold, approve)
    await team.slack.wait_for(lambda: [one for one in late.sees_only if one not in before])
    assert f"@{acted} was first: Approve hold-prod is done, and #2417 passed" in late.sees_only[-1].visible
    await team.slack.person(acted).click(hold, approve)
    await team.is_told(team.slack.person(acted), "You approved hold-prod already, and #2417 passed")


async def test_cancel_is_said_once_circleci_shows_it(team: Team) -> None:
    await team.runs()
    await team.reads("Running")
    await team.ada.click(team.root, team.root.element("Cancel #2417"))
    await team.reads("pressed Cancel")
    assert team.count("Cancelled after") == 0
    team.time_flies()
    await team.reads("Cancelled after")
    assert team.count("pressed Cancel") == 1
    assert "Cancel #2417" not in team.root.buttons


async def test_a_config_error_is_shown(team: Team) -> None:
    await team.deploys_branch("try/config-error")
    final = await team.reads("Cannot find a definition for job 'tset'")
    assert final.thread_ts == team.root.ts
    assert "Could not run* · acme/frontend · try/config-error · CircleCI found an error" in team.root.visible
    assert "so far" not in team.root.visible


async def test_no_workflow_is_said_after_the_grace(team: Team) -> None:
    # C19
    await team.deploys_branch("try/no-workflow")
    final = await team.reads("no workflow matched this branch or tag")
    assert final.thread_ts == team.root.ts
    assert team.count("no workflow matched this branch or tag") == 1


async def test_a_late_workflow_is_watched_normally(team: Team) -> None:
    # C19
    await team.runs("try/late-workflow", for_seconds=10)
    await team.is_looked_at()
    team.time_flies()
    await team.reads("Passed in")
    assert team.count("no workflow matched") == 0


async def test_setup_alone_is_not_the_end(team: Team) -> None:
    setup, *others = SCENARIOS["setup"].workflows
    late = Scenario((setup, *(replace(one, starts_after=40) for one in others)))
    team.circleci.world.set_scenario("gh/acme/frontend", "main", late)
    await team.runs("main", for_seconds=30)
    await team.reads("passed · setup")
    await team.is_looked_at()
    assert team.count("Passed") == 0
    assert "🔵 Running" in team.root.visible
    team.time_flies()
    await team.reads("Passed in")
    assert "backend" in team.root.visible
    assert "docs" in team.root.visible
    assert team.count("Passed in") == 1


async def test_an_automatic_rerun_is_waited_for(team: Team) -> None:
    await team.runs("try/automatic-rerun", for_seconds=50)
    await team.is_looked_at()
    assert team.root.visible.startswith("*🔵 Finishing, red so far*")
    assert team.root.buttons == ["Open in CircleCI"]
    team.circleci.world.clock.advance(timedelta(seconds=10))
    await team.reads("automatic rerun 1 of 2")
    team.time_flies()
    await team.reads("Passed in")
    assert team.count("Failed after") == 0


async def test_superseded_is_not_failed(team: Team) -> None:
    # C25
    await team.deploys_branch("try/superseded")
    final = await team.reads("Superseded by the newer pipeline #2418")
    assert "ailed" not in final.visible
    assert "on the same branch. @ada" in final.visible  # who asked for it waits for it; whoever pushed does not
    for line, words in (
        ("status acme/frontend #2417", "*↪️ Superseded*"),
        ("status acme/frontend try/superseded", "↪️ Superseded · #2417"),
        ("triage acme/frontend #2417", "Superseded by the newer pipeline #2418"),
    ):
        await team.grace.command("general", "/ci", line)
        await team.is_told(team.grace, words)


async def test_a_timed_out_step_is_found_by_its_status(team: Team) -> None:
    await team.deploys_branch("try/timed-out-step")
    final = await team.reads("timed out")
    assert "waiting for db:5432" in final.visible


async def test_a_lost_machine_is_said_in_plain_words(team: Team) -> None:
    await team.deploys_branch("try/infrastructure")
    await team.reads("CircleCI lost the machine")


async def test_failing_containers_are_one_entry(team: Team) -> None:
    # C24
    await team.deploys_branch("try/parallel")
    final = await team.reads("2 of 3 parallel runs failed (1 and 3)")
    assert final.visible.count("t_native_test") == 1


async def test_ninety_failures_arrive(team: Team) -> None:
    # C07
    await team.deploys_branch("try/ninety-failures")
    final = await team.reads("90 jobs")
    assert "more" in final.visible


async def test_an_unknown_status_keeps_being_watched(team: Team) -> None:
    await team.runs("try/unknown-status")
    await team.reads("some_new_state")
    team.time_flies()
    await team.reads("Passed in")


async def test_an_outage_costs_two_lines(team: Team) -> None:
    await team.runs("try/outage", for_seconds=20)
    await team.reads("News will be late")
    team.time_flies()
    await team.reads("CircleCI answers again")
    await team.reads("Passed in")
    assert team.count("News will be late") == team.count("CircleCI answers again") == 1
    assert team.count("Failed") == 0


async def test_the_default_branch_is_said(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "deploy acme/frontend")
    await team.reads("Passed in")
    assert team.posts("/pipeline") == [{"branch": "main"}]
    assert "You named no branch" in team.root.visible


async def test_a_tag_is_readable(team: Team) -> None:
    # C03
    await team.ada.command("deploys", "/ci", "deploy acme/frontend tag:v2.0 env=prod count=3")
    await team.reads("Passed in")
    assert team.posts("/pipeline") == [{"tag": "v2.0", "parameters": {"env": "prod", "count": 3}}]
    assert "tag v2.0" in team.root.visible


async def test_an_unknown_branch_is_answered_with_those_built_lately(team: Team) -> None:
    await team.deploys_branch("main")
    await team.reads("Passed in")
    await team.ada.command("deploys", "/ci", "deploy acme/frontend relase/v2.0")
    told = await team.is_told(team.ada, "Branches built lately")
    assert told.buttons == []  # main is nothing like it
    await team.ada.command("deploys", "/ci", "deploy acme/frontend v2.0")
    told = await team.is_told(team.ada, "knows no branch `v2.0`")
    assert told.buttons == ["Deploy tag:v2.0"]
    await team.ada.click(told, "Deploy tag:v2.0")
    await team.slack.wait_for(lambda: team.count("Passed in") == 2, timeout=30)
    assert team.posts("/pipeline")[-1] == {"tag": "v2.0"}
    assert len(team.circleci.world.pipelines) == 2


async def test_a_branch_spelled_alike_is_offered_first(team: Team) -> None:
    await team.deploys_branch("release/v2.0")
    for branch in ("main", "hold/prod", "try/green"):
        await team.deploys_branch(branch)
    await team.slack.wait_for(lambda: len(team.deploys.roots) == 4)
    await team.ada.command("deploys", "/ci", "deploy acme/frontend relase/v2.0")
    told = await team.is_told(team.ada, "may be there all the same. Nothing was started.")
    assert told.buttons == ["Deploy release/v2.0", "Deploy it anyway"]
    assert "branch release/v2.0" in told.element("Deploy release/v2.0")["confirm"]["text"]["text"]
    assert len(team.posts("/pipeline")) == 4
    await team.ada.click(told, "Deploy it anyway")
    await team.is_told(team.ada, "CircleCI knows no branch")  # which it says itself, and starts nothing
    assert len(team.posts("/pipeline")) == 5
    assert len(team.circleci.world.pipelines) == 4


async def test_which_definition_is_asked(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "deploy circleci/5e0c5f62/9f1c2d7a main")
    question = await team.is_told(team.ada, "Which one should I run with `main`?")
    asked = [one.path.rpartition("/v2/")[2] for one in team.circleci.requests]
    of_project = [path for path in asked if path == "project/circleci/5e0c5f62/9f1c2d7a"]
    assert len(of_project) == 2  # for what it is called, which is kept, and for what it is
    await team.ada.click(question, question.element("nightly"))
    await team.reads("Passed in")
    (body,) = team.posts("/pipeline/run")
    assert isinstance(body, dict)
    assert body["config"] == body["checkout"] == {"branch": "main"}


async def test_a_trigger_whose_answer_is_lost_is_found_and_not_sent_again(team: Team) -> None:
    team.circleci.faults.add("POST", "*/pipeline", drop="after")
    await team.deploys_branch("main")
    await team.is_told(team.ada, "I will not start a second one")
    await team.reads("Passed in")
    assert len(team.posts("/pipeline")) == 1
    assert len(team.circleci.world.pipelines) == 1


async def test_a_refused_token_is_said_and_the_operator_told(team: Team) -> None:
    # C41
    team.circleci.faults.add("GET", "/api/v2/project/*", status=401, body={"message": "You must log in first."})
    await team.deploys_branch("main")
    await team.is_told(team.ada, "does not accept my token")
    releases = team.slack.workspace.channel("releases")
    await team.slack.wait_for(lambda: [one for one in releases.messages if "CIRCLECI_TOKEN" in one.visible])
    assert team.posts("/pipeline") == []


async def test_a_deleted_root_is_posted_anew(team: Team) -> None:
    # C37
    await team.runs()
    await team.reads("Running")
    first = team.root
    team.slack.workspace.delete(first)
    team.circleci.world.clock.advance(timedelta(minutes=1))
    await team.slack.wait_for(lambda: [one for one in team.deploys.roots if "Running" in one.visible and one != first])
    assert len([one for one in team.deploys.roots if "asked by" in one.visible and one != first]) == 1


async def test_what_a_rerun_cannot_help_offers_none(team: Team) -> None:
    await team.deploys_branch("try/unauthorized")
    final = await team.reads("Rerunning with the same token cannot help")
    assert final.buttons == []
    assert team.root.buttons == ["Open in CircleCI"]
