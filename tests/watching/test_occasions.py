"""Channels that want to hear more of builds than how their branch stands: each occasion is told once."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.models.build import Build, Ended, approval_claim
from bot.models.circleci import ProjectSlug
from bot.models.occasions import Failure
from bot.models.subscription import Event, Mode
from bot.triage import keeping
from formatters import red, told_events
from formatters.links import Links
from playground.slack.conversations import Message
from tests.watching.test_branches import build
from tests.watching.test_events import TAX, TOTAL, in_minutes, job, reported, results, with_jobs

# ruff: noqa: F811  # the fixture is the one of those tests
from tests.watching.test_telling import Stage, stage  # noqa: F401

SLUG, MINUTE = ProjectSlug("gh/acme/backend"), timedelta(minutes=1)


def first_line(message: Message) -> str:
    return str(message.blocks[0]["text"]["text"])


def waiting(*statuses: str) -> Build:
    """Return a build that is on hold as long as one of its approvals is."""
    holds = [
        job(f"hold-{nth}", status, nth, type="approval", approval_request_id=f"a{nth}", job_number=None)
        for nth, status in enumerate(statuses, start=1)
    ]
    return with_jobs(build(1, "on_hold" if "on_hold" in statuses else "running"), *holds)


async def test_what_waits_is_one_message_that_says_what_became_of_it(stage: Stage) -> None:
    await stage.subscribes(events=["waiting"])
    await stage.subscribes(channel_id="C0RELEASES", events=["failed"])
    for statuses in (["on_hold"], ["on_hold"]):
        assert await stage.telling.waits(waiting(*statuses)) is None
    (message,) = stage.channel().messages
    assert message.element("Approve hold-1")
    assert "Waiting for approval" in first_line(message)
    assert await stage.telling.waits(waiting("success", "on_hold")) is None
    first, second = stage.channel().messages
    assert ("was approved" in first_line(first), "[ " in first.visible) == (True, False)
    assert second.element("Approve hold-2")
    stage.far_side.has(waiting("success", "canceled"))
    await stage.judged(build(1, "canceled"))
    assert "waits for no approval any more" in first_line(second)
    assert stage.texts("releases") == []


async def test_who_approved_it_here_is_named_and_nobody_else_is(stage: Stage) -> None:
    await stage.subscribes(events=["waiting"])
    await stage.telling.waits(waiting("on_hold", "on_hold"))
    await stage.store.claims.claim(approval_claim("w1.1", "a1"), "D1|U0ADA")
    await stage.telling.waits(waiting("success", "success"))
    (message,) = stage.channel().messages
    assert "hold-1 was approved by ada (build)" in message.visible
    assert "hold-2 was approved (build)" in message.visible
    assert "<@" not in str(message.blocks)


async def test_whom_a_rule_mentions_is_called_by_what_waits_once_and_by_no_other_rule(stage: Stage) -> None:
    await stage.subscribes(events=["waiting", "deployed"], mention="S0RELEASE")
    await stage.subscribes(events=["waiting"], branches=["*"], mention="U0GRACE")
    await stage.subscribes(events=["broke"], mention="S0ONCALL")
    await stage.telling.waits(waiting("on_hold"))
    (message,) = stage.channel().messages
    assert first_line(message).endswith(" <!subteam^S0RELEASE> <@U0GRACE>")
    (hold,) = waiting("on_hold").runs[0].holds
    assert [await stage.pings.is_called(hold, one) for one in ("U0GRACE", "U0ADA", "S0RELEASE")] == [True, False, False]
    await stage.telling.waits(waiting("success"))
    assert "<" not in first_line(message).partition("hold-1")[2]


async def test_what_waits_in_somebodys_direct_messages_waits_for_them(stage: Stage) -> None:
    await stage.subscribes(events=["waiting"], channel_id=stage.slack.workspace.open_im("U0ADA").id)
    await stage.telling.waits(waiting("on_hold"))
    (hold,) = waiting("on_hold").runs[0].holds
    assert [await stage.pings.is_called(hold, one) for one in ("U0ADA", "U0GRACE")] == [True, False]


async def test_who_is_not_there_is_not_called_by_what_waits(stage: Stage) -> None:
    await stage.subscribes(events=["waiting"], mention="U0GRACE", channel_id="C0WARROOM")
    await stage.telling.waits(waiting("on_hold"))
    (hold,) = waiting("on_hold").runs[0].holds
    assert "<@" not in first_line(stage.channel("war-room").messages[0])
    assert not await stage.pings.is_called(hold, "U0GRACE")


async def test_a_rule_of_another_workflow_leaves_alone_what_it_does_not_see(stage: Stage) -> None:
    for workflows in (["build"], ["tests"]):
        await stage.subscribes(events=["waiting"], workflows=workflows)
    on_hold = waiting("on_hold")
    (run,) = on_hold.runs
    other = run.model_copy(
        update={"workflow": run.workflow.model_copy(update={"id": "t", "name": "tests"}), "jobs": (job("unit"),)}
    )
    for _ in range(2):
        assert await stage.telling.waits(on_hold.model_copy(update={"runs": (run, other)})) is None
    (message,) = stage.channel().messages
    assert message.element("Approve hold-1")


async def test_a_message_about_what_waits_that_is_gone_is_no_loss(stage: Stage) -> None:
    await stage.subscribes(events=["waiting"])
    await stage.telling.waits(waiting("on_hold"))
    stage.slack.refuse("chat.update", "message_not_found")
    assert await stage.telling.waits(waiting("success")) is None
    assert await stage.telling.waits(waiting("success")) is None
    assert len(stage.slack.calls_of("chat.update")) == 1


async def test_what_is_deployed_is_told_once_however_often_the_rest_runs_again(stage: Stage) -> None:
    await stage.subscribes(events=["deployed"])
    once, twice = job("deploy-prod", number=7), job("deploy-prod", number=8)
    for one, jobs in (
        (build(1), [once, job("e2e", "failed", 9)]),
        (build(1), [once, job("e2e", "failed", 9)]),
        (build(1, "success", 2), [once, job("e2e", number=10)]),
        (build(1, "success", 3), [twice]),
        (build(2, "success"), [job("lint")]),
        (build(3, "canceled"), [job("deploy-prod", number=30), job("e2e", "canceled", 31)]),
    ):
        stage.far_side.has(with_jobs(one, *jobs))
        await stage.judged(one)
    said = [first_line(one).partition(" · ")[2] for one in stage.channel().messages]
    assert said == [
        "acme/backend · *Deployed*: deploy-prod passed, though the build failed.",
        "acme/backend · *Deployed*: deploy-prod passed.",
        "acme/backend · *Deployed*: deploy-prod passed, though the build was cancelled.",
    ]


async def test_what_is_slow_is_told_beside_what_it_takes_as_a_rule(stage: Stage) -> None:
    await stage.subscribes(events=["slow"])
    for number, minutes in enumerate([6, 5, 6, 7, 6, 14, 14], start=1):
        one = with_jobs(in_minutes(number, minutes), job("test"))
        await stage.judged(one, one)
    said = [first_line(one).partition("*Slow*")[2] for one in stage.channel().messages]
    usual = "the median of the last {} that passed is 6 min."
    assert said == [f": passed in 14 min; {usual.format(builds)}" for builds in (5, 6)]


async def failed(stage: Stage, number: int, *tests: object, attempt: int = 1, **more: object) -> Build:
    """Let a build fail by these tests, as its threads have been told."""
    one, report = reported(number, *tests, **more)  # type: ignore[arg-type]
    one = build(number, "failed", attempt).model_copy(
        update={"runs": with_jobs(build(number, "failed", attempt), *one.runs[0].jobs).runs}
    )
    await stage.store.past.save_ended(Ended(build=one, report=report))
    return one


async def test_a_test_that_is_found_to_be_flaky_is_told_once_for_its_branch(stage: Stage) -> None:
    await stage.subscribes(events=["flaky"])
    await stage.judged(await failed(stage, 1, TOTAL, TAX))
    assert stage.texts() == []
    green = with_jobs(build(1, "success", 2), job("unit", number=12))
    await stage.store.past.save_job_results(SLUG, 12, results(TOTAL))
    await stage.judged(green, green)
    assert [first_line(one) for one in stage.channel().messages] == [
        "🎲 *main* · acme/backend · *1 flaky test*: total failed, and passed on the same commit (unit)."
    ]
    await stage.judged(await failed(stage, 2, TOTAL, flaky=[TOTAL, TAX]))
    assert [first_line(one).partition("*: ")[2] for one in stage.channel().messages[1:]] == [
        "tax failed, and passed on the same commit (unit)."
    ]


async def test_another_build_of_the_same_commit_says_so_too_and_one_of_another_does_not(stage: Stage) -> None:
    await stage.subscribes(events=["flaky"])
    await stage.judged(await failed(stage, 1, TOTAL))
    await stage.store.past.save_job_results(SLUG, 12, results(TOTAL))
    other = with_jobs(build(2, "success", vcs={"branch": "main", "revision": "aaaa"}), job("unit", number=12))
    await stage.judged(other)
    assert stage.texts() == []
    await stage.judged(with_jobs(build(3, "success"), job("unit", number=12)))
    (message,) = stage.channel().messages
    assert "total failed in #1, and passed in #3 on the same commit" in message.visible


@pytest.mark.parametrize(("mode", "roots"), [(Mode.THREAD, 1), (Mode.CHANNEL, 4)])
async def test_a_build_of_a_tag_is_one_message_whatever_it_is_news_of(stage: Stage, mode: Mode, roots: int) -> None:
    """One that fails, is rerun and passes, with all there is to hear of it."""
    await stage.subscribes(branches=["tag:v*"], events=[*Event], mode=mode)
    tag = {"pipeline": build(1, vcs={"tag": "v2.0", "revision": "9f1c2d7a"}).pipeline}
    broken = (await failed(stage, 1, TOTAL)).model_copy(update=tag)
    jobs = job("unit", number=12), job("deploy", number=13)
    green = with_jobs(build(1, "success", 2), *jobs).model_copy(update=tag)
    await stage.store.past.save_job_results(SLUG, 12, results(TOTAL))
    await stage.judged(broken, broken, green, green)
    assert len(stage.channel().roots) == roots
    below = "*Passed when it ran again", "🚀 *Deployed*: deploy passed", "🎲 *1 flaky test*: total failed"
    said = [first_line(one) for one in stage.channel().messages[1:]]
    assert len(said) == len(below)
    for line, expected in zip(said, below, strict=True):
        assert expected.strip("🚀🎲 ") in line
        assert ("tag:v2.0" in line) is (mode is Mode.CHANNEL)


async def test_a_flaky_test_is_named_with_its_job_and_the_build_in_which_it_failed(stage: Stage) -> None:
    one = with_jobs(build(3, "success"), job("unit"))
    tests = [
        Failure(workflow="build", job=name, key=key, name=key, number=number)
        for name, key, number in (("e2e", "cart", 3), ("unit", "total", 1), ("unit", "tax", 1), ("unit", "vat", 2))
    ]
    seen = red.Seen(one, None, "acme/backend", Links())
    assert told_events.flaky("main", seen=seen, tests=tests, is_apart=False).blocks[0]["text"]["text"] == (
        "🎲 *4 flaky tests*: total, tax failed in #1, and passed in #3 on the same commit (unit); "
        "vat failed in #2, and passed in #3 on the same commit (unit); "
        "cart failed, and passed on the same commit (e2e)."
    )


@pytest.mark.parametrize(("mode", "below"), [(Mode.THREAD, 1), (Mode.CHANNEL, 0)])
async def test_while_the_branch_is_red_it_stands_below_that_or_in_the_channel(
    stage: Stage, mode: Mode, below: int
) -> None:
    await stage.subscribes(events=["broke", "deployed"], mode=mode)
    stage.far_side.has(with_jobs(build(1), job("deploy")))
    await stage.judged(build(1))
    root = stage.channel().roots[0]
    assert len([one for one in root.replies if "Deployed" in one.visible]) == below
    assert len([one for one in stage.channel().roots if "Deployed" in one.visible]) == 1 - below


@pytest.mark.parametrize(("mode", "roots"), [(Mode.THREAD, 1), (Mode.CHANNEL, 4)])
async def test_what_else_the_build_is_news_of_that_repaired_a_branch_stands_below_that(
    stage: Stage, mode: Mode, roots: int
) -> None:
    await stage.subscribes(events=["broke", "fixed", "deployed", "flaky"], mode=mode)
    await stage.judged(await failed(stage, 1, TOTAL))
    await stage.store.past.save_job_results(SLUG, 12, results(TOTAL))
    green = with_jobs(build(1, "success", 2), job("unit", number=12), job("deploy", number=13))
    stage.far_side.has(green)
    await stage.judged(green)
    assert len(stage.channel().messages) == 4
    assert len(stage.channel().roots) == roots


@pytest.mark.parametrize(("mode", "roots"), [(Mode.THREAD, 1), (Mode.CHANNEL, 2)])
async def test_that_it_was_slow_stands_below_that_it_was_deployed(stage: Stage, mode: Mode, roots: int) -> None:
    await stage.subscribes(events=["deployed", "slow"], mode=mode)
    for number in range(1, 6):
        await stage.judged(with_jobs(in_minutes(number, 6), job("test")))
    slow = with_jobs(in_minutes(6, 14), job("deploy", number=60))
    await stage.judged(slow, slow)
    assert [one.text.rpartition("#6: ")[2].partition(":")[0] for one in stage.channel().messages] == [
        "Deployed",
        "Slow",
    ]
    assert len(stage.channel().roots) == roots


@pytest.mark.parametrize("lost", ["after", "before"])
async def test_what_is_cut_off_is_said_once(stage: Stage, lost: str) -> None:
    await stage.subscribes(events=["deployed", "waiting"])
    stage.far_side.has(with_jobs(build(1), job("deploy")))
    for tell in (stage.telling.judged, stage.telling.waits):
        one = build(1) if tell == stage.telling.judged else waiting("on_hold")
        stage.slack.faults.add("POST", "/api/chat.postMessage", drop=lost)
        while await tell(one):
            await stage.slack.pause(0.01)
        await tell(one)
    assert len(stage.channel().messages) == 2


async def test_what_comes_beside_what_a_run_died_over_is_a_message_of_its_own(stage: Stage) -> None:
    """By the next look another job waits too, and another one was deployed."""
    await stage.subscribes(events=["waiting", "deployed"], mode=Mode.CHANNEL)
    await stage.dies_over(waiting("on_hold"), stage.telling.waits)
    for statuses in (["on_hold", "on_hold"], ["success", "success"]):
        assert await stage.telling.waits(waiting(*statuses)) is None
    jobs = [job(f"deploy-{where}", number=number) for number, where in enumerate(("eu", "us"), start=7)]
    stage.far_side.has(with_jobs(build(1), jobs[0]))
    await stage.dies_over(build(1))
    stage.far_side.has(with_jobs(build(1, "success", 2), *jobs))
    await stage.judged(build(1, "success", 2))
    said = [
        one.visible.partition("backend · ")[2].partition("\n")[0].replace("*", "") for one in stage.channel().messages
    ]
    assert said == [
        "hold-1 was approved (build).",
        "hold-2 was approved (build).",
        "Deployed: deploy-eu passed, though the build failed.",
        "Deployed: deploy-us passed.",
    ]
    assert not any("[ " in one.visible for one in stage.channel().messages)


async def test_what_a_run_died_over_says_what_became_of_it_though_it_waits_no_more(stage: Stage) -> None:
    await stage.subscribes(events=["waiting"])
    await stage.telling.waits(waiting("blocked", "success"))
    await stage.dies_over(waiting("on_hold", "success"), stage.telling.waits)
    assert await stage.telling.waits(waiting("success", "success")) is None
    (message,) = stage.channel().messages
    assert ("hold-1 was approved" in message.visible, "[ " in message.visible) == (True, False)


async def test_of_a_branch_that_is_snoozed_nothing_is_told(stage: Stage) -> None:
    await stage.subscribes(events=["broke", "waiting", "deployed"])
    stage.far_side.has(with_jobs(build(1), job("deploy")), with_jobs(build(2), job("deploy", number=3)))
    await stage.judged(build(1))
    until = await stage.store.now() + timedelta(hours=1)
    await stage.store.subscriptions.know(
        "C0DEPLOYS", SLUG, "main", lambda state: state.model_copy(update={"snoozed_until": until})
    )
    said = len(stage.channel().messages)
    await stage.judged(build(2))
    assert await stage.telling.waits(waiting("on_hold")) is None
    assert len(stage.channel().messages) == said
    assert await stage.store.occasions.holds(waiting("on_hold").pipeline.id) == []  # it is told when that is over


async def test_a_snooze_of_some_workflows_keeps_nothing_from_rules_about_all_of_them(stage: Stage) -> None:
    await stage.subscribes(workflows=["build"], events=["broke", "deployed"])
    await stage.subscribes(events=["deployed"])
    stage.far_side.has(with_jobs(build(1)), with_jobs(build(2), job("deploy")))
    await stage.judged(build(1))
    until = await stage.store.now() + timedelta(hours=1)
    await stage.store.subscriptions.know(
        "C0DEPLOYS", SLUG, "main workflow=build", lambda state: state.model_copy(update={"snoozed_until": until})
    )
    said = len(stage.channel().messages)
    for _ in range(2):
        await stage.judged(build(2))
    (message,) = stage.channel().messages[said:]
    assert "Deployed" in message.visible
    assert "workflow=build" not in message.visible


async def test_nobody_who_did_not_ask_is_told_and_nothing_is_read_for_them(stage: Stage) -> None:
    await stage.subscribes(events=[Event.PASSED])
    stage.far_side.has(with_jobs(build(1, "success"), job("deploy")))
    await stage.judged(build(1, "success"), build(2, "canceled"))
    assert stage.far_side.asked == 0
    assert len(stage.texts()) == 1


async def test_what_is_kept_of_a_commit_is_small(stage: Stage) -> None:
    kept = stage.store.occasions
    found = [Failure(workflow="build", job="unit", key=keeping.key(TAX), name="tax", number=1)]
    for _ in range(2):
        await kept.note_failures(SLUG, "main", "9f1c", found)
    assert await kept.failures(SLUG, "main", "9f1c") == tuple(found)
    for number in range(30):
        await kept.note_took(SLUG, "main", number, number * MINUTE)
    times: Sequence[timedelta] = await kept.took(SLUG, "main", 30)
    assert times == [number * MINUTE for number in range(20, 30)]
