"""Why a channel is told of a build, or is not, is written down where that is decided."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.errors import NotAllowed
from bot.models.build import Build
from bot.models.circleci import ProjectSlug
from bot.models.red import Branch
from bot.models.slack import utc_now
from bot.models.subscription import Event
from bot.models.told import Reason, Why
from bot.watching.branches import would_be
from bot.watching.noting import MOST_BEFORE
from bot.watching.pausing import MOST_DENIALS
from tests.watching.test_branches import build
from tests.watching.test_events import job, with_jobs
from tests.watching.test_occasions import waiting
from tests.watching.test_roots import snoozed
from tests.watching.test_telling import OF_BRANCHES, Stage, of_two, stage

__all__ = ["stage"]
SLUG, TAG = ProjectSlug("gh/acme/backend"), {"tag": "v2.0", "revision": "9f1c2d7a"}


async def reason(stage: Stage, one: Build) -> Reason:
    found = await stage.store.told.get(one.pipeline.id, channel_id="C0DEPLOYS")
    assert found is not None
    return found


async def why(stage: Stage, one: Build) -> Why:
    return (await reason(stage, one)).why


async def test_that_it_was_told_names_the_message_and_stays(stage: Stage) -> None:
    await stage.subscribes()
    stage.slack.refuse("chat.postMessage", "service_unavailable")
    await stage.is_put_off(build(1))
    found = await reason(stage, build(1))
    assert (found.why, found.code) == (Why.PUT_OFF, "service_unavailable")
    await stage.judged(build(1), build(1), build(2), build(1))
    (root,) = stage.channel().roots
    assert (await reason(stage, build(1))).ts == root.ts


async def test_what_is_not_asked_for_is_no_news_or_older_says_so(stage: Stage) -> None:
    await stage.subscribes()
    await stage.judged(build(2), build(3), build(1))
    found = [await reason(stage, build(number)) for number in (3, 1)]
    assert [(one.why, one.happened, one.newest) for one in found] == [
        (Why.NOT_ASKED, "still-red", 0),
        (Why.OLDER, "", 3),
    ]


async def test_a_snooze_and_a_thread_of_the_channel_say_so(stage: Stage) -> None:
    await stage.subscribes(events=OF_BRANCHES)
    await stage.judged(build(1))
    await snoozed(stage, timedelta(hours=1))
    await stage.judged(build(2))
    assert await why(stage, build(2)) is Why.SNOOZED


async def refused(stage: Stage) -> None:
    stage.slack.refuse("chat.postMessage", "is_archived")


async def hidden(stage: Stage) -> None:
    stage.door.refuses = NotAllowed("U0ADA", "read", "web")
    for _ in range(MOST_DENIALS - 1):
        await stage.is_put_off(build(1))
    assert await why(stage, build(1)) is Why.UNSURE


@pytest.mark.parametrize(("trouble", "expected"), [(refused, Why.REFUSED), (hidden, Why.HIDDEN)])
async def test_why_a_rule_pauses_is_that_of_its_build(
    stage: Stage, trouble: Callable[[Stage], Awaitable[None]], expected: Why
) -> None:
    await stage.subscribes()
    await trouble(stage)
    await stage.judged(build(1))
    assert await why(stage, build(1)) is expected


RED = Branch(channel_id="C", project_slug=SLUG, branch="main", red_since=2, number=3)
SNOOZED = RED.model_copy(update={"snoozed_until": utc_now() + timedelta(hours=1)})
GREEN = RED.model_copy(update={"red_since": 0})


@pytest.mark.parametrize(
    ("state", "one", "expected"),
    [
        (GREEN, build(4), (Why.TOLD, "broke")),
        (RED, build(4), (Why.TOLD, "still-red")),  # of which nothing was said
        (RED.model_copy(update={"was_said": True}), build(4), (Why.NOT_ASKED, "still-red")),
        (RED, build(4, "success"), (Why.TOLD, "fixed")),
        (SNOOZED, build(4, "success"), (Why.TOLD, "fixed")),
        (RED, build(4, "running"), (Why.AWAITED, "")),
        (RED, build(4, "canceled"), (Why.NO_NEWS, "")),
    ],
)
def test_what_would_be_decided_now(state: Branch, one: Build, expected: tuple[Why, str]) -> None:
    found = would_be(state, one, (Event.BROKE, Event.FIXED), utc_now())
    assert (found.why, found.happened) == expected


def test_what_is_snoozed_would_not_be_said() -> None:
    assert would_be(SNOOZED, build(4), tuple(Event), utc_now()).why is Why.SNOOZED


async def test_what_else_it_was_told_for_is_that_it_was_told(stage: Stage) -> None:
    await stage.subscribes(events=["deployed"])
    deployed = with_jobs(build(1), job("deploy-prod", number=7))
    stage.far_side.has(deployed)
    await stage.judged(deployed)
    found = await reason(stage, build(1))
    (message,) = stage.channel().messages
    assert (found.why, found.ts, found.before) == (Why.TOLD, message.ts, ())


async def test_each_message_about_a_build_is_kept_the_newest_first_and_the_last_few_alone(stage: Stage) -> None:
    """What breaks a branch, what is told below that, and what waited before it."""
    await stage.subscribes(events=["broke", "waiting", "deployed"])
    await stage.telling.waits(waiting("on_hold"))
    stage.far_side.has(with_jobs(build(1), job("deploy-prod", number=7)))
    await stage.judged(build(1))
    waits, root, deployed = sorted(one.ts for one in stage.channel().messages)
    found = await reason(stage, build(1))
    assert (found.ts, found.before) == (deployed, (waits, root))
    for number in range(8, 11):
        stage.far_side.has(with_jobs(build(1, "failed", number), job("deploy-prod", number=number)))
        await stage.judged(build(1, "failed", number))
    newest = sorted(one.ts for one in stage.channel().messages)[-1 - MOST_BEFORE :]
    found = await reason(stage, build(1))
    assert [*found.before, found.ts] == newest


async def test_each_message_is_kept_with_which_builds_of_the_branch_it_is_about(stage: Stage) -> None:
    await stage.subscribes()
    await stage.subscribes(workflows=["deploy"])
    both = of_two(1, "failed", "failed")
    await stage.judged(both)
    found = await reason(stage, both)
    assert [found.known_as[ts] for ts in (*found.before, found.ts)] == ["main", "main workflow=deploy"]


async def test_each_attempt_of_a_tag_names_its_message(stage: Stage) -> None:
    await stage.subscribes(branches=["tag:v*"])
    for one in (build(1, vcs=TAG), build(1, "success", 2, vcs=TAG)):
        await stage.judged(one, one)
    first, second = (one.ts for one in stage.channel().messages)
    found = await reason(stage, build(1))
    assert (found.ts, found.before) == (second, (first,))


async def test_a_tag_that_nobody_wants_to_hear_of_says_so(stage: Stage) -> None:
    await stage.subscribes(branches=["tag:v*"], events=["passed"])
    await stage.judged(build(1, vcs=TAG))
    assert await why(stage, build(1)) is Why.NOT_ASKED
    await stage.judged(build(2, "success", vcs=TAG))
    assert await why(stage, build(2)) is Why.TOLD
