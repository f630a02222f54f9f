"""What is said when CircleCI or Slack does not do what it should, and when the bot reruns by itself."""

from datetime import timedelta
from pathlib import Path

from bot.settings import ProjectEntry, Projects
from bot.watching.engine import LOOK_FOR
from tests.golden.playground import CLI_FAILED, JobPlan, PastPlan, Scenario, WorkflowPlan, scenario_of
from tests.golden.records import compare
from tests.golden.scenes import Scene, played
from tests.golden.stage import Stage, staged

BACKEND = "gh/acme/backend"


async def token_refused(stage: Stage) -> None:
    await stage.plays("try/slow", 60)
    stage.notes("CircleCI refuses the token")
    faults = stage.team.circleci.faults
    faults.add("GET", "/api/v2/*", status=401, body={"message": "You must log in first."}, times=None)
    for _ in range(3):
        await stage.passes(10)
    await stage.types("ada", "deploy acme/frontend main", "deploys")
    stage.notes("CircleCI takes it again")
    faults.clear()
    await stage.passes(10)


async def no_answer(stage: Stage) -> None:
    stage.team.circleci.faults.add("GET", "/api/v2/project/*", status=503, times=None)
    await stage.types("ada", "deploy acme/frontend main", "deploys")
    await stage.types("ada", "status acme/frontend main")
    stage.team.circleci.faults.clear()


async def trigger_refused(stage: Stage) -> None:
    stage.team.circleci.faults.add("POST", "*/pipeline", status=403, body={"message": "Plan is suspended."})
    await stage.types("ada", "deploy acme/frontend main", "deploys")


async def lost_answer(stage: Stage) -> None:
    stage.team.circleci.faults.add("POST", "*/pipeline", drop="after")
    await stage.types("ada", "deploy acme/frontend try/green", "deploys")
    stage.notes("the bot looks for it")
    await stage.pulls_forward(LOOK_FOR)
    stage.notes_news()


async def lost_request(stage: Stage) -> None:
    stage.team.circleci.faults.add("POST", "*/pipeline", drop="before")
    await stage.types("ada", "deploy acme/frontend try/green", "deploys")
    stage.notes("the bot looks for it five times")
    for _ in range(5):
        await stage.pulls_forward(LOOK_FOR)
    stage.notes_news()


async def rerun_refused(stage: Stage) -> None:
    root = await stage.plays("try/timed-out-step", 5, 41, 6)
    stage.team.circleci.faults.add("POST", "*/rerun", status=400, body={"message": "Not now"})
    await stage.presses("ada", root, "Rerun failed")
    stage.team.circleci.faults.add("POST", "*/rerun", drop="after")
    await stage.presses("ada", root, "Rerun failed")
    await stage.passes(46)
    await stage.passes(6)


async def rerun_too_old(stage: Stage) -> None:
    old = stage.team.circleci.world.past("gh/acme/cli", "main", CLI_FAILED, ago=timedelta(days=100))
    await stage.types("ada", f"rerun acme/cli #{old.number}")


async def approval_refused(stage: Stage) -> None:
    root = await stage.plays("try/on-hold", 46)
    stage.team.circleci.faults.add("POST", "*/approve/*", status=403, body={"message": "Permission denied"})
    await stage.presses("ada", root, "Approve hold-prod")
    await stage.moves_on(1)
    await stage.presses("ada", root, "Approve hold-prod")


async def not_compared(stage: Stage) -> None:
    stage.team.circleci.world.set_scenario(BACKEND, "fix/total", scenario_of(PastPlan((frozenset({"test_total"}),))))
    faults = stage.team.circleci.faults
    faults.add("GET", f"/api/v2/project/{BACKEND}/pipeline*", status=503, times=None, spare=1)
    root = await stage.plays("fix/total", 5, 95, 6, project="acme/backend")
    faults.clear()
    stage.shows(root.replies[-1])


async def rerun_by_itself(stage: Stage) -> None:
    plan = scenario_of(PastPlan((frozenset(),), log=("vault: sealed",))).workflows[0]
    stage.team.circleci.world.set_scenario(BACKEND, "fix/vault", Scenario((plan,), rerun=(plan,)))
    root = await stage.plays("fix/vault", 5, 95, 6, 95, 6, project="acme/backend")
    for reply in root.replies:
        stage.shows(reply)


async def late_workflow(stage: Stage) -> None:
    """Let another workflow begin once the final word has been said."""
    plans = WorkflowPlan("build", (JobPlan("test"),)), WorkflowPlan("release", (JobPlan("publish"),), starts_after=200)
    stage.team.circleci.world.set_scenario("gh/acme/frontend", "fix/late", Scenario(plans))
    root = await stage.plays("fix/late", 5, 31, 6)
    stage.shows(root.replies[-1])
    await stage.passes(180)
    await stage.moves_on(31)
    await stage.passes(6)


async def channel_hears(stage: Stage) -> None:
    """Let a branch fail of which the channel is to hear, and be repaired by a rerun, then by a push."""
    world, branch, total = stage.team.circleci.world, "aloud/total", frozenset({"test_total"})
    world.set_scenario(BACKEND, branch, scenario_of(PastPlan((total, total), log=())))
    root = await stage.plays(branch, 5, 95, 6, project="acme/backend")
    stage.shows(root.replies[-1])
    await stage.presses("ada", root, "Rerun failed")
    await stage.moves_on(95)
    await stage.passes(6)
    world.set_scenario(BACKEND, branch, scenario_of(PastPlan((frozenset(),))))
    stage.notes("somebody repairs it, and ada deploys it")
    await stage.plays(branch, 5, 125, project="acme/backend")
    await stage.passes(6)
    stage.notes("once more: it is green, and repairs nothing")
    await stage.plays(branch, 5, 125, project="acme/backend")
    await stage.passes(6)
    stage.notes("a push breaks it, which nobody follows, and ada deploys the next one, which repairs it")
    world.set_scenario(BACKEND, branch, scenario_of(PastPlan((total,))))
    world.trigger(BACKEND, branch=branch, parameters={}, by="push")
    await stage.moves_on(125)
    world.set_scenario(BACKEND, branch, scenario_of(PastPlan((frozenset(),))))
    await stage.plays(branch, 5, 125, project="acme/backend")
    await stage.passes(6)


async def channel_gone(stage: Stage) -> None:
    await stage.plays("try/green", 5)
    stage.notes("somebody archives #deploys")
    stage.team.deploys.is_archived = True
    await stage.passes(60)
    await stage.passes(6)
    stage.team.deploys.is_archived = False


SCENES: dict[str, Scene] = {
    "trouble-no-answer": no_answer,
    "trouble-trigger-refused": trigger_refused,
    "trouble-lost-answer": lost_answer,
    "trouble-lost-request": lost_request,
    "trouble-rerun-refused": rerun_refused,
    "trouble-rerun-too-old": rerun_too_old,
    "trouble-approval-refused": approval_refused,
    "trouble-not-compared": not_compared,
    "trouble-rerun-by-itself": rerun_by_itself,
    "trouble-channel-hears": channel_hears,
    "trouble-channel-gone": channel_gone,
    "trouble-late-workflow": late_workflow,
    # Last, as nothing is told to the operator twice in six hours.
    "trouble-token-refused": token_refused,
}
PROJECTS = Projects(
    projects={"backend": ProjectEntry(slug=BACKEND, rerun_once=True, tell_channel=("aloud/*",))},
    infrastructure={"vault asleep": "vault: sealed"},
)


async def test_every_trouble_reads_as_recorded(tmp_path: Path, golden: bool) -> None:
    async with staged(tmp_path, projects=PROJECTS) as stage:
        said = await played(stage, SCENES)
    compare(said, anew=golden)
