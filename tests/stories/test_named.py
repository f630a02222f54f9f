"""What was named is what happens: links, numbers and commits, with a question before a deploy of one build."""

from pathlib import Path

from playground.circleci.scenarios import JobPlan, Scenario, WorkflowPlan
from playground.slack.conversations import Message
from tests.operations.scene import (
    FRONTEND,
    ON_HOLD,
    OVER,
    RUNNING,
    followed,
    goes_by,
    presses,
    pushed,
    said,
    team_under,
    types,
    writes,
)
from tests.stories.team import Team

PULLS = "https://github.com/acme/frontend/pull"
HOLD, SHIP = JobPlan("hold", approval=True), JobPlan("ship", requires=("hold",))
FORKS = """
[[rules]]
name = "all but the code of forks"
words = ["read", "deploy", "rerun", "cancel", "approve"]

[[rules]]
name = "no code of forks"
effect = "deny"
words = ["rerun", "approve", "deploy"]
pull_requests = ["*"]

[[rules]]
name = "main must be green"
effect = "demand"
words = ["deploy"]
branches = ["main"]
green = true
"""


async def test_a_build_is_asked_back_and_its_branch_deployed_once(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        built = pushed(team, "release/v2.0", OVER)
        question = await asked(team, f"deploy acme/frontend #{built.number} env=prod")
        assert f"#{built.number} built `release/v2.0` at `{built.revision[:7]}`. A deploy takes" in question.visible
        assert "what `release/v2.0` is now. Nothing is started" in question.visible
        newer = pushed(team, "release/v2.0", OVER, revision="abc1234" + "0" * 33)
        links = (
            f"https://app.circleci.com/pipelines/github/acme/frontend/{built.number}",
            f"https://circleci.com/workflow-run/{built.runs[0].id}",
            f"https://circleci.com/gh/acme/frontend/{next(iter(built.runs[0].job_numbers.values()))}",
            f"https://github.com/acme/frontend/commit/{built.revision}",
        )
        for link in links:
            told = await asked(team, f"deploy {link}")
            assert f"#{built.number} built" in told.visible
            assert f"Since then #{newer.number} built it at `abc1234`" in told.visible
            assert "acme/frontend release/v2.0 is deployed as it stands now." in dialog(told)
        assert writes(team) == []
        assert "acme/frontend release/v2.0 is deployed as it stands now, with env=prod." in dialog(question)
        await presses(team, team.ada, question, "Deploy release/v2.0")
        assert team.posts("/pipeline") == [{"branch": "release/v2.0", "parameters": {"env": "prod"}}]
        await presses(team, team.ada, question, "Deploy release/v2.0")
        assert len(team.posts("/pipeline")) == 1


async def test_a_branch_that_is_called_like_a_commit_is_a_branch(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        commit = pushed(team, "main", OVER, revision="deadbee" + "f" * 33)
        assert f"#{commit.number} built `main`" in (await asked(team, "deploy acme/frontend deadbee")).visible
        team.circleci.world.set_scenario(FRONTEND, "deadbee", "green")
        pushed(team, "deadbee", OVER)
        await types(team, team.ada, "deploy acme/frontend deadbee")
        assert team.posts("/pipeline") == [{"branch": "deadbee"}]


async def test_a_reason_that_begins_like_a_ref_is_asked_about(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        pushed(team, "hold/prod", OVER)
        tags = team.circleci.world.projects[FRONTEND].tags
        tags["nightly"] = tags["v2.0"]
        team.circleci.world.trigger(FRONTEND, tag="nightly", parameters={}, by="barbara")
        for reason, meant in {
            "on main, it is red": "main",
            "hold-prod": "hold/prod",
            "nightly broken": "tag:nightly",
            "try/slow": "try/slow",
            "v9.1 has a flaw": "tag:v9.1",
        }.items():
            assert f"`{meant}` may be what you lock, or why you lock all" in await told(
                team, f"lock acme/frontend {reason}"
            )
        question = await asked(team, "lock acme/frontend on main, it is red")
        await presses(team, team.ada, question, "Lock main")
        (lock,) = (await team.app.store.locks.all())[0]
        assert (str(lock.ref), lock.reason) == ("main", "it is red")
        assert "All of acme/frontend is locked" in await told(team, "lock acme/frontend the database is moved")


async def test_of_a_workflow_that_is_named_its_own_jobs_are_offered(tmp_path: Path) -> None:
    plans = (WorkflowPlan("build", (JobPlan("test", seconds=900),)), WorkflowPlan("gate", (HOLD, SHIP)))
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        team.circleci.world.set_scenario(FRONTEND, "try/slow", Scenario((*plans, WorkflowPlan("other", (HOLD, SHIP)))))
        held = pushed(team, "try/slow", ON_HOLD)
        flows = {run.plan.name: f"https://circleci.com/workflow-run/{run.id}" for run in held.runs}
        assert f"Nothing of build of acme/frontend #{held.number} waits" in await told(
            team, f"approve {flows['build']}"
        )
        assert (await asked(team, f"approve {flows['gate']}")).buttons == ["Approve hold in gate", "Share here"]


async def test_a_commit_of_several_branches_is_not_called_by_one_of_them(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        for branch in ("main", "release/v2.0"):
            pushed(team, branch, OVER, revision="38c6d84" + "0" * 33)
        shown = await told(team, "status acme/frontend 38c6d84")
        assert "acme/frontend · commit 38c6d84 · newest first" in shown.replace("`", "").replace("*", "")
        for word in ("cancel", "approve"):
            assert "the 2 newest builds of the commit `38c6d84`" in await told(team, f"{word} acme/frontend 38c6d84")


async def test_a_pull_request_is_its_branch_where_a_build_tells_it(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        mine, forks = pushed(team, "release/v2.0", OVER), pushed(team, "main", OVER)
        mine.review_id, forks.review_id, forks.fork = "12", "13", "eve"  # whose main is not ours
        assert "a pull request is deployed only where a rule names it" in await told(team, f"deploy {PULLS}/13")
        assert "no branch for pull request 14: write its branch, or `pull/14`" in await told(team, f"deploy {PULLS}/14")
        assert "acme/frontend release/v2.0 is locked" in await told(team, f"lock {PULLS}/12 mine")
        assert "acme/frontend release/v2.0 is unlocked" in await told(team, f"unlock {PULLS}/12/files")
        assert "`release/v2.0` is red" in await told(team, f"why-red {PULLS}/12")
        assert "You may deploy (acme/frontend release/v2.0)" in await told(team, f"why deploy {PULLS}/12")
        assert writes(team) == []
        await types(team, team.ada, f"deploy {PULLS}/12/files")
        assert team.posts("/pipeline") == [{"branch": "release/v2.0"}]
        await team.reads("Pull request 12 is `release/v2.0`, as its builds tell.")
        theirs = pushed(team, "release/v2.0", OVER)
        theirs.review_id = "30"  # who took the branch up again when 12 was merged
        for word in ("rerun", "deploy", "lock"):
            refused = await told(team, f"{word} {PULLS}/12")
            assert f"Another pull request has the branch of 12 by now: write the branch, or `#{mine.number}`" in refused
        assert f"#{theirs.number}" in await told(team, f"status {PULLS}/30")
        theirs.branch = "try/slow"
        forks.branch, forks.fork, forks.review_id = "hold/prod", "", "12"
        assert "tell two branches for pull request 12" in await told(team, f"rerun {PULLS}/12")


async def test_a_forks_branch_is_none_of_ours_whatever_it_is_called(tmp_path: Path) -> None:
    async with team_under(FORKS, tmp_path, poll_interval_seconds=3600) as team:
        ours, forks = pushed(team, "release/v2.0", OVER), pushed(team, "main", OVER)
        held = pushed(team, "hold/prod", ON_HOLD)
        ours.branch, held.branch = "main", "main"  # red; and two of forks, which are newer
        for one, number in ((forks, "13"), (held, "14")):
            one.review_id, one.fork = number, "eve"
        assert f"#{ours.number}" in await told(team, "status acme/frontend main")
        assert f"red: I found one build of it, #{ours.number}" in await told(team, "why-red acme/frontend main")
        assert f"#{ours.number} at `{ours.revision[:7]}`, is red" in await told(team, "deploy acme/frontend main")
        assert f"The newest: ❌ Failed · #{ours.number}" in await told(team, "approve acme/frontend main")
        assert "may not rerun" in await told(team, f"rerun acme/frontend #{forks.number} all")
        (holds,) = await types(team, team.ada, f"approve acme/frontend #{held.number}")
        assert "pull/14" in holds.visible
        assert "may not approve" in said(await presses(team, team.ada, holds, "Approve hold-prod"))
        assert f"#{forks.number}" in await told(team, "status acme/frontend pull/13")
        assert writes(team) == []
        await types(team, team.ada, "rerun acme/frontend main all")
        assert writes(team) == [f"POST /api/v2/workflow/{run.id}/rerun" for run in ours.runs[:2]]


async def test_a_link_that_leads_nowhere_starts_nothing_and_is_named_in_the_answer(tmp_path: Path) -> None:
    # C43
    commit = "https://github.com/acme/frontend/commit/0e6e66c14e61fbcd95db716b0f30d67dbcce7814"
    links = (f"{PULLS}/610", f"{PULLS}/610/files", commit, "https://github.com/acme/frontend/compare/main...fix")
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        pushed(team, "main", OVER)
        for line in [f"{word} {link}" for word in ("deploy", "rerun", "cancel", "status", "watch") for link in links]:
            assert f"`{line.partition(' ')[2]}`" in await told(team, line), line
        assert writes(team) == []


async def test_another_kind_of_number_or_name_is_refused_with_what_to_write(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        built = pushed(team, "release/v2.0", OVER)
        tagged = team.circleci.world.trigger(FRONTEND, tag="v2.0", parameters={}, by="barbara")
        goes_by(team, OVER)
        (job,) = [run.job_numbers["unit-tests"] for run in built.runs if "unit-tests" in run.job_numbers]
        flow = f"https://app.circleci.com/pipelines/github/acme/frontend/{built.number}/workflows/{built.runs[0].id}"
        for line, words in {
            f"rerun acme/frontend {built.number}": f"but a pipeline: write `#{built.number}`",
            f"status acme/frontend #{job}": f"but a job: write `{job}`",
            "rerun acme/frontend v2.0": "This is a tag, and no branch: write `tag:` before it",
            f"rerun acme/frontend {built.revision[:7]}": f"I need a build of it: write `#{built.number}`",
            f"rerun acme/frontend {built.revision}": f"I need a build of it: write `#{built.number}`",
            f"rerun acme/frontend main #{built.number}": f"#{built.number} is of another branch or tag",
            f"rerun {flow}": f"one workflow, and I rerun a build: write `rerun` with `#{built.number}`",
            f"cancel {flow}": f"one workflow, and I cancel a build: write `cancel` with `#{built.number}`",
            f"logs {flow}": "CircleCI keeps no log of lint",
            f"tests {flow}": f"#{built.number} lint stored no test results",
            f"artifacts {flow}": f"#{built.number} lint stored no artifacts",
            f"deploy acme/frontend {job}": f"#{built.number} built `release/v2.0`",
            f"deploy acme/frontend {built.number}": f"but a pipeline: write `#{built.number}`",
            f"deploy acme/frontend #{job}": f"but a job: write `{job}`",
            "deploy acme/frontend 9999": "There is no job of this number. For a pull request write `pull/9999`",
            "deploy acme/frontend #9999": "There is no pipeline of this number. For a pull request write `pull/9999`",
            "status acme/frontend abcdef1": "CircleCI knows no pipeline on the branch `abcdef1`",
            f"status acme/frontend {'ab' * 20}": "no build, among the newest, of the commit",
            f"lock {flow}": "This leads to one build",
        }.items():
            assert words in await told(team, line), line
        other = pushed(team, "main", RUNNING)
        (running,) = other.runs[0].job_numbers.values()
        page = f"https://app.circleci.com/pipelines/github/acme/frontend/{other.number}/workflows"
        for line, words in {
            f"rerun acme/frontend #{built.number} {running}": f"#{built.number} has no job of this number",
            f"rerun acme/frontend #{other.number} {job} all": f"#{other.number} has no job of this number",
            f"approve acme/frontend #{built.number} {running}": f"#{built.number} has no job of this number",
            f"watch acme/frontend #{other.number} {job}": f"#{other.number} has no job of this number",
            f"cancel acme/frontend release/v2.0 {running}": f"#{other.number} is of another branch or tag",
            f"cancel acme/frontend #{built.number} {running}": f"#{built.number} has no job of this number",
            f"logs acme/frontend main {job}": f"#{built.number} is of another branch or tag",
            f"deploy {page}/{built.runs[0].id}": f"#{other.number} has no such workflow",
            f"logs {page}/{other.runs[0].id}/jobs/{job}": f"#{other.number} has no job of this number",
            f"status https://circleci.com/gh/acme/workflows/cli/tree/release/v2.0/{built.runs[0].id}": (
                "acme/cli has no such workflow"
            ),
        }.items():
            assert words in await told(team, line), line
        offer = await asked(team, f"cancel acme/frontend main {running}")
        assert f"({running}) of acme/frontend `main` #{other.number}: " in offer.visible
        assert f"({running}) of acme/frontend main #{other.number} is cancelled" in dialog(offer)
        assert writes(team) == []
        assert f"#{tagged.number}" in await told(team, "status acme/frontend v2.0")  # who only looks is shown it
        assert f"#{built.number}" in await told(team, f"status acme/frontend {built.revision[:7]}")
        assert f"tag:v2.0 #{tagged.number}" in await told(team, "artifacts acme/frontend v2.0")
        assert "3 failed, 57 passed" in await told(team, f"logs acme/frontend #{built.number}")
        assert "No job of" in await told(team, "logs acme/frontend v2.0")
        assert f"Cancel #{built.number}" not in await told(team, f"cancel {flow}")


async def test_in_a_thread_that_follows_two_builds_it_is_asked_which(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        other = pushed(team, "main", OVER)
        root = await followed(team, "release/v2.0", RUNNING, "release/v2.0")
        mine, acted = team.circleci.world.pipelines[0], writes(team)
        await team.grace.mention("deploys", f"watch acme/frontend #{other.number}", thread_ts=root.ts)
        await team.reads("acme/frontend · main")
        await team.is_done()
        for number, line in enumerate(("rerun all", "cancel", "approve"), start=1):
            await team.ada.mention("deploys", line, thread_ts=root.ts)
            await team.until(lambda: len(asks_which(team)) == number)  # noqa: B023  # it is awaited here
        assert all(f"`acme/frontend #{one.number}`" in told for one in (mine, other) for told in asks_which(team))
        assert writes(team) == acted
        await team.grace.mention("deploys", f"unwatch acme/frontend #{other.number}", thread_ts=root.ts)
        await team.reads(f"#{other.number} is no longer followed here.")
        await team.ada.mention("deploys", "cancel", thread_ts=root.ts)
        await team.is_told(team.ada, f"#{mine.number}")  # the one that is left is meant


def asks_which(team: Team) -> list[str]:
    """Return what told Ada that a thread is about several builds."""
    return [one.visible for one in team.ada.sees_only if "is about 2 builds. Write which one: " in one.visible]


async def asked(team: Team, text: str) -> Message:
    """Type a line and return the question that comes back."""
    (question,) = await types(team, team.ada, text)
    return question


async def told(team: Team, text: str) -> str:
    """Type a line and return what comes back."""
    return said(await types(team, team.ada, text))


def dialog(question: Message) -> str:
    """Return what the dialog of the one button says."""
    (button,) = [one for block in question.blocks if block["type"] == "actions" for one in block["elements"]]
    return str(button["confirm"]["text"]["text"])
