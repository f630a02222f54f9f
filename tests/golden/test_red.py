"""A branch that breaks though nobody typed: what a channel that subscribed to it reads, until it is green again."""

from datetime import timedelta
from pathlib import Path

from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.slack import utc_now
from bot.models.subscription import Event, Mode, Subscription
from tests.golden.playground import JobPlan, Pipeline, Scenario, TestPlan, WorkflowPlan
from tests.golden.records import compare
from tests.golden.scenes import Scene, played
from tests.golden.stage import Stage, staged

BACKEND = ProjectSlug("gh/acme/backend")
EVENTS = tuple(Event)[:5]  # of a branch; those of a build are played in test_told_events.py
GREEN = JobPlan("unit-tests", tests=(TestPlan("test_total", "tests/test_cart.py"),))
BROKEN_CONFIG = Scenario(config_error="jobs.deploy: the executor node is not defined")


def red(*names: str) -> JobPlan:
    failed = tuple(TestPlan(name, "tests/test_cart.py", "expected 2 items, got 1") for name in names)
    return JobPlan("unit-tests", ends="failed", tests=failed, log=("$ make test", "make: *** [test] Error 2"))


async def subscribes(stage: Stage, **more: object) -> None:
    team = stage.team
    channel = team.slack.workspace.channel("deploys")
    fields: dict[str, object] = {
        "id": f"s{channel.id}{team.circleci.world.clock.now():%H}",
        "channel_id": channel.id,
        "made_by": team.ada.id,
        "made_by_name": "ada",
        "made_at": utc_now(),
        "project_slug": BACKEND,
        "project_title": "acme/backend",
        "default_branch": "main",
        "events": EVENTS,
    }
    subscriptions = team.app.store.subscriptions
    for one in await subscriptions.of_channel(channel.id):
        await subscriptions.remove(one)
    for left in await subscriptions.orphans.all():  # each scene is one of its own
        await subscriptions.orphans.gone(left)
    await subscriptions.add(Subscription.model_validate({**fields, **more}))


async def is_built(
    stage: Stage, scenario: Scenario | JobPlan, by: str = "octo-grace", *, again: Pipeline | None = None
) -> Pipeline:
    """Let somebody push a commit, or run a build again, and the bot hear of its end."""
    if again is None:
        pipeline = await is_begun(stage, scenario, by)
    else:
        pipeline = again
        stage.team.circleci.world.rerun(pipeline.runs[-1].id)
        stage.notes(f"{by} runs #{pipeline.number} again")
    await is_over(stage, pipeline)
    return pipeline


async def is_begun(stage: Stage, scenario: Scenario | JobPlan, by: str = "octo-grace") -> Pipeline:
    world = stage.team.circleci.world
    plan = Scenario((WorkflowPlan("build", (scenario,)),)) if isinstance(scenario, JobPlan) else scenario
    world.set_scenario(BACKEND, "main", plan)
    stage.notes(f"{by} pushes to main")
    return world.trigger(BACKEND, branch="main", parameters={}, by=by, revision=f"{len(world.pipelines):040x}")


async def is_over(stage: Stage, pipeline: Pipeline) -> None:
    world, telling = stage.team.circleci.world, stage.team.app.telling
    world.clock.advance(timedelta(minutes=4))
    world._tick()
    assert await telling.judged(await telling._sources.reports.build(PipelineId(pipeline.id))) is None
    stage.notes_news()


async def in_a_thread(stage: Stage) -> None:
    await stage.types("ada", f"subscribe acme/backend {' '.join(EVENTS)} mention={stage.team.grace.id}", "deploys")
    await is_built(stage, GREEN)
    await is_built(stage, red("test_total", "test_tax"))
    await is_built(stage, red("test_total", "test_tax"), by="octo-ada")
    await is_built(stage, red("test_tax", "test_rounding"))
    root = stage.team.deploys.roots[-1]
    await stage.presses("grace", root, "I look at it")
    await is_built(stage, JobPlan("unit-tests", ends="failed", log=("$ make test", "make: *** [test] Error 2")))
    await is_built(stage, GREEN, by="octo-ada")
    stage.notes("the message says by now")
    stage.shows(root)


async def in_the_channel(stage: Stage) -> None:
    await subscribes(stage, mode=Mode.CHANNEL)
    await is_built(stage, red("test_total"))
    await is_built(stage, red("test_total"))
    await is_built(stage, GREEN, by="octo-ada")
    await is_built(stage, GREEN)


async def run_again(stage: Stage) -> None:
    await subscribes(stage)
    await is_built(stage, GREEN)
    plan = WorkflowPlan("build", (red("test_total"),))
    broken = await is_built(stage, Scenario((plan,), rerun=(plan,)))
    await is_built(stage, broken.scenario, "octo-ada", again=broken)
    broken.scenario = Scenario((plan,))
    await is_built(stage, broken.scenario, "octo-ada", again=broken)


async def superseded(stage: Stage) -> None:
    await subscribes(stage)
    await is_built(stage, GREEN)
    plan = WorkflowPlan("build", (JobPlan("unit-tests", seconds=600),))
    await is_built(stage, Scenario((plan,), superseded_after=20))
    await is_built(stage, BROKEN_CONFIG)


async def beside_a_hold(stage: Stage) -> None:
    """Let one workflow fail while another one waits for somebody: the branch is red, whatever becomes of that."""
    await subscribes(stage)
    await is_built(stage, GREEN)
    held = WorkflowPlan("release", (JobPlan("hold", approval=True), JobPlan("deploy", requires=("hold",))))
    pipeline = await is_built(stage, Scenario((WorkflowPlan("build", (red("test_total"),)), held)))
    (run,) = (run for run in pipeline.runs if run.plan.name == "release")
    stage.team.circleci.world.approve(run.id, run.job_ids["hold"])
    stage.notes("somebody approves it, and it passes")
    await is_over(stage, pipeline)


async def repaired_before_a_hold(stage: Stage) -> None:
    """Let what had failed pass, while a deploy behind it waits for somebody."""
    await subscribes(stage)
    await is_built(stage, red("test_total"))
    jobs = (GREEN, JobPlan("hold", approval=True, requires=("unit-tests",)), JobPlan("deploy", requires=("hold",)))
    pipeline = await is_begun(stage, Scenario((WorkflowPlan("build", jobs),)), by="octo-ada")
    world, telling = stage.team.circleci.world, stage.team.app.telling
    world.clock.advance(timedelta(minutes=4))
    world._tick()
    assert await telling.holds(await telling._sources.reports.build(PipelineId(pipeline.id))) is None
    stage.notes_news()
    world.approve(pipeline.runs[-1].id, pipeline.runs[-1].job_ids["hold"])
    stage.notes("somebody approves it, and it passes")
    await is_over(stage, pipeline)


async def in_another_order(stage: Stage) -> None:
    """Hear of builds too late: each is news to who wants each, and says nothing of the branch."""
    for mode in Mode:
        await subscribes(stage, mode=mode)
        await is_built(stage, GREEN)
        older = [await is_begun(stage, plan) for plan in (GREEN, red("test_tax"))]
        await is_built(stage, red("test_total"))
        since = await is_begun(stage, red("test_tax"))
        await is_built(stage, red("test_total"))
        for one in (*older, since):
            stage.notes(f"#{one.number}, which was begun before, is found to have ended")
            await is_over(stage, one)


async def who_looks(stage: Stage) -> None:
    await subscribes(stage)
    await is_built(stage, red("test_total"))
    root = stage.team.deploys.roots[-1]
    button = root.element("I look at it")
    await stage.presses("ada", root, button)
    await stage.presses("ada", root, button)
    await stage.presses("grace", root, button)
    await is_built(stage, GREEN)
    await stage.presses("grace", root, button)


async def snoozed(stage: Stage) -> None:
    await subscribes(stage)
    await stage.types("ada", "snooze acme/backend main 2h", "deploys")
    await is_built(stage, red("test_total"))
    root = stage.team.deploys.roots[-1]
    button = root.element("Snooze")
    view = await stage.opens("grace", root, "Snooze")
    await stage.fills_in("grace", view, {"how_long": "4h"})
    await is_built(stage, red("test_total", "test_tax"), by="octo-ada")
    await stage.presses("ada", root, "End the snooze")
    for line in (
        "main off",
        "main",
        "main 8 days",
        "main until x",
        "main until 14:00 for 2h",
        "main 2h now",
        "main 2h",
    ):
        await stage.types("ada", f"snooze acme/backend {line}", "deploys")
    for line in ("2h", "backend 2h", "main off", "cli 2h"):
        await stage.types("grace", f"snooze {line}", "deploys")
    await stage.mentions("grace", "snooze until tomorrow 9:00", root)
    await its_time_comes(stage)
    await stage.comes_to("end_snooze", "the two hours are over")
    stage.shows(root)
    await is_built(stage, GREEN)
    await stage.presses("grace", root, button)


async def its_time_comes(stage: Stage) -> None:
    channel_id, subscriptions = stage.team.deploys.id, stage.team.app.store.subscriptions
    over = {"snoozed_until": utc_now() - timedelta(seconds=1)}
    await subscriptions.know(channel_id, BACKEND, "main", lambda kept: kept.model_copy(update=over))


async def asked_in_its_thread(stage: Stage) -> None:
    await subscribes(stage)
    await is_built(stage, GREEN)
    first = await is_built(stage, red("test_total"))
    await is_built(stage, red("test_total", "test_tax"))
    root = stage.team.deploys.roots[-1]
    for line in ("told", f"told #{first.number}", "why-red", "tests", "rerun", "lock for 2h", "unwatch"):
        await stage.mentions("ada", line, root)
    await stage.mentions("guest", "status main", root)


async def asked_in_the_thread_of_some_workflows(stage: Stage) -> None:
    await subscribes(stage, workflows=("build",))
    plans = WorkflowPlan("build", (red("test_total"),)), WorkflowPlan("nightly", (JobPlan("e2e"),))
    pipeline = await is_built(stage, Scenario(plans))
    root = stage.team.deploys.roots[-1]
    for line in ("triage", "why-red", "tests", "logs", "flaky", f"tests #{pipeline.number}", "told"):
        await stage.mentions("ada", line, root)


async def asked_in_the_thread_of_somebodys_builds(stage: Stage) -> None:
    """Ask below how main stands by her builds, while it is green by all."""
    await subscribes(stage, by="octo-grace")
    await is_built(stage, GREEN)
    await is_built(stage, red("test_total"))
    await is_built(stage, GREEN, by="octo-ada")
    root = stage.team.deploys.roots[-1]
    for line in ("why-red", "triage", "told", "why-red acme/backend"):
        await stage.mentions("ada", line, root)


async def nobody_subscribes_any_more(stage: Stage) -> None:
    await subscribes(stage)
    await is_built(stage, red("test_total"))
    root = stage.team.deploys.roots[-1]
    button = root.element("I look at it")
    await stage.types("ada", "unsubscribe acme/backend", "deploys")
    await stage.presses("grace", root, button)


async def ended_by_a_button(stage: Stage) -> None:
    await subscribes(stage)
    await stage.types("ada", "subscriptions", "deploys")
    listed = stage.team.ada.sees_only[-1]
    await stage.presses("ada", listed, listed.element("Unsubscribe"))


async def cannot_be_told(stage: Stage) -> None:
    await subscribes(stage)
    await is_built(stage, GREEN)
    stage.notes("somebody removes the bot from #deploys")
    stage.team.slack.refuse("chat.postMessage", "not_in_channel")
    await is_built(stage, red("test_total"))
    stage.notes("and has it back")
    await is_built(stage, red("test_total"))


async def buttons(stage: Stage) -> None:
    """Press what stands on the message: no thread follows the build."""
    await subscribes(stage)
    plan = WorkflowPlan("build", (red("test_total"),))
    pipeline = await is_built(stage, Scenario((plan,), rerun=(plan,)))
    root = stage.team.deploys.roots[-1]
    await stage.presses("ada", root, "Show log")
    await stage.presses("guest", root, "Rerun failed")
    await stage.presses("ada", root, "Rerun failed")
    stage.notes("the rerun ends")
    await is_over(stage, pipeline)


SCENES: dict[str, Scene] = {
    "red-in-a-thread": in_a_thread,
    "red-in-the-channel": in_the_channel,
    "red-run-again": run_again,
    "red-superseded": superseded,
    "red-who-looks": who_looks,
    "red-snoozed": snoozed,
    "red-forsaken": nobody_subscribes_any_more,
    "red-buttons": buttons,
    "red-cannot-be-told": cannot_be_told,
    "red-beside-a-hold": beside_a_hold,
    "red-in-another-order": in_another_order,
    "red-asked-in-its-thread": asked_in_its_thread,
    "red-asked-of-some-workflows": asked_in_the_thread_of_some_workflows,
    "red-asked-of-somebodys-builds": asked_in_the_thread_of_somebodys_builds,
    "red-repaired-before-a-hold": repaired_before_a_hold,
    "red-ended-by-a-button": ended_by_a_button,
}


async def test_a_red_branch_reads_as_recorded(tmp_path: Path, golden: bool) -> None:
    async with staged(tmp_path, operator_channel="C0RELEASES") as stage:
        compare(await played(stage, SCENES), anew=golden)
