"""A build that waits, is deployed, is slow, or shows a test to be flaky: what a channel reads of it."""

from datetime import timedelta
from pathlib import Path

from bot.models.circleci import PipelineId
from bot.models.subscription import Event, Mode
from tests.golden.playground import JobPlan, Pipeline, Scenario, TestPlan, WorkflowPlan
from tests.golden.records import compare
from tests.golden.scenes import Scene, played
from tests.golden.stage import Stage, staged
from tests.golden.test_red import BACKEND, GREEN, is_begun, is_built, is_over, red, subscribes

HOLD = WorkflowPlan("release", (JobPlan("hold-prod", approval=True), JobPlan("deploy-prod", requires=("hold-prod",))))
DEPLOY = JobPlan("deploy-prod")


async def is_on_hold(stage: Stage, pipeline: Pipeline) -> None:
    """Let it come to its hold, and the bot hear of that."""
    world, telling = stage.team.circleci.world, stage.team.app.telling
    world.clock.advance(timedelta(minutes=4))
    world._tick()
    assert await telling.waits(await telling._sources.reports.build(PipelineId(pipeline.id))) is None
    stage.notes_news()


async def waiting(stage: Stage) -> None:
    world = stage.team.circleci.world
    await stage.types("ada", "subscribe acme/backend main waiting deployed", "deploys")
    pipeline = await is_begun(stage, Scenario((WorkflowPlan("build", (GREEN,)), HOLD)))
    await is_on_hold(stage, pipeline)
    message = stage.team.deploys.roots[-1]
    await stage.presses("guest", message, "Approve hold-prod")
    (run,) = (run for run in pipeline.runs if run.plan.name == "release")
    world.approve(run.id, run.job_ids["hold-prod"])
    stage.notes("somebody approves it on CircleCI's page")
    await is_on_hold(stage, pipeline)
    stage.notes("it ends")
    await is_over(stage, pipeline)
    pipeline = await is_begun(stage, Scenario((WorkflowPlan("build", (GREEN,)), HOLD)))
    await is_on_hold(stage, pipeline)
    (run,) = (run for run in pipeline.runs if run.plan.name == "release")
    world.cancel(run.id, by="octo-ada")
    stage.notes("octo-ada cancels it")
    await is_over(stage, pipeline)
    pipeline = await is_begun(stage, Scenario((WorkflowPlan("build", (GREEN,)), HOLD)))
    await is_on_hold(stage, pipeline)
    await stage.types("ada", "unsubscribe acme/backend main waiting deployed", "deploys")
    await stage.is_quiet()
    (run,) = (run for run in pipeline.runs if run.plan.name == "release")
    world.cancel(run.id, by="octo-ada")  # else whoever hears of what waits in another scene is told of it anew


async def of_a_red_branch(stage: Stage) -> None:
    """Read below the message about a branch what is told of its builds, and with `channel` beside it."""
    for mode in Mode:
        await subscribes(stage, mode=mode, events=("broke", "deployed", "waiting"))
        pipeline = await is_begun(stage, Scenario((WorkflowPlan("build", (red("test_total"), DEPLOY)), HOLD)))
        await is_over(stage, pipeline)
        await is_on_hold(stage, pipeline)


async def slow(stage: Stage) -> None:
    await subscribes(stage, events=("slow",))
    for seconds in (60, 70, 60, 50, 60, 200):
        await is_built(stage, JobPlan("unit-tests", seconds=seconds))


async def flaky(stage: Stage) -> None:
    await subscribes(stage, events=("flaky",))
    plan = WorkflowPlan("build", (red("test_total", "test_tax"),))
    tests = tuple(TestPlan(name, "tests/test_cart.py") for name in ("test_total", "test_tax"))
    passes = WorkflowPlan("build", (JobPlan("unit-tests", tests=tests),))
    broken = await is_built(stage, Scenario((plan,), rerun=(passes,)))
    await is_built(stage, broken.scenario, "octo-ada", again=broken)
    again = await is_built(stage, Scenario((plan,), rerun=(passes,)))
    await is_built(stage, again.scenario, "octo-ada", again=again)


async def of_a_tag(stage: Stage) -> None:
    await stage.types("ada", "subscribe acme/backend tag:v*", "deploys")
    world = stage.team.circleci.world
    plan, passes = (WorkflowPlan("build", (job,)) for job in (red("test_total"), GREEN))
    for scenario in (Scenario((plan,), rerun=(passes,)), Scenario((passes,))):
        world.projects[BACKEND].tags["v2.0"] = scenario
        pipeline = world.trigger(BACKEND, tag="v2.0", parameters={}, by="octo-grace")
        stage.notes("octo-grace pushes v2.0")
        await is_over(stage, pipeline)
        if scenario.rerun:
            await is_built(stage, scenario, "octo-ada", again=pipeline)
            await stage.types("ada", f"told acme/backend #{pipeline.number}", "deploys")


async def asked_in_their_threads(stage: Stage) -> None:
    """Name no build below what tells of one: of a tag, that waits, was deployed, or a branch with `channel`."""
    await stage.types("ada", "subscribe acme/backend tag:v* failed", "deploys")
    plan, passes = WorkflowPlan("build", (red("test_total"),)), WorkflowPlan("build", (GREEN, DEPLOY))
    stage.team.circleci.world.projects[BACKEND].tags["v2.0"] = Scenario((plan,))
    tagged = stage.team.circleci.world.trigger(BACKEND, tag="v2.0", parameters={}, by="octo-grace")
    stage.notes("octo-grace pushes v2.0")
    await is_over(stage, tagged)
    await asks(stage, "triage", "told")
    await subscribes(stage, mode=Mode.CHANNEL, events=("broke", "still-red", "deployed", "waiting"))
    await is_on_hold(stage, await is_begun(stage, Scenario((passes, HOLD))))
    await asks(stage, "told", "approve")
    for scenario in (Scenario((passes,)), red("test_total"), red("test_tax")):
        await is_built(stage, scenario)
        await asks(stage, "status", "tests")


async def all_of_two_builds(stage: Stage) -> None:
    """Hear all there is of a build that fails and passes in a rerun, and of one that waits, by two presses."""
    await subscribes(stage, events=tuple(Event))
    test, deploy = TestPlan("test_total", "tests/test_cart.py"), JobPlan("deploy-prod", requires=("unit-tests",))
    broken = WorkflowPlan("build", (red("test_total"), deploy))
    passes = WorkflowPlan("build", (JobPlan("unit-tests", tests=(test,)), deploy))
    pipeline = await is_built(stage, Scenario((broken,), rerun=(passes,)))
    await presses(stage, "Rerun failed")
    await stage.passes(240)
    await stage.passes(300)
    await is_over(stage, pipeline)
    pipeline = await is_begun(stage, Scenario((WorkflowPlan("build", (GREEN,)), HOLD)))
    await is_on_hold(stage, pipeline)
    await presses(stage, "Approve hold-prod")
    await stage.passes(240)
    await stage.passes(300)
    await is_over(stage, pipeline)


async def presses(stage: Stage, button: str) -> None:
    """Press it on the newest message, and let the bot look once more at what it follows by then."""
    message = stage.team.deploys.roots[-1]
    await stage.team.clicks(stage.team.ada, message, stage._pressed("ada", message, button))
    await stage.team.is_done()
    await stage.is_quiet()
    await stage.looks()
    stage.notes_news()


async def asks(stage: Stage, *lines: str) -> None:
    root = stage.team.deploys.roots[-1]
    for line in lines:
        await stage.mentions("ada", line, root)


SCENES: dict[str, Scene] = {
    "told-waiting": waiting,
    "told-of-a-red-branch": of_a_red_branch,
    "told-slow": slow,
    "told-flaky": flaky,
    "told-of-a-tag": of_a_tag,
    "told-all-of-two-builds": all_of_two_builds,
    "told-asked-in-their-threads": asked_in_their_threads,
}


async def test_what_a_build_is_news_of_reads_as_recorded(tmp_path: Path, golden: bool) -> None:
    async with staged(tmp_path, operator_channel="C0RELEASES") as stage:
        compare(await played(stage, SCENES), anew=golden)
