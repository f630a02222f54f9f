"""Stories of acts that happen once: two presses, two windows, two people; and of those that failed, and may again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.actions import (
    AddCheckoutKey,
    AddWebhook,
    ButtonAction,
    CancelJob,
    CancelPipeline,
    RerunAll,
    RerunFailed,
    RunCommand,
)
from bot.models.slack import Click
from bot.operations.frame import SENT
from bot.watching.engine import LOOK_AFTER, PRESS
from playground.circleci.scenarios import of_workflow_statuses
from playground.slack.conversations import Json, Message
from tests.operations.scene import (
    FRONTEND,
    MOBILE,
    ON_HOLD,
    OVER,
    RUNNING,
    again_until,
    button,
    fills_in,
    followed,
    goes_by,
    opens,
    presses,
    pulls_forward,
    pushed,
    said,
    somewhere,
    team_under,
    types,
    writes,
)
from tests.stories.team import Team, is_offer, is_sign

POLICY = """
[[rules]]
name = "members do all this"
roles = ["members"]
words = ["*"]

[[rules]]
name = "no deploy over a red branch"
effect = "demand"
words = ["deploy"]
branches = ["release/*"]
green = true

[[rules]]
name = "production is typed"
effect = "demand"
words = ["deploy"]
branches = ["hold/*"]
typed = true

[[rules]]
name = "main needs a second person"
effect = "demand"
words = ["deploy"]
branches = ["main"]
second_person = true
"""


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under(
        POLICY, tmp_path, circleci_webhook_secret="webhook-secret", public_url="https://ci.acme.example"
    ) as team:
        yield team


@dataclass
class Pressed:
    """A button before people, and what reaches CircleCI when it is pressed."""

    place: Message
    element: Json
    write: str


async def cancel(team: Team) -> Pressed:
    build = pushed(team, "try/slow", RUNNING)
    return Pressed(somewhere(team), button(CancelPipeline(pipeline_id=build.id)), "/cancel")


async def cancel_job(team: Team) -> Pressed:
    (number,) = pushed(team, "try/slow", RUNNING).runs[0].job_numbers.values()
    return Pressed(somewhere(team), button(CancelJob(project_slug=FRONTEND, job_number=number)), "/cancel")


async def rerun_failed(team: Team) -> Pressed:
    build = pushed(team, "try/parallel", OVER)
    return Pressed(somewhere(team), button(RerunFailed(pipeline_id=build.id)), "/rerun")


async def rerun_all(team: Team) -> Pressed:
    build = pushed(team, "try/green", OVER)
    return Pressed(somewhere(team), button(RerunAll(pipeline_id=build.id)), "/rerun")


async def approve(team: Team) -> Pressed:
    build = pushed(team, "try/on-hold", ON_HOLD)
    (told,) = await types(team, team.ada, f"approve acme/frontend #{build.number}")
    return Pressed(told, told.element("Approve hold-prod"), "/approve/")


async def choose(team: Team) -> Pressed:
    (told,) = await types(team, team.ada, f"deploy {MOBILE} try/green")
    return Pressed(told, told.element("build"), "/pipeline/run")


async def anyway(team: Team) -> Pressed:
    pushed(team, "release/v2.0", OVER)
    (told,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
    return Pressed(told, told.element("Deploy all the same"), "/pipeline")


async def agree(team: Team) -> Pressed:
    await types(team, team.ada, "deploy acme/frontend main")
    asked = await team.reads("Somebody else must agree")
    return Pressed(asked, asked.element("Agree and deploy"), "/pipeline")


async def add_key(team: Team) -> Pressed:
    return Pressed(somewhere(team), button(AddCheckoutKey(project_slug=FRONTEND, kind="deploy-key")), "/checkout-key")


async def add_webhook(team: Team) -> Pressed:
    return Pressed(somewhere(team), button(AddWebhook(project_slug=FRONTEND)), "/webhook")


def sent(team: Team, write: str) -> int:
    return sum(write in one for one in writes(team))


TWICE: dict[str, Callable[[Team], Awaitable[Pressed]]] = {
    "cancel": cancel,
    "cancel a job": cancel_job,
    "rerun failed": rerun_failed,
    "rerun all": rerun_all,
    "approve": approve,
    "choose": choose,
    "anyway": anyway,
    "agree": agree,
    "add a key": add_key,
    "add a webhook": add_webhook,
}


@pytest.mark.parametrize("before", TWICE.values(), ids=TWICE)
async def test_pressed_twice_at_once_it_is_done_once(team: Team, before: Callable[[Team], Awaitable[Pressed]]) -> None:
    pressed = await before(team)
    presser = team.grace if before is agree else team.ada
    team.circleci.faults.add("POST", f"*{pressed.write}*", delay=0.1, times=None)  # so that the second comes meanwhile
    await asyncio.gather(*(presser.click(pressed.place, pressed.element) for _ in range(2)))
    await team.is_done()
    assert sent(team, pressed.write) == 1
    await presses(team, team.slack.person("admin"), pressed.place, pressed.element)
    assert sent(team, pressed.write) == 1


async def test_typed_into_two_windows_it_is_deployed_once(team: Team) -> None:
    (told,) = await types(team, team.ada, "deploy acme/frontend hold/prod")
    first = await opens(team, team.ada, told, "Type it")
    await team.ada.click(told, "Type it")
    second = await team.slack.wait_for(lambda: team.ada.modal if team.ada.modal is not first else None)
    assert second is not None
    await asyncio.gather(*(team.ada.submit(view, {"typed": "hold/prod"}) for view in (first, second)))
    assert sent(team, "/pipeline") == 1


async def test_of_two_definitions_chosen_at_once_one_runs(team: Team) -> None:
    pressed = await choose(team)
    await asyncio.gather(*(team.ada.click(pressed.place, name) for name in ("build", "nightly")))
    await team.is_done()
    assert sent(team, "/pipeline/run") == 1
    assert "You have asked for this already" in said(team.ada.sees_only)


async def test_of_agree_and_decline_at_once_one_counts(team: Team) -> None:
    pressed = await agree(team)
    view = await opens(team, team.grace, pressed.place, "Decline")
    admin = team.slack.person("admin")
    await asyncio.gather(
        admin.click(pressed.place, pressed.element), team.grace.submit(view, {"reason": "not on a Friday"})
    )
    await team.is_done()
    agreed, declined = "agreed" in pressed.place.visible, "declined" in pressed.place.visible
    assert agreed != declined
    assert sent(team, "/pipeline") == int(agreed)


AGAIN = {name: before for name, before in TWICE.items() if before is not agree}


@pytest.mark.parametrize("before", AGAIN.values(), ids=AGAIN)
async def test_what_came_to_nothing_may_be_pressed_again_at_once(
    team: Team, before: Callable[[Team], Awaitable[Pressed]]
) -> None:
    pressed, faults = await before(team), team.circleci.faults
    if before is not add_key:  # which reads nothing
        faults.add("GET", "*", status=503, times=None)
        assert await presses(team, team.ada, pressed.place, pressed.element)
        faults.clear()
    faults.add("POST", f"*{pressed.write}*", status=403, body={"message": "Plan is suspended."})
    assert "Plan is suspended." in said(await presses(team, team.ada, pressed.place, pressed.element))
    await presses(team, team.ada, pressed.place, pressed.element)
    assert sent(team, pressed.write) == 2


async def test_who_was_told_to_wait_may_press_again_when_they_have(team: Team) -> None:
    pressed = await cancel(team)
    team.circleci.faults.add("POST", "*/cancel", status=429, headers={"Retry-After": "60"})
    assert "Try again in 1 min" in said(await presses(team, team.ada, pressed.place, pressed.element))
    async with Redis.from_url(team.app.docket.url) as redis:
        await redis.delete("ci:pause:circleci")  # a minute has gone by
    await presses(team, team.grace, pressed.place, pressed.element)
    assert sent(team, "/cancel") == 2


async def test_a_cancel_that_failed_may_be_pressed_again_and_one_refused_is_not_called_accepted(team: Team) -> None:
    await followed(team, "try/slow", RUNNING, "now: test")
    cancel = team.root.element("Cancel #2417")
    for status, words in ((503, "does not answer properly"), (403, "Permission denied")):
        team.circleci.faults.add("POST", "*/cancel", status=status, body={"message": "Permission denied"})
        assert words in said(await presses(team, team.ada, team.root, cancel))
    assert team.count("pressed Cancel") == 0
    await presses(team, team.ada, team.root, cancel)
    assert team.count("ada pressed Cancel") == 1
    assert sent(team, "/cancel") == 3


@pytest.mark.parametrize("before", [rerun_failed, approve])
async def test_a_lost_act_is_nobodys_until_circleci_had_time_to_show_it(
    tmp_path: Path, before: Callable[[Team], Awaitable[Pressed]]
) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=60) as team:
        pressed = await before(team)
        team.circleci.faults.add("POST", f"*{pressed.write}*", drop="before")
        assert "I send nothing twice" in said(await presses(team, team.ada, pressed.place, pressed.element))
        assert "@ada was first" in said(await presses(team, team.grace, pressed.place, pressed.element))
        assert sent(team, pressed.write) == 1


@pytest.mark.parametrize("before", [rerun_failed, approve])
async def test_a_lost_act_that_never_arrived_may_be_pressed_again(
    team: Team, before: Callable[[Team], Awaitable[Pressed]]
) -> None:
    pressed = await before(team)
    team.circleci.faults.add("POST", f"*{pressed.write}*", drop="before")
    assert "I send nothing twice" in said(await presses(team, team.ada, pressed.place, pressed.element))
    await again_until(
        lambda: presses(team, team.ada, pressed.place, pressed.element), lambda: sent(team, pressed.write) == 2
    )
    assert len(team.circleci.world.pipelines) == 1
    await presses(team, team.ada, pressed.place, pressed.element)
    assert sent(team, pressed.write) == 2


@pytest.mark.parametrize(
    ("before", "drop", "became"),
    [
        (approve, "after", "looked: hold-prod is approved, and acme/frontend #2417 is running."),
        (approve, "before", "looked: hold-prod of acme/frontend #2417 still waits for an approval. Press again"),
        (rerun_failed, "after", "looked: acme/frontend #2417 has run again, and by now it"),
        (rerun_failed, "before", "looked: acme/frontend #2417 has not run again, as far as I see. Press again"),
        (cancel, "after", "looked: acme/frontend #2417 was cancelled."),
        (cancel, "before", "looked: acme/frontend #2417 is running. I could not see that it was cancelled."),
        (cancel_job, "before", "looked: test of acme/frontend #2417 has not ended. Press again"),
    ],
)
async def test_what_became_of_a_lost_approval_rerun_or_cancel_is_told(
    team: Team, before: Callable[[Team], Awaitable[Pressed]], drop: str, became: str
) -> None:
    pressed = await before(team)
    team.circleci.faults.add("POST", f"*{pressed.write}*", drop=drop)
    told = said(await presses(team, team.ada, pressed.place, pressed.element))
    assert "I send nothing twice. I look what became of it, and tell you." in told
    goes_by(team, 5)
    await again_until(lambda: pulls_forward(team, LOOK_AFTER), lambda: became in said(team.ada.sees_only))
    assert sent(team, pressed.write) == 1


@pytest.mark.parametrize("before", [choose, anyway, agree])
async def test_a_deploy_whose_answer_is_lost_is_found_and_never_sent_twice(
    team: Team, before: Callable[[Team], Awaitable[Pressed]]
) -> None:
    pressed = await before(team)
    earlier = len(team.circleci.world.pipelines)
    presser = team.grace if before is agree else team.ada
    team.circleci.faults.add("POST", f"*{pressed.write}", drop="after")
    await presses(team, presser, pressed.place, pressed.element)
    await team.reads("⏳ Waiting")
    first = "You have decided this already" if before is agree else "You answered this already"
    assert first in said(await presses(team, presser, pressed.place, pressed.element))
    assert len(team.circleci.world.pipelines) == earlier + 1
    assert sent(team, pressed.write) == 1


async def test_a_deploy_offered_as_a_button_is_offered_until_somebody_has_gone_through_with_it(team: Team) -> None:
    place, deploy = somewhere(team), button(RunCommand(text="deploy acme/frontend hold/prod"))
    assert "type its branch" in said(await presses(team, team.ada, place, deploy))
    (told,) = await presses(team, team.grace, place, deploy)
    assert "It goes on" in await fills_in(team.grace, await opens(team, team.grace, told, "Type it"), typed="hold/prod")
    assert sent(team, "/pipeline") == 1


async def test_a_deploy_offered_as_a_button_may_be_pressed_again_after_slack_refused_a_word_of_it(team: Team) -> None:
    place, offered = somewhere(team), RunCommand(text="deploy acme/frontend main")
    team.slack.faults.add("POST", "/api/chat.postMessage", status=200, body={"ok": False, "error": "not_in_channel"})
    refused = said(await presses(team, team.ada, place, offered))
    assert "Slack did not take my request for that here (not_in_channel). Nothing was sent to CircleCI." in refused
    assert team.count("Somebody else must agree") == 0
    await presses(team, team.ada, place, offered)
    assert await team.reads("Somebody else must agree")


async def test_a_press_on_a_suggested_command_survives_its_worker(team: Team) -> None:
    text = "deploy acme/frontend try/green"
    click = _click(team, RunCommand(text=text))
    # As far as a run of it came before it died: claimed.
    await team.app.store.claims.claim(f"run:{click.channel_id}:{click.message_ts}:{text}", click.caller.claim)
    await _run(team, click)
    await team.reads("try/green")
    assert sent(team, "/pipeline") == 1


@pytest.mark.parametrize("whole", [True, False], ids=["a build", "a job"])
async def test_a_cancel_cut_off_after_it_was_sent_is_told_by_the_second_run(team: Team, whole: bool) -> None:
    await followed(team, "try/slow", RUNNING, "now: test")
    run = team.circleci.world.pipelines[0].runs[0]
    number = run.job_numbers["test"]
    by_id: ButtonAction = CancelJob(project_slug=FRONTEND, job_number=number)
    click = _click(team, CancelPipeline(pipeline_id=team.circleci.world.pipelines[0].id) if whole else by_id)
    # As far as a run of it came before it died: sent, and CircleCI has done it by now.
    await team.app.store.claims.claim(f"sent:{click.id}:{run.id if whole else number}", SENT)
    team.circleci.world.cancel(run.id, by=None)
    goes_by(team, 5)
    await _run(team, click)
    await team.reads("ada pressed Cancel")
    assert all(is_sign(one) or is_offer(one) for one in team.ada.sees_only)
    assert sent(team, "/cancel") == 0


def _click(team: Team, action: ButtonAction) -> Click:
    return Click(
        id=f"{team.ada.id}:1:{action.action_id}:2",
        action_id=action.action_id,
        value=action.pack(),
        user_id=team.ada.id,
        user_name="ada",
        team_id=team.slack.workspace.team_id,
        channel_id=team.deploys.id,
        message_ts="1.0",
    )


async def _run(team: Team, click: Click) -> None:
    """Let a worker carry a press out."""
    await team.app.store.deliveries.record(click)
    await team.app.engine.add(PRESS, click.id)
    await team.is_done()


@pytest.mark.parametrize("where", ["a channel", "direct messages"])
async def test_what_is_said_is_recorded_before_it_is_acknowledged(team: Team, where: str) -> None:
    # Bolt acks an event before its listener: whoever was killed in between had lost what Slack never tells again.
    async with Redis.from_url(team.app.docket.url) as redis:
        await redis.client_pause(300, all=False)  # milliseconds in which nothing can be recorded
    text = "status acme/frontend main"
    delivery = await (team.ada.mention("deploys", text) if where == "a channel" else team.ada.message_bot(text))
    event = delivery.payload["event"]
    assert delivery.acked
    assert await team.app.store.deliveries.invocation(f"{event['channel']}:{event['ts']}") is not None


async def test_an_edited_mention_is_one_intent(team: Team) -> None:
    # C60. Slack tells an edit as a mention again, of the same message under another event id.
    mentioned = await team.ada.mention("deploys", "deploy acme/frontend try/green")
    event = mentioned.payload["event"]
    await team.reads("asked by ada")
    edits = [{"edited": {"user": team.ada.id, "ts": f"{float(event['ts']) + seconds}"}} for seconds in (5, 9)]
    other = {"text": event["text"].replace("try/green", "main")}
    for edit in (edits[0], edits[1] | other, edits[1] | other):
        await team.slack.deliver_event(event | edit)
        await team.is_told(team.ada, "an edit starts nothing")
        await team.is_done()
    assert team.posts("/pipeline") == [{"branch": "try/green"}]
    assert len([one for one in team.ada.sees_only if "an edit starts nothing" in one.visible]) == 1


async def test_what_was_said_first_counts_where_it_is_edited_at_that_moment(team: Team) -> None:
    mentioned = await team.ada.mention("deploys", "status acme/frontend main")
    said = team.slack.workspace.post(team.deploys, team.ada.id, "What it said at first.", [])
    event = mentioned.payload["event"] | {"ts": said.ts}
    # Either may be recorded first. None of them waits for a second person, who would have to be asked before.
    bot, branches = team.slack.workspace.bot_user_id, ("try/green", "try/slow")
    texts = [f"<@{bot}> deploy acme/frontend {branch}" for branch in branches]
    edited = {"edited": {"user": team.ada.id, "ts": said.ts}}
    both = [event | {"text": texts[0]}, event | {"text": texts[1]} | edited]
    await asyncio.gather(*(team.slack.deliver_event(one) for one in both))
    await team.until(lambda: sent(team, "/pipeline"))
    await team.is_done()
    assert sent(team, "/pipeline") == 1


async def test_a_message_that_is_edited_days_later_starts_nothing(team: Team) -> None:
    mentioned = await team.ada.mention("deploys", "status acme/frontend main")
    event = mentioned.payload["event"] | {"ts": "1700000000.000200", "edited": {"ts": "1700900000.000000"}}
    event["text"] = event["text"].replace("status", "deploy")
    await team.slack.deliver_event(event)
    await team.is_told(team.ada, "an edit starts nothing")
    assert sent(team, "/pipeline") == 0


async def test_of_two_workflows_the_one_that_runs_again_is_told_when_the_other_is_refused(team: Team) -> None:
    team.circleci.world.set_scenario(FRONTEND, "try/two", of_workflow_statuses(("a", "failed"), ("b", "failed")))
    await followed(team, "try/two", OVER, "Finishing, red so far")
    goes_by(team, OVER)
    await team.reads("❌ Failed")
    team.circleci.faults.add("POST", f"*/{team.circleci.world.pipelines[0].runs[1].id}/rerun", status=403)
    told = await presses(team, team.ada, team.root, "Rerun all")
    assert "Only a part of it was done: " in told[0].visible
    assert "Nothing was done" not in told[0].visible
    await team.reads("🔵 Running")
