"""How soon a build is looked at again after somebody acted on it, and where webhooks tell of it."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.models.build import Build
from bot.settings import Settings
from bot.watching.schedule import YOUNG
from tests.store.test_watches import PIPELINE
from tests.watching.test_trouble import START, Stage, build, stage

__all__ = ["stage"]
OLD = timedelta(minutes=50)


@pytest.fixture
def settings() -> Settings:
    token, secret = SecretStr("x"), SecretStr("webhook-secret")
    return Settings(
        slack_bot_token=SecretStr("xoxb-1"), circleci_token=token, circleci_webhook_secret=secret, history_builds=0
    )


@pytest.mark.parametrize(("status", "before"), [("on_hold", 60), ("running", 30)])
async def test_after_an_act_it_is_as_young_as_one_just_started(stage: Stage, status: str, before: float) -> None:
    await stage.looks(build(status, age=OLD))
    await stage.store.watches.again(PIPELINE, YOUNG)
    await stage.looks(build(status, age=OLD), 2)
    await stage.store._connection.redis.delete(f"ci:young:{PIPELINE}")
    await stage.looks(build(status, age=OLD))
    assert stage.pauses == [before, 5, 5, before]


async def test_a_rerun_that_does_not_show_yet_is_looked_for(stage: Stage) -> None:
    await stage.looks(build("success"))
    assert await stage.looks(build("success", age=OLD)) is None
    await stage.store.watches.again(PIPELINE, YOUNG)
    assert await stage.looks(build("success", age=OLD), 2) == timedelta(seconds=5)
    assert PIPELINE in await stage.store.watches.watching()


def half_done(age: timedelta) -> Build:
    """Return a build of which one workflow has passed at the start."""
    (running,), (passed,) = build("running").runs, build("success").runs
    passed = passed.model_copy(update={"workflow": passed.workflow.model_copy(update={"id": "w0", "name": "lint"})})
    return build(age=age).model_copy(update={"runs": (passed, running)})


async def test_while_webhooks_arrive_a_look_a_minute_is_enough_until_one_is_missed(stage: Stage) -> None:
    slug, hooks = "gh/acme/frontend", stage.store.hooks
    await stage.looks(half_done(timedelta(seconds=40)))
    await hooks.heard([slug], START)
    await stage.looks(half_done(timedelta(seconds=40)), 2)
    await hooks.missed(slug)
    await hooks.heard([slug], START - timedelta(minutes=1))
    await stage.looks(half_done(timedelta(seconds=25)))  # it may be on its way
    await stage.looks(half_done(timedelta(seconds=40)), 2)
    await hooks.heard([slug], START)
    await stage.looks(half_done(timedelta(seconds=40)))
    assert stage.pauses == [5, 60, 60, 60, 5, 5, 60]


async def test_a_webhook_of_what_a_look_under_way_has_seen_asks_circleci_for_nothing(stage: Stage) -> None:
    await stage.looks(build("success"))
    (end,) = stage.pauses
    (run,) = build("success").runs
    about = f'"pipeline": {{"id": "{PIPELINE}"}}, "workflow": {{"id": "{run.workflow.id}"}}'
    webhook = f'{{"id": "e", "type": "workflow-completed", "happened_at": "{START.isoformat()}", {about}}}'
    stage.far_side.known.clear()
    await stage.store.watches.announce(PIPELINE, webhook)
    await stage.looks(build("success"))
    assert stage.far_side.known == []
    assert end - 1 < stage.pauses[-1] <= end  # what it waits for is not put off
    await stage.store.watches.announce(PIPELINE, webhook)
    await stage.store.watches.again(PIPELINE, YOUNG)  # somebody pressed a button besides
    await stage.looks(build("success"))
    assert len(stage.far_side.known) == 1


@pytest.mark.parametrize("is_about_jobs", [True, False])
async def test_news_that_the_jobs_do_not_tell_is_looked_for_in_the_list_of_workflows(
    stage: Stage, is_about_jobs: bool
) -> None:
    seen = build().model_copy(update={"listed_at": START})
    await stage.looks(seen)
    await stage.looks(seen)
    assert stage.far_side.known[-1] == seen
    await stage.store.watches.announce(PIPELINE, "{}")
    stage.far_side.known.clear()
    await stage.looks(half_done(OLD).model_copy(update={"listed_at": START}) if is_about_jobs else seen)
    assert [known and known.listed_at for known in stage.far_side.known] == [START, *([] if is_about_jobs else [None])]
    await stage.store.watches.again(PIPELINE, YOUNG)  # a rerun shows there alone
    stage.far_side.known.clear()
    await stage.looks(build())
    assert [known and known.listed_at for known in stage.far_side.known] == [None]
