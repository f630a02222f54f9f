"""Why a channel was told of a build, or was not: what it reads when it asks."""

from datetime import timedelta
from pathlib import Path

from bot.models.circleci import PipelineId
from bot.models.news import News, ReadUpTo
from bot.models.slack import utc_now
from bot.models.subscription import USUAL, Event
from bot.models.told import Reason, Why
from tests.golden.playground import JobPlan, Pipeline, Scenario, WorkflowPlan
from tests.golden.records import compare
from tests.golden.scenes import Scene, played
from tests.golden.stage import Stage, staged
from tests.golden.test_red import BACKEND, GREEN, is_begun, is_built, red, subscribes


async def asks(stage: Stage, pipeline: Pipeline, name: str = "ada") -> None:
    await stage.types(name, f"told acme/backend #{pipeline.number}", "deploys")


async def noted(stage: Stage, pipeline: Pipeline, why: Why, channel_id: str = "all", **more: object) -> None:
    reason = Reason.model_validate({"why": why, "at": utc_now(), **more})
    await stage.team.app.store.told.note(PipelineId(pipeline.id), reason, channel_id=channel_id)


async def what_was_decided(stage: Stage) -> None:
    await subscribes(stage, events=USUAL)
    await asks(stage, broke := await is_built(stage, red("test_total")))
    await asks(stage, await is_built(stage, red("test_total")))
    await subscribes(stage)
    await is_built(stage, red("test_total"))
    await stage.types("grace", "snooze acme/backend main 1h", "deploys")
    await asks(stage, await is_built(stage, red("test_total")))
    stage.team.slack.refuse("chat.postMessage", "is_archived")
    await asks(stage, await is_built(stage, GREEN))
    await asks(stage, broke, "guest")
    for why in (Why.OLDER, Why.HIDDEN, Why.UNSURE, Why.PUT_OFF, Why.OTHERWISE):
        await noted(stage, broke, why, stage.team.deploys.id, newest=2418, code="ratelimited")
        await asks(stage, broke)


async def no_subscription(stage: Stage) -> None:
    pipeline = await is_built(stage, GREEN)
    subscriptions = stage.team.app.store.subscriptions
    for one in await subscriptions.of_channel(stage.team.deploys.id):
        await subscriptions.remove(one)
    await asks(stage, pipeline)
    await subscribes(stage, branches=("release/*", "!release/old"))
    await asks(stage, pipeline)


async def nothing_is_kept(stage: Stage) -> None:
    world, store = stage.team.circleci.world, stage.team.app.store
    long_ago = utc_now() - timedelta(days=400)
    await subscribes(stage, made_at=long_ago)
    world.set_scenario(BACKEND, "main", Scenario((WorkflowPlan("build", (GREEN,)),)))
    pipeline = world.trigger(BACKEND, branch="main", parameters={}, by="octo-grace")
    await asks(stage, pipeline)
    await stage.moves_on(300)
    await asks(stage, pipeline)
    await store.news.save_read(BACKEND, ReadUpTo(newest=pipeline.number))
    await asks(stage, pipeline)
    await subscribes(stage)
    await asks(stage, pipeline)
    again_at = utc_now() + timedelta(minutes=5)
    await store.news.begin(PipelineId(pipeline.id), News())
    await noted(stage, pipeline, Why.AWAITED, again_at=again_at)
    await asks(stage, pipeline)
    await store.news.end(PipelineId(pipeline.id))
    for why, state in (
        (Why.NO_NEWS, "superseded"),
        (Why.WAS_THERE, ""),
        (Why.UNWANTED, ""),
        (Why.GIVEN_UP, ""),
        (Why.AWAITED, ""),
    ):
        await noted(stage, pipeline, why, state=state)
        await asks(stage, pipeline)
    await subscribes(stage, workflows=("deploy",), made_at=long_ago)
    await asks(stage, pipeline)
    await subscribes(stage)
    await store.told.missed(BACKEND, pipeline.number - 1, pipeline.number)
    await asks(stage, pipeline)


async def what_was_not_asked_for_then(stage: Stage) -> None:
    """Ask for other events than the channel did, of a branch by some of its builds too, and of what waits."""
    await subscribes(stage, events=(Event.FIXED,), by="octo-grace")
    broke = await is_built(stage, red("test_total"))
    await asks(stage, broke)
    await subscribes(stage, events=USUAL)
    await asks(stage, broke)
    hold = JobPlan("hold-prod", approval=True)
    held = await is_begun(stage, Scenario((WorkflowPlan("release", (hold,)),)))
    await stage.moves_on(60)
    await stage.team.app.store.news.begin(PipelineId(held.id), News())
    await noted(stage, held, Why.AWAITED, again_at=utc_now() + timedelta(minutes=5))
    await asks(stage, held)
    await subscribes(stage, events=(*USUAL, Event.WAITING))
    await asks(stage, held)


SCENES: dict[str, Scene] = {
    "told-decided": what_was_decided,
    "told-not-asked-then": what_was_not_asked_for_then,
    "told-no-subscription": no_subscription,
    "told-nothing-kept": nothing_is_kept,
}


async def test_why_it_was_told_reads_as_recorded(tmp_path: Path, golden: bool) -> None:
    async with staged(tmp_path) as stage:
        compare(await played(stage, SCENES), anew=golden)
