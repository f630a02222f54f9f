"""Why nobody who subscribed is told of a build, or not yet, is written down where that is decided."""

from datetime import timedelta

from bot.models.circleci import PipelineId
from bot.models.slack import utc_now
from bot.models.told import Reason, Why
from bot.watching.read_on import PAGES
from playground.circleci.pipelines import Pipeline as Pushed
from tests.watching.test_news import LONG, MAIN, SLUG, SOON, Stage, stage

__all__ = ["stage"]


async def reason(stage: Stage, pushed: Pushed) -> Reason | None:
    return await stage.store.told.get(PipelineId(pushed.id))


async def test_what_runs_is_looked_at_again_and_what_was_over_is_not(stage: Stage) -> None:
    over = stage.push()
    await stage.subscribes()
    await stage.looks()
    running = stage.push("superseded", age=SOON)
    await stage.looks()
    was, runs = await reason(stage, over), await reason(stage, running)
    assert was is not None
    assert was.why is Why.WAS_THERE
    assert runs is not None
    assert runs.why is Why.AWAITED
    assert runs.again_at is not None
    assert timedelta(0) < runs.again_at - utc_now() < timedelta(minutes=10)
    stage.push("green")
    await stage.looks()
    ended = await reason(stage, running)
    assert ended is not None
    assert (ended.why, ended.state) == (Why.NO_NEWS, "canceled")


async def test_what_nobody_wants_any_more_or_cannot_be_read_says_so(stage: Stage) -> None:
    rule = await stage.subscribes()
    unwanted = stage.push(age=SOON)
    await stage.looks()
    gone = stage.push(age=SOON)
    await stage.lists.look(SLUG)
    await stage.store.subscriptions.remove(rule)
    await stage.news.look(PipelineId(unwanted.id))
    found = await reason(stage, unwanted)
    assert found is not None
    assert found.why is Why.UNWANTED

    await stage.store.subscriptions.add(rule)
    stage.world.pipelines.remove(gone)
    kept = await stage.store.news.get(PipelineId(gone.id))
    await stage.store.news.save(PipelineId(gone.id), kept.model_copy(update={"may_tell_more": True, "pipeline": None}))
    while await stage.news.look(PipelineId(gone.id)):
        pass
    found = await reason(stage, gone)
    assert found is not None
    assert found.why is Why.GIVEN_UP


async def test_builds_beyond_what_is_read_back_are_known_to_be_missed(stage: Stage) -> None:
    first = stage.push("green", age=LONG)
    await stage.subscribes()
    for _ in range(40):
        stage.world.trigger(SLUG, branch=MAIN, parameters={}, by="push")
    stage.circleci.page_size = 2
    await stage.lists.look(SLUG)
    missed = first.number + 40 - 2 * PAGES[-1]
    found = [await stage.store.told.gap(SLUG, number) for number in (first.number, missed, missed + 1)]
    assert [one is not None for one in found] == [False, True, False]
