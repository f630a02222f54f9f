"""What people read of their own builds in direct messages, and how they say what of them they want to read."""

from datetime import timedelta
from pathlib import Path

from bot.models.circleci import PipelineId
from bot.models.news import News
from bot.models.notices import About, Quiet
from bot.models.slack import utc_now
from bot.settings import Projects
from tests.golden.playground import JobPlan, Pipeline, Scenario, WorkflowPlan
from tests.golden.records import compare
from tests.golden.scenes import Scene, played
from tests.golden.stage import Stage, staged
from tests.golden.test_red import BACKEND, BROKEN_CONFIG, GREEN, red, subscribes
from tests.stories.test_gate import POLICY

PEOPLE = {"octo-ada": "U0ADA"}  # at the code host
HOLD = WorkflowPlan(
    "release",
    (
        JobPlan("test", seconds=40),
        JobPlan("hold-prod", requires=("test",), approval=True),
        JobPlan("deploy-prod", requires=("hold-prod",)),
    ),
)


def pushes(stage: Stage, scenario: Scenario | JobPlan, by: str = "octo-ada") -> Pipeline:
    world = stage.team.circleci.world
    plan = Scenario((WorkflowPlan("build", (scenario,)),)) if isinstance(scenario, JobPlan) else scenario
    world.set_scenario(BACKEND, "main", plan)
    stage.notes(f"{by} pushes to main")
    return world.trigger(BACKEND, branch="main", parameters={}, by=by, revision=f"{len(world.pipelines):040x}")


async def goes_by(stage: Stage, pipeline: Pipeline, minutes: int = 4, *, is_over: bool = True) -> None:
    """Let time go by, and the bot hear how the build stands then."""
    world, app = stage.team.circleci.world, stage.team.app
    world.clock.advance(timedelta(minutes=minutes))
    world._tick()
    build = await app.telling._sources.reports.build(PipelineId(pipeline.id))
    if is_over:
        assert await app.telling.judged(build) is None
        assert await app.notices.over(build) is None
    else:
        await app.notices.goes_on(build)
    stage.notes_news()


async def wants(stage: Stage, name: str, line: str) -> None:
    """Let somebody say what they want to be told; here an end is minutes ago as soon as it is there."""
    await stage.types(name, f"notify me {line}")
    store = stage.team.app.store.notices
    for notice in await store.all():
        since = notice.since - timedelta(days=1)
        await store.put(notice.model_copy(update={"since": since, "waiting_since": since}))


async def said(stage: Stage) -> None:
    for line in (
        "ada: notify me",
        "ada: notify me quiet 22:00-7:00",
        "ada: notify me failed",
        "ada: notify me ended waiting quiet 22:00-7:00",
        "ada: notify me quiet 23-6",
        "ada: notify me",
        "ada: notify me failed waiting",
        "ada: notify me faild",
        "ada: notify @grace failed",
        "ada: notify me failed quiet at night",
        "ada: notify me failed?",
        "grace: notify me failed",
        "grace: notify me nothing",
        "ada: notify me nothing",
        "ada: notify me nothing",
    ):
        await stage.types(*line.split(": ", 1))
    await stage.writes("ada", "notify me failed")
    await stage.mentions("ada", "notify me nothing", "deploys")
    stage.team.slack.refuse("conversations.open", "cannot_dm_bot")
    await wants(stage, "ada", "failed")


async def ended(stage: Stage) -> None:
    await wants(stage, "ada", "ended")
    plan = WorkflowPlan("build", (red("test_total"),))
    broken = pushes(stage, Scenario((plan,)))
    await goes_by(stage, broken)
    message = stage.team.slack.person("ada").direct_messages[-1]
    await stage.presses("ada", message, "Show log")
    stage.notes("octo-ada runs it again on CircleCI's page")
    stage.team.circleci.world.rerun(broken.runs[-1].id)
    await goes_by(stage, broken, 0, is_over=False)
    await goes_by(stage, broken)
    await goes_by(stage, pushes(stage, GREEN, by="octo-grace"))
    await goes_by(stage, pushes(stage, BROKEN_CONFIG))


async def what_is_mine(stage: Stage) -> None:
    """Let somebody ask for their own builds, of which they pushed some and deployed one."""
    app = stage.team.app
    await stage.plays("try/green", 5, 400)
    one = pushes(stage, red("test_total"))
    await stage.moves_on(400)
    build = await app.telling._sources.reports.build(PipelineId(one.id))
    await app.notices.is_read(build.pipeline)
    await app.store.news.save(build.pipeline.id, News(pipeline=build.pipeline))
    for name in ("ada", "grace"):
        await stage.types(name, "mine")


async def mentioned(stage: Stage) -> None:
    """Let a channel tell who broke a branch: they are told there."""
    await subscribes(stage)
    await wants(stage, "ada", "failed")
    await goes_by(stage, pushes(stage, GREEN))
    await goes_by(stage, pushes(stage, red("test_total")))
    await goes_by(stage, pushes(stage, red("test_total")))
    await stage.team.app.store.subscriptions.remove((await stage.team.app.store.subscriptions.all())[0])


async def waits(stage: Stage) -> None:
    await wants(stage, "ada", "failed waiting")
    held = pushes(stage, Scenario((HOLD,)))
    await goes_by(stage, held, is_over=False)
    message = stage.team.slack.person("ada").direct_messages[-1]
    await stage.presses("ada", message, "Approve hold-prod")
    await goes_by(stage, held, 0, is_over=False)
    await goes_by(stage, held)


async def quiet(stage: Stage) -> None:
    """Let builds end in quiet hours, which are over when the person wants none any more."""
    now = utc_now().hour * 60
    hours = Quiet(begins=(now - 720) % 1440, ends=(now + 700) % 1440)
    await wants(stage, "ada", "ended")
    store = stage.team.app.store.notices
    notice = await store.get("U0ADA")
    assert notice
    await store.put(notice.model_copy(update={"quiet": hours, "about": (About.ENDED,)}))
    stage.notes("it is night")
    for scenario in (red("test_total"), GREEN, BROKEN_CONFIG):
        await goes_by(stage, pushes(stage, scenario))
    await store.put(notice)
    stage.notes("the quiet hours are over")
    await stage.team.app.later()
    stage.notes_news()
    message = stage.team.slack.person("ada").direct_messages[-1]
    for name in message.buttons[::-1]:
        await stage.presses("ada", message, name)


async def cannot_be_told(stage: Stage) -> None:
    await wants(stage, "ada", "failed")
    stage.notes("Slack takes no direct message for ada")
    stage.team.slack.refuse("chat.postMessage", "cannot_dm_bot")
    await goes_by(stage, pushes(stage, red("test_total")))
    await stage.types("ada", "notify me")


async def asked_to_agree(stage: Stage) -> None:
    """Let somebody hear that a request waits for them, and that it does no more."""
    await stage.types("grace", "notify me waiting")
    await stage.types("ada", "deploy acme/frontend main env=prod", "deploys")
    stage.notes("a minute goes by")
    await stage.team.app.later()
    await stage.team.app.later()
    stage.notes_news()
    await stage.presses("grace", stage.newest("Agree and deploy"), "Agree and deploy")
    stage.notes("a minute goes by")
    await stage.team.app.later()
    stage.notes_news()


SCENES: dict[str, Scene] = {
    "notices-said": said,
    "notices-ended": ended,
    "notices-mine": what_is_mine,
    "notices-mentioned": mentioned,
    "notices-waits": waits,
    "notices-quiet": quiet,
    "notices-cannot-be-told": cannot_be_told,
}


async def test_ones_own_builds_are_told_as_recorded(tmp_path: Path, golden: bool) -> None:
    projects = Projects(people=PEOPLE)
    async with staged(tmp_path, projects=projects, operator_channel="C0RELEASES") as stage:
        compare(await played(stage, SCENES), anew=golden)


async def test_a_request_that_waits_is_told_as_recorded(tmp_path: Path, golden: bool) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    async with staged(tmp_path / "data", policy_file=policy, admins="U0ADMIN") as stage:
        compare(await played(stage, {"notices-asked-to-agree": asked_to_agree}), anew=golden)
