"""What stands between two builds of a red branch: a snooze, which is silent about all but its repair, and its end."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from bot.budgets import Budget
from bot.errors import CircleCIError, Rejected, Unavailable
from bot.messenger import Messenger
from bot.models.circleci import ProjectSlug
from bot.models.red import Branch
from bot.models.slack import utc_now
from bot.models.subscription import Fitting
from bot.slack_calls import SlackBudgets
from bot.store.subscriptions import MOST_BRANCHES
from bot.watching.operator import Operator
from bot.watching.roots import GIVEN_UP, Roots
from formatters.links import Links
from tests.watching.test_branches import build
from tests.watching.test_events import job, with_jobs
from tests.watching.test_occasions import waiting
from tests.watching.test_telling import GREEN, OF_BRANCHES, STILL, Stage, of_two

__all__ = ["stage"]
from tests.watching.test_telling import stage

SLUG = ProjectSlug("gh/acme/backend")
OVER = "The snooze is over, and main of acme/backend is still red."
SURELY = "main of acme/backend is red since #1"
OUT = Unavailable("it does not answer")
STANDS = f"{SURELY} or before"


async def snoozed(stage: Stage, until: timedelta, key: str = "main", **more: Any) -> Branch:
    fields = {"snoozed_until": utc_now() + until, "snoozed_by": "ada", **more}
    return await stage.store.subscriptions.know("C0DEPLOYS", SLUG, key, lambda kept: kept.model_copy(update=fields))


def roots(stage: Stage) -> Roots:
    return Roots(stage.store, stage.messenger, stage.telling, Links())


async def test_a_snoozed_branch_is_told_of_by_its_message_alone_until_it_is_fixed(stage: Stage) -> None:
    await stage.subscribes(events=OF_BRANCHES)
    await stage.judged(build(1))
    await snoozed(stage, timedelta(hours=1))
    await stage.judged(build(2))
    (root,) = stage.channel().roots
    assert (root.replies, "3 red builds" in root.visible, "Snoozed by ada until" in root.visible) == ([], False, True)
    assert "2nd red build" in root.visible
    await stage.judged(build(3, "success"), build(4), build(5))
    again = "main of acme/backend is red since #4 or before"
    assert stage.texts() == [GREEN, GREEN, again, STILL]


async def test_at_its_time_one_line_says_that_it_is_still_red(stage: Stage) -> None:
    await stage.subscribes(events=OF_BRANCHES)
    await stage.judged(build(1))
    state = await snoozed(stage, timedelta(hours=1))
    left = await roots(stage).end_snooze("C0DEPLOYS", "gh/acme/old-name", "main")
    assert left is not None
    assert timedelta(minutes=59) < left < timedelta(minutes=61)
    await snoozed(stage, timedelta(seconds=-1))
    stage.slack.refuse("chat.postMessage", "service_unavailable")
    assert await roots(stage).end_snooze("C0DEPLOYS", state.project_slug, "main")
    for _ in range(2):
        assert await roots(stage).end_snooze("C0DEPLOYS", state.project_slug, "main") is None
    await stage.judged(build(2))
    assert stage.texts() == [STANDS, OVER, STILL]
    assert "Still red after the snooze by ada" in stage.channel().roots[0].visible


@pytest.mark.parametrize(
    "state",
    [
        {"red_since": 0, "snoozed_until": None},
        {"snoozed_until": None},
        {"snoozed_until": utc_now() - GIVEN_UP - timedelta(hours=1)},
    ],
)
async def test_of_what_is_no_snooze_any_more_nothing_is_said(stage: Stage, state: dict[str, Any]) -> None:
    await stage.subscribes()
    await stage.judged(build(1))
    await snoozed(stage, timedelta(seconds=-1), **state)
    assert await roots(stage).end_snooze("C0DEPLOYS", SLUG, "main") is None
    assert stage.texts() == [STANDS]


async def test_without_a_thread_the_channel_is_told(stage: Stage) -> None:
    await stage.subscribes(events=["fixed"])
    await stage.judged(build(1))
    await snoozed(stage, timedelta(seconds=-1))
    assert await roots(stage).end_snooze("C0DEPLOYS", SLUG, "main") is None
    assert stage.texts() == [OVER]


async def test_where_slack_takes_no_line_any_more_its_message_says_so_all_the_same(stage: Stage) -> None:
    await stage.subscribes()
    await stage.judged(build(1))
    for ago, code in ((timedelta(seconds=1), "is_archived"), (GIVEN_UP + timedelta(hours=1), "")):
        await snoozed(stage, -ago, snoozed_by=f"ada{code}")
        if code:
            stage.slack.refuse("chat.postMessage", code)
        assert await roots(stage).end_snooze("C0DEPLOYS", SLUG, "main") is None
        assert f"Still red after the snooze by ada{code}, until" in stage.channel().roots[0].visible
    assert stage.texts() == [STANDS]


async def test_what_ends_late_of_a_snoozed_branch_is_not_posted_either(stage: Stage) -> None:
    await stage.subscribes(events=OF_BRANCHES)
    await stage.judged(build(2))
    await snoozed(stage, timedelta(hours=1))
    await stage.judged(build(3), build(1, "success"))
    assert [one.replies for one in stage.channel().roots] == [[]]


async def test_what_else_a_build_is_news_of_waits_for_the_end_of_the_snooze(stage: Stage) -> None:
    await stage.subscribes(events=["broke", "waiting", "deployed"])
    stage.far_side.has(build(1))
    await stage.judged(build(1))
    await snoozed(stage, timedelta(hours=1))
    deployed = with_jobs(build(2), job("deploy-prod", number=7))
    stage.far_side.has(deployed)
    await stage.judged(deployed)
    held = waiting("on_hold")
    assert await stage.telling.waits(held) is None
    assert [one.replies for one in stage.channel().roots] == [[]]
    await snoozed(stage, timedelta(seconds=-1))
    assert await stage.telling.waits(held) is None
    assert ["Waiting for approval" in one.visible for one in stage.channel().roots[0].replies] == [True]


@pytest.mark.parametrize("left", [None, ["broke"], ["waiting", "passed"]])
async def test_what_waits_ends_with_the_last_rule_that_would_say_what_became_of_it(
    stage: Stage, left: list[str] | None
) -> None:
    """Whatever else the channel hears of that branch; other channels go on."""
    rule = await stage.subscribes(events=["waiting", "deployed"], branches=["m*"])
    await stage.subscribes(events=["waiting"], channel_id="C0RELEASES")
    if left:
        await stage.subscribes(events=left)
    assert await stage.telling.waits(waiting("on_hold")) is None
    (message,), (other,) = stage.channel().messages, stage.channel("releases").messages
    await stage.store.subscriptions.remove(rule, forget=False)
    for _ in range(2):
        await roots(stage).forsake_unheard("C0DEPLOYS", SLUG, "acme/backend")
    goes_on = left is not None and "waiting" in left
    assert bool(message.buttons) is goes_on
    assert ("hold-1 waited for an approval" in message.visible) is not goes_on
    assert other.buttons
    assert len(stage.slack.calls_of("chat.update")) == (0 if goes_on else 1)
    assert await stage.telling.waits(waiting("success")) is None
    assert "was approved" in other.visible


async def test_what_still_waits_is_told_anew_once_its_rule_is_begun_anew(stage: Stage) -> None:
    """As often as that is, and each time once: what has ended cannot be pressed."""
    for nth in range(3):
        rule = await stage.subscribes(id=f"anew{nth}", events=["waiting"])
        for _ in range(2):
            assert await stage.telling.waits(waiting("on_hold")) is None
        messages = stage.channel().messages
        assert [bool(one.buttons) for one in messages] == [*[False] * nth, True]
        await stage.store.subscriptions.remove(rule, forget=False)
        assert await roots(stage).forsake_unheard("C0DEPLOYS", SLUG, "acme/backend") is None


@pytest.mark.parametrize(("told", "method"), [([], "chat.postMessage"), ([1], "chat.update")])
async def test_what_ends_while_it_is_being_told_has_ended_once_that_is_over(
    stage: Stage, told: list[int], method: str
) -> None:
    """Whether it was about to be posted or written anew; what is known of it is forgotten with it."""
    rule = await stage.subscribes(workflows=["dep*"])
    await stage.judged(*(of_two(number, "success", "failed") for number in told))
    answered, ways = asyncio.Event(), roots(stage)
    stage.slack.faults.add("POST", f"/api/{method}", until=answered)
    telling = asyncio.create_task(stage.telling.judged(of_two(2, "success", "failed")))
    while not (telling.done() or any(one.spoiled for one in stage.slack.faults.requests)):
        await stage.slack.pause(0.01)
    await stage.store.subscriptions.remove(rule, forget=False)
    ending = asyncio.create_task(ways.forsake_unheard("C0DEPLOYS", SLUG, "acme/backend"))
    await asyncio.sleep(0)
    answered.set()
    await asyncio.gather(telling, ending)
    (root,) = stage.channel().roots
    assert ("was red" in root.visible, root.buttons) == (True, [])
    assert await stage.store.subscriptions.known_of("C0DEPLOYS", SLUG) == []


async def test_what_becomes_red_in_a_snoozed_branch_is_silent_too_and_said_after_it(stage: Stage) -> None:
    """By whatever rule: the snooze is of the branch."""
    await stage.subscribes()
    await stage.subscribes(workflows=["deploy"], mention="S0ONCALL")
    await stage.subscribes(workflows=["tests"], events=["still-red"])
    stage.far_side.has(of_two(1, "failed", "success"), of_two(2, "failed", "failed"), of_two(3, "failed", "failed"))
    await stage.judged(of_two(1, "failed", "success"))
    await snoozed(stage, timedelta(hours=2))
    await stage.judged(of_two(2, "failed", "failed"))
    assert stage.texts() == [SURELY]
    await snoozed(stage, timedelta(seconds=-1))
    for _ in range(2):
        assert await roots(stage).end_snooze("C0DEPLOYS", SLUG, "main") is None
    broke = "The snooze is over, and main (workflow=deploy) of acme/backend became red in it."
    assert stage.texts() == [SURELY, OVER, broke]
    await stage.judged(of_two(3, "failed", "failed"))
    *_, called, one, other = stage.channel().roots
    told = {one.text.partition(" of ")[0], other.text.partition(" of ")[0]}
    assert told == {"main (workflow=deploy)", "main (workflow=tests)"}
    assert ["S0ONCALL" in each.visible for each in (called, one, other)] == [True, False, False]


async def test_who_is_to_be_called_is_called_by_what_says_first_that_it_broke_in_a_snooze(stage: Stage) -> None:
    """Which is the next failure, where the end of the snooze has not said it."""
    await stage.subscribes()
    await stage.subscribes(workflows=["deploy"], mention="S0ONCALL")
    await stage.judged(of_two(1, "failed", "success"))
    await snoozed(stage, timedelta(hours=2))
    await stage.judged(of_two(2, "failed", "failed"))
    await snoozed(stage, timedelta(seconds=-1))
    await stage.judged(of_two(3, "failed", "failed"))
    assert await roots(stage).end_snooze("C0DEPLOYS", SLUG, "main") is None
    said = [one for one in stage.channel().messages if one.text.startswith("main (workflow=deploy)")]
    assert ["S0ONCALL" in one.visible for one in said] == [True]


async def test_what_was_red_before_it_was_asked_for_is_none_that_broke_in_a_snooze(stage: Stage) -> None:
    """Neither of the branch nor of another project of the channel, also where the snoozed one is forgotten."""
    plain = await stage.subscribes(events=OF_BRANCHES)
    await stage.judged(build(1))
    await snoozed(stage, timedelta(hours=1))
    other = ProjectSlug("gh/acme/frontend")
    of = {"project_slug": other, "project_title": "acme/frontend", "workflows": ["build"]}
    for rule, one in (
        (await stage.subscribes(**of, made_at=utc_now()), build(7, project_slug=other, id="f7")),
        (await stage.subscribes(workflows=["build"], made_at=utc_now()), build(1)),
    ):
        stage.far_side.has(one)
        assert await stage.telling.was_there(one, {rule.mark}) is None
    await snoozed(stage, timedelta(seconds=-1))
    for _ in range(2):
        assert await roots(stage).end_snooze("C0DEPLOYS", SLUG, "main") is None
        await stage.store.subscriptions.remove(plain)
    assert stage.texts() == [STANDS, OVER]


@pytest.mark.parametrize("is_of_all", [True, False])
async def test_what_is_snoozed_of_a_branch_alone_leaves_the_rest_awake(stage: Stage, is_of_all: bool) -> None:
    """A press on a message of some workflows means these; who types the branch means all of it."""
    await stage.subscribes(workflows=["deploy"])
    await stage.subscribes(workflows=["tests"])
    stage.far_side.has(of_two(1, "success", "failed"), of_two(2, "failed", "failed"))
    await stage.judged(of_two(1, "success", "failed"))
    await snoozed(stage, timedelta(hours=1), key="main workflow=deploy", is_of_all=is_of_all)
    await stage.judged(of_two(2, "failed", "failed"))
    told = [one.partition(" of ")[0] for one in stage.texts()]
    assert told == ["main (workflow=deploy)", *([] if is_of_all else ["main (workflow=tests)"])]


async def test_what_was_deployed_in_a_snooze_is_left_out_also_when_it_runs_again(stage: Stage) -> None:
    await stage.subscribes(events=["broke", "deployed"])
    bad = [with_jobs(build(2, "failed", n), job("deploy", number=3), job("e2e", "failed", 3 + n)) for n in (1, 2)]
    stage.far_side.has(with_jobs(build(1), job("test", "failed", 1)), bad[0])
    await stage.judged(build(1))
    await snoozed(stage, timedelta(hours=1))
    await stage.judged(build(2))
    await snoozed(stage, timedelta(seconds=-1))
    stage.far_side.has(bad[1])
    await stage.judged(build(2, "failed", 2))
    assert stage.texts() == [SURELY]


@pytest.mark.parametrize("how", ["it is pressed", "a build failed"])
async def test_what_has_no_turn_to_be_written_anew_is_shown_later(stage: Stage, operator: Operator, how: str) -> None:
    """Also where another process had spent the turns."""
    await stage.subscribes()
    await stage.judged(build(1))
    (root,) = stage.channel().roots
    turns, token = stage.store.turns, SecretStr(stage.slack.bot_token)
    updates = Budget(turns, "updates")
    budgets = SlackBudgets(Budget(turns, "posts"), updates, Budget(turns, "slack"))
    async with Messenger(token=token, api_url=stage.slack.url, budgets=budgets) as messenger:
        busy = Stage(stage.slack, stage.store, messenger, operator)
        await updates.pause(timedelta(hours=1))
        if how == "it is pressed":
            await roots(busy).show(await snoozed(stage, timedelta(hours=1)))
        else:
            await busy.judged(build(2))
        await roots(busy).show_late()
        assert root.edited_ts is None
    shown = "Snoozed by ada until" if how == "it is pressed" else "2nd red build"
    await roots(stage).show_late()
    assert shown in root.visible
    edited = root.edited_ts
    await roots(stage).show_late()
    assert root.edited_ts == edited


async def test_what_slack_or_circleci_refuses_for_a_moment_is_shown_later_unless_it_is_green_by_then(
    stage: Stage,
) -> None:
    await stage.subscribes()
    await stage.judged(build(1))
    (root,) = stage.channel().roots
    stage.slack.refuse("chat.update", "service_unavailable", times=2)
    await roots(stage).show(await snoozed(stage, timedelta(hours=1)))
    await roots(stage).show_late()
    assert "Snoozed" not in root.visible
    await stage.judged(build(2, "success"))
    edited = root.edited_ts
    await roots(stage).show_late()
    assert (root.edited_ts, await stage.store.unshown.all(utc_now())) == (edited, [])


@pytest.mark.parametrize(
    ("refusal", "most"),
    [("is_archived", 1), ("unheard_of", 2), ("service_unavailable", 2), (Rejected(404, "gone"), 1), (OUT, 2)],
)
async def test_what_is_refused_each_time_is_tried_ever_more_rarely_and_for_good_not_any_more(
    stage: Stage, refusal: str | CircleCIError, most: int
) -> None:
    await stage.subscribes(events=OF_BRANCHES)
    await stage.judged(build(1))
    if isinstance(refusal, str):
        stage.slack.refuse("chat.update", refusal, times=100)
    else:
        stage.far_side.refuses = refusal
        await snoozed(stage, timedelta(hours=1), fingerprint="of what is kept no more")
    state = await snoozed(stage, timedelta(hours=1))
    await roots(stage).show(state)
    for _ in range(20):
        await roots(stage).show_late()
    edits = len(stage.slack.calls_of("chat.update")) if isinstance(refusal, str) else stage.far_side.refused
    left = await stage.store.unshown.all(utc_now())
    assert (edits, bool(left)) == (most, most > 1)


async def test_of_too_many_red_branches_the_message_of_one_that_is_forgotten_says_so(stage: Stage) -> None:
    """What has no message goes first; what it says is true also where Slack takes it later, or another one stands."""
    await stage.subscribes(branches=["*"])
    await stage.judged(*(build(number, vcs={"branch": f"b{number}"}) for number in (1, 2)))
    one, two = stage.channel().roots
    kept = stage.store.subscriptions

    async def red(number: int, **more: object) -> None:
        names = {"channel_id": "C0DEPLOYS", "project_slug": SLUG, "branch": f"b{number}"}
        state = Branch.model_validate({**names, "red_since": number, "number": number, **more})
        await kept.know("C0DEPLOYS", SLUG, state.branch, lambda _: state)

    for number in range(3, MOST_BRANCHES):
        await red(number, root_ts=f"{number}.1")
    await red(501)
    await red(502, root_ts="502.1")  # in the place of that without a message
    await roots(stage).show_late()
    assert not one.edited_ts
    await red(503, root_ts="503.1")
    stage.slack.refuse("chat.update", "service_unavailable")
    for _ in range(2):
        await roots(stage).show_late()
    assert one.text.startswith("b1 of acme/backend was red since #1. More branches of the project are red here")
    assert one.buttons == []
    assert not two.edited_ts
    assert await stage.store.unshown.forgotten() == {}


async def test_what_a_run_died_over_ends_with_its_last_subscription(stage: Stage) -> None:
    rule = await stage.subscribes()
    await stage.dies_over(build(1))
    assert await stage.store.subscriptions.remove(rule, forget=False)
    await roots(stage).forsake_unheard("C0DEPLOYS", SLUG, "acme/backend")
    (root,) = stage.channel().roots
    assert root.text.startswith("main of acme/backend was red since #1. No subscription")
    assert root.buttons == []


async def test_a_press_on_what_a_run_has_posted_and_died_over_does_not_end_it(stage: Stage) -> None:
    """But one on what was left of before does."""
    await stage.subscribes(events=OF_BRANCHES)
    await stage.judged(build(1))
    (old,) = stage.channel().roots
    await stage.store.subscriptions.forget("C0DEPLOYS", SLUG, "main")
    await stage.dies_over(build(2))
    new, pressed = stage.channel().roots[-1], Branch(channel_id="C0DEPLOYS", project_slug=SLUG, branch="main")
    for number, root in enumerate((old, new), 1):
        of_message = {"red_since": number, "root_ts": root.ts}
        await roots(stage).end_left(pressed.model_copy(update=of_message), "acme/backend")
    await stage.judged(build(2))
    assert (old.buttons, "was red" in old.visible) == ([], True)
    assert new.buttons
    assert new.text.startswith("main of acme/backend is red since #2")


async def test_messages_that_have_no_turn_or_are_not_taken_end_a_little_later(stage: Stage) -> None:
    """Also where somebody has subscribed anew meanwhile, to whom they are nothing."""
    rule, ways, names = await stage.subscribes(branches=["*"]), roots(stage), ["a", "b", "c"]
    await stage.judged(*(build(number, vcs={"branch": name}) for number, name in enumerate(names, 1)))
    await stage.store.subscriptions.remove(rule, forget=False)
    limited = {"ok": False, "error": "ratelimited"}
    wait = {"Retry-After": "40"}
    stage.slack.faults.add("POST", "/api/chat.update", status=429, headers=wait, body=limited, spare=1)
    assert await ways.forsake_unheard("C0DEPLOYS", SLUG, "acme/backend") == timedelta(seconds=40)
    await stage.subscribes(branches=["*"], made_at=utc_now())
    assert await stage.store.subscriptions.known_of("C0DEPLOYS", SLUG) == []
    stage.slack.faults.add("POST", "/api/chat.update", status=503)
    assert await ways.forsake_unheard("C0DEPLOYS", SLUG, "acme/backend") is not None
    assert await ways.forsake_unheard("C0DEPLOYS", SLUG, "acme/backend") is None
    assert [("was red" in one.visible, one.buttons) for one in stage.channel().roots] == [(True, [])] * 3
    assert await stage.store.subscriptions.orphans.all() == []


async def test_a_message_ends_that_another_one_is_about_once_its_project_is_called_otherwise(stage: Stage) -> None:
    """Somebody subscribed under the new name before the rename was noticed."""
    old = await stage.subscribes(project_slug="gh/acme/old", project_title="acme/old")
    await stage.judged(build(1, project_slug="gh/acme/old"))
    await stage.subscribes(id="snew", events=OF_BRANCHES)
    await stage.judged(build(2))
    await stage.store.subscriptions.is_by_now(old, SLUG, "acme/backend", "main")
    (one,) = await stage.store.subscriptions.orphans.all()
    assert await roots(stage).forsake_unheard(one.state.channel_id, ProjectSlug("gh/acme/old"), one.title) is None
    first, second = stage.channel().roots
    assert ("Another message here is about it by now" in first.visible, first.buttons) == (True, [])
    assert "is red" in second.visible
    assert second.buttons


async def test_messages_about_a_project_that_a_pattern_means_no_more_end(stage: Stage) -> None:
    rule = await stage.subscribes(pattern="acme/ba*", project_slug="acme/ba*", project_title="acme/ba*")
    await stage.store.subscriptions.fit([Fitting(slug=SLUG, title="acme/backend", default_branch="main")], [rule])
    await stage.judged(build(1))
    (here,) = await stage.store.subscriptions.of_project(SLUG)
    await stage.store.subscriptions.is_by_now(here, ProjectSlug("gh/acme/web"), "acme/web", "main")
    assert await roots(stage).forsake_unheard("C0DEPLOYS", SLUG, "acme/backend") is None
    (root,) = stage.channel().roots
    assert ("was red" in root.visible, root.buttons) == (True, [])
