"""Stories of people who look: status, tests, steps, logs, artifacts, projects."""

import re

import pytest

from playground.circleci.scenarios import JobPlan, Scenario, WorkflowPlan
from playground.slack.conversations import Message
from tests.stories.team import Team


async def asks(team: Team, text: str, words: str) -> Message:
    """Let Grace ask in a channel, and return the answer that only she sees."""
    await team.grace.command("general", "/ci", text)
    return await team.is_told(team.grace, words)


async def test_the_newest_builds_of_a_branch_and_one_in_full(team: Team) -> None:
    await team.deploys_branch("release/v2.0")
    await team.reads("Failed after")
    told = await asks(team, "status acme/frontend release/v2.0", "newest first")
    assert "❌ Failed · #2417" in told.visible
    assert "build-test-deploy" in told.visible
    whole = await asks(team, "status acme/frontend #2417", "unit-tests")
    assert "2 min 10 s" in whole.visible
    assert "✅ passed · lint" in whole.visible


async def test_in_a_thread_that_follows_a_build_no_name_is_needed(team: Team) -> None:
    await team.deploys_branch("release/v2.0")
    await team.reads("Failed after")
    await team.grace.mention("deploys", "status", thread_ts=team.root.ts)
    told = await team.reads("runs the failed jobs again")
    assert "unit-tests" in told.visible
    await team.grace.mention("general", "status")
    await team.is_told(team.grace, "Which project?")


async def test_a_pasted_link_names_a_build(team: Team) -> None:
    # C40
    await team.deploys_branch("main")
    await team.reads("Passed in")
    flow = team.circleci.world.pipelines[0].runs[0].id
    page = "https://app.circleci.com/pipelines/github/acme/frontend/2417/workflows"
    told = await asks(team, f"status {page}/{flow}", "deploy")
    await asks(team, f"status {page}/x", "CircleCI knows no workflow `x`")
    assert "✅ Passed* · acme/frontend" in told.visible
    await asks(team, "status acme/frontend #99", "CircleCI knows no pipeline")


async def test_failing_tests_are_shown_with_counts_and_the_slowest(team: Team) -> None:
    await team.deploys_branch("release/v2.0")
    await team.reads("Failed after")
    told = await asks(team, "tests acme/frontend release/v2.0", "3 of 60 tests failed")
    assert "expected 2 items, got 1" in told.visible
    assert "Slowest:" in told.visible
    (number,) = [
        number for run in team.circleci.world.pipelines[0].runs for name, number in run.job_numbers.items()
        if name == "unit-tests"
    ]  # fmt: skip
    same = await asks(team, f"tests acme/frontend {number}", f"gh/acme/frontend {number}")
    assert "3 of 60" in same.visible
    await asks(team, "tests acme/frontend 1", "CircleCI knows no job `1`")
    await team.deploys_branch("try/no-workflow")
    await team.until(lambda: len(team.circleci.world.pipelines) == 2)
    await asks(team, "tests acme/frontend try/no-workflow", "no test results")


async def test_what_could_not_be_read_is_said_and_asked_again(team: Team) -> None:
    await team.deploys_branch("try/setup")
    await team.reads("Passed in")
    team.circleci.faults.add("GET", "*/1843/tests", status=503, times=3)
    told = await asks(team, "tests acme/frontend try/setup", "⚠️ Not all of it: 2 of 3 jobs read")
    assert "CircleCI did not answer" in told.visible
    before = team.grace.mark
    await team.grace.click(told, "Ask again")
    await team.slack.wait_for(lambda: team.grace.sees_only_since(before), timeout=30)
    assert "Not all of it" not in team.grace.sees_only[-1].visible
    team.circleci.faults.add("GET", "*/1804/artifacts", status=503, times=3)
    told = await asks(team, "artifacts acme/cli main linux", "⚠️ Not all of it: 1 of 2 jobs read")
    assert "dist/cli-linux-amd64" in told.visible


async def test_a_jobs_steps_and_its_log(team: Team) -> None:
    await team.deploys_branch("release/v2.0")
    await team.reads("Failed after")
    (run,) = [run for run in team.circleci.world.pipelines[0].runs if "unit-tests" in run.job_numbers]
    number = run.job_numbers["unit-tests"]
    told = await asks(team, f"build acme/frontend {number}", "Run tests")
    assert "❌ failed · *Run tests* · 2 min 10 s · exit code 1 · *slowest*" in told.visible
    log = await asks(team, f"logs acme/frontend {number}", "3 failed, 57 passed")
    assert "\x1b" not in log.visible
    assert log.buttons == ["Share here"]
    await asks(team, f"logs acme/frontend {number} nonsense", "I find no such step")
    await asks(team, "logs acme/frontend release/v2.0", "3 failed, 57 passed")
    await asks(team, "logs acme/frontend lint", "CircleCI knows no pipeline on the branch `lint`")
    await asks(team, "build acme/frontend 7", "CircleCI knows no job `7`")


async def test_a_long_log_comes_whole_as_a_file(team: Team) -> None:
    lines = tuple(f"line {number} token=ghp_{'a' * 36}" for number in range(200))
    team.circleci.world.set_scenario("gh/acme/frontend", "main", long_log(lines))
    await team.deploys_branch("main")
    await team.reads("Failed after")
    await team.ada.command("deploys", "/ci", "logs acme/frontend 1842")
    told = await team.is_told(team.ada, "This is only its end.")
    assert "line 199" in told.visible
    assert "line 3 " not in told.visible
    await team.ada.click(told, "Post the whole log here")
    await team.reads("[file: test-1842.log]")
    (file,) = team.slack.workspace.files.values()
    assert b"line 0 token=[masked]" in file["content"]
    assert b"ghp_" not in file["content"]


def long_log(lines: tuple[str, ...]) -> Scenario:
    return Scenario((WorkflowPlan("build", (JobPlan("test", ends="failed", log=lines),)),))


async def test_the_one_right_artifact_of_the_newest_successful_build(team: Team) -> None:
    # The newest build failed; the one before failed at first, and a rerun made it green.
    told = await asks(team, "artifacts acme/cli main linux-amd64", "1 of 5 artifacts")
    assert "acme/cli main #2402" in told.visible
    (name,) = [line for line in told.visible.splitlines() if line.startswith("•")]
    assert name == "• dist/cli-linux-amd64"
    assert "days left" in told.visible
    assert "https://" not in told.visible
    url = told.blocks[1]["text"]["text"].partition("<")[2].partition("|")[0]
    assert url.endswith("/dist/cli-linux-amd64")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("artifacts acme/cli linux", ["dist/cli-linux-amd64", "dist/cli-linux-arm64"]),
        ("artifacts acme/cli main dist/*arm64", ["dist/cli-darwin-arm64", "dist/cli-linux-arm64"]),
        ("artifacts acme/cli main checksums", ["dist/checksums.txt"]),
        ("artifacts acme/cli", ["junit.xml", "dist (4 files)"]),
        ("artifacts acme/cli #2403", ["junit.xml"]),
    ],
)
async def test_artifacts_are_found_by_words(team: Team, text: str, expected: list[str]) -> None:
    told = await asks(team, text, "artifact")
    shown = [line.removeprefix("• ") for line in told.visible.splitlines() if line.startswith("•")]
    assert shown == expected


async def test_an_artifact_is_brought_into_the_thread(team: Team) -> None:
    # C28: the token goes to CircleCI, and never on to the storage.
    await team.ada.mention("deploys", "artifacts get acme/cli main linux-amd64")
    await team.reads("[file: cli-linux-amd64]")
    (file,) = team.slack.workspace.files.values()
    assert file["content"] == b"the file dist/cli-linux-amd64"
    stored = [seen for seen in team.circleci.requests if seen.path.startswith("/storage/")]
    assert [("Authorization" in seen.headers, seen.status) for seen in stored] == [(False, 200)]
    await asks(team, "artifacts get acme/cli main linux", "2 artifacts")
    await asks(team, "artifacts get acme/cli main windows", "None of the")
    await asks(team, "artifacts get acme/cli", "Which file should I get?")
    # A branch that is certain is no part of a path on the default branch.
    for branch in ("https://github.com/acme/cli/tree/darwin", "acme/cli refs/heads/darwin"):
        await asks(team, f"artifacts get {branch}", "darwin")
    await asks(team, "artifacts acme/cli darwn #2402", "#2402 is of another branch or tag")
    assert len(team.slack.workspace.files) == 1
    await asks(team, f"artifacts acme/cli main {'[' * 256}", "at most 255 characters")
    await asks(team, f"artifacts acme/cli {'*a' * 128}", "at most 255 characters")


async def test_a_report_of_a_big_build_costs_few_requests(team: Team) -> None:
    await team.deploys_branch("try/big")
    final = await team.reads("Failed after")
    evidence = ("/tests", "/artifacts", "/api/v1.1/", "/output/")
    looked = [seen.path for seen in team.circleci.requests if any(part in seen.path for part in evidence)]
    assert 0 < len(looked) <= 8
    before = len(team.circleci.requests)
    await team.ada.click(final, "Show log")
    await team.is_told(team.ada, "job-2")
    # A look of the watch in between asks for the workflows once more, and for nothing else.
    cold = {seen.path for seen in team.circleci.requests[before:]}
    assert 0 < len(cold) <= 17  # eight of them compare with earlier builds


async def test_what_ran_lately_which_projects_and_who_i_am(team: Team) -> None:
    await team.deploys_branch("main")
    await team.reads("Passed in")
    recent = await asks(team, "recent", "What ran lately")
    assert re.search(
        r"✅ passed · acme/frontend · main · deploy \(job 1843\), test \(job 1842\) · \d{4}-\d\d-\d\d \d\d:\d\d",
        recent.visible,
    )
    assert "❌ failed · acme/cli · main · test (job 1806) · 2026-11-20 08:00 · 40 s" in recent.visible
    listed = await asks(team, "projects front", "1 followed project.")
    assert "• acme/frontend · main · newest job ✅ passed (1843)" in listed.visible
    await asks(team, "projects zzz", "None of the 4 projects")
    me = await asks(team, "me", "On CircleCI I am acme-bot")
    assert "acme" in me.visible
    assert "hooks.slack.com" not in team.slack.workspace.transcript()
