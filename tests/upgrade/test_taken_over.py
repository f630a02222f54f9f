"""Stories of an upgrade: today's bot starts over what version 0.1.0 left behind; nothing is lost, or done twice."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.actions import ButtonAction
from playground.circleci.world import World
from playground.slack.conversations import Json, Message
from playground.slack.modals import View
from tests.stories.team import Team
from tests.upgrade.sample import RECORDS, buttons, upgraded
from tests.upgrade.scenes import SCENES, quiet, types

FAST = 1500  # world seconds per second: nobody waits for what a build takes
POLLS = re.compile("ci-chatops:(runs:)?poll:.*")
TASKS = {"handle", "press", "poll", "look_for", "expire", "triage", "sweep"}
NO_ANSWER = re.compile(r"older version|[Rr]eference [0-9a-f]{6}")


@pytest.fixture(autouse=True)
def nothing_breaks(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail where a record could not be read, or where anything else was an error to the log."""
    yield
    errors = [line for line in capsys.readouterr().out.splitlines() if "[error" in line]
    assert not [*errors, *(one.getMessage() for one in caplog.records if one.levelname == "ERROR")]


def everything(team: Team) -> Iterator[Message]:
    """Yield what anybody can read, in channels and alone."""
    for channel in team.slack.workspace.channels.values():
        yield from channel.messages
    yield from (one for one in team.slack.workspace.ephemerals if not one.deleted)


def standing(team: Team, words: str, button: str) -> Message:
    """Return the one message that says so and bears such a button."""
    (found,) = [
        one for one in everything(team) if words in f"{one.notification}\n{one.visible}" and button in one.buttons
    ]
    return found


def window(team: Team, name: str) -> View:
    """Return the window that somebody has open."""
    view = team.slack.person(name).modal
    assert view is not None
    return view


def shows(team: Team, words: str) -> bool:
    return words in window(team, "ada").visible


def said_twice(team: Team) -> list[str]:
    """Return what stands in a thread more than once."""
    said = Counter((one.channel.id, one.thread_ts, one.visible) for one in everything(team) if not one.only_for)
    return [text for (_, _, text), times in said.items() if times > 1]


async def finals(team: Team, words: str, number: int) -> None:
    """Wait until so many final replies say so."""
    await team.slack.wait_for(lambda: sum(words in one.visible for one in everything(team)) >= number, timeout=15)
    await quiet(team)
    assert sum(words in one.visible for one in everything(team)) == number


async def test_running_builds_go_on_in_their_threads_to_one_final_reply(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "running", speed=FAST) as team:
        before = len(list(everything(team)))
        await finals(team, "Failed after", 2)
        await finals(team, "Passed in", 1)
        assert len(list(everything(team))) == before + 3
        assert not said_twice(team)
        assert b"poll" not in await team._tasks(), "looks are no tasks any more"


async def test_a_build_that_lost_its_poll_is_found_by_the_sweep_that_was_queued(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "running", lost=POLLS, speed=FAST) as team:
        await finals(team, "Passed in", 1)


async def test_a_hold_is_approved_once_by_its_old_button(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "on-hold", speed=FAST) as team:
        await team.ada.click(standing(team, "#2418: hold-prod waits", "Approve hold-prod"), "Approve hold-prod")
        await team.is_told(team.ada, "@grace was first: Approve hold-prod")
        await team.ada.click(standing(team, "#2417: hold-prod waits", "Approve hold-prod"), "Approve hold-prod")
        await finals(team, "Passed in", 2)
        assert len([one for one in team.circleci.requests if one.method == "POST" and "/approve/" in one.path]) == 1
        assert not said_twice(team)


async def test_a_request_is_agreed_to_by_its_old_button(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "waiting", speed=FAST) as team:
        asked, admin = standing(team, "deploy acme/frontend main", "Agree and deploy"), team.slack.person("admin")
        agree = asked.element("Agree and deploy")
        await team.ada.click(asked, agree)
        await team.is_told(team.ada, "You asked for it, so somebody else must agree.")
        await team.grace.click(asked, agree)
        await finals(team, "Passed in", 1)
        assert "grace agreed: acme/frontend main is on its way, as ada asked." in asked.visible
        await admin.click(asked, agree)
        await team.is_told(admin, "@grace was first")
        assert team.posts("/pipeline") == [{"branch": "main", "parameters": {"env": "prod"}}]


async def test_what_was_typed_before_need_not_be_typed_again(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "waiting") as team:
        asked = standing(team, "deploy acme/frontend try/setup", "Agree and deploy")
        await team.grace.click(asked, "Agree and deploy")
        await team.reads("grace agreed: acme/frontend try/setup is on its way")
        assert team.posts("/pipeline") == [{"branch": "try/setup"}]


async def test_who_deployed_over_red_and_waits_for_a_second_person_asks_anew(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "waiting") as team:
        asked, admin = (
            standing(team, "deploy acme/frontend try/parallel", "Agree and deploy"),
            team.slack.person("admin"),
        )
        red = standing(team, "acme/frontend try/parallel, #2418, is red", "Deploy all the same")
        # What stood there when it was asked is not on the old record: it is shown once more first.
        await team.grace.click(asked, "Agree and deploy")
        await team.is_told(team.grace, "The request shows what it is now")
        await team.grace.click(asked, "Agree and deploy")
        await team.is_told(team.grace, "ask for it anew")
        assert "is red: t_native_test" in asked.visible
        # An agreement that came to nothing is over.
        await admin.click(red, "Deploy all the same")
        await team.is_told(admin, "grace agreed to acme/frontend try/parallel, but nothing was started")
        assert team.posts("/pipeline") == []


async def test_a_request_is_declined_behind_a_window_that_stood_open(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "waiting") as team:
        asked, admin = standing(team, "deploy acme/frontend main", "Agree and deploy"), team.slack.person("admin")
        agree = asked.element("Agree and deploy")
        await team.grace.submit(window(team, "grace"), {"reason": "The freeze lasts until Monday"})
        assert "press “Decline” in the message once more" in window(team, "grace").visible
        await team.grace.close(window(team, "grace"))
        await team.grace.click(asked, "Decline")
        await team.slack.wait_for(lambda: team.grace.modal)
        await team.grace.submit(window(team, "grace"), {"reason": "The freeze lasts until Monday"})
        told = await team.reads("@ada, grace declined it")
        assert told.thread_ts == asked.ts
        await admin.click(asked, agree)
        await team.is_told(admin, "grace declined acme/frontend main")
        assert team.posts("/pipeline") == []


async def test_requests_that_nobody_decided_expire(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "waiting", ago=timedelta(hours=2)) as team:
        await finals(team, "nobody agreed in time", 3)
        assert team.count("Nobody decided on acme/frontend main in time") == 1
        assert team.posts("/pipeline") == []


async def test_the_target_is_typed_behind_a_window_that_stood_open(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "waiting") as team:
        asked = standing(team, "deploy acme/frontend hold/prod", "Type it")
        await team.ada.submit(window(team, "ada"), {"typed": "hold/prod"})
        assert "press “Type it” in the message once more" in window(team, "ada").visible
        await team.ada.close(window(team, "ada"))
        await team.ada.click(asked, "Type it")
        await team.slack.wait_for(lambda: team.ada.modal)
        for typed, words in (("hold/pord", "That is not hold/prod"), ("hold/prod", "It goes on")):
            await team.ada.submit(window(team, "ada"), {"typed": typed})
            await team.slack.wait_for(partial(shows, team, words))
        await team.ada.close(window(team, "ada"))
        await team.ada.click(asked, "Type it")
        await team.is_told(team.ada, "You have typed it already")
        assert team.posts("/pipeline") == [{"branch": "hold/prod"}]


async def test_a_red_branch_is_deployed_all_the_same_once(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "waiting") as team:
        admin = team.slack.person("admin")
        for_ada, for_admin = (
            next(one for one in who.sees_only if "v2.0, #2417, is red" in one.visible) for who in (team.ada, admin)
        )
        await team.ada.click(for_ada, "Deploy all the same")
        await team.is_told(team.ada, "You may not approve")
        button = for_admin.element("Deploy all the same")
        await admin.click(for_admin, button)
        await quiet(team)
        await admin.click(for_admin, button)
        await team.is_told(admin, "You answered this already: deploy acme/frontend release/v2.0 is #2419.")
        assert team.posts("/pipeline") == [{"branch": "release/v2.0"}]


async def test_a_lock_holds_and_its_old_buttons_work(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "locked") as team:
        admin = team.slack.person("admin")
        await admin.command("deploys", "/ci", "deploy acme/frontend main")
        await team.is_told(admin, "@grace locked acme/frontend main")
        refused = standing(team, "@grace locked acme/frontend main 0 s ago", "Take over")
        await team.ada.click(refused, "Ask for it")
        await team.is_told(team.ada, "I have asked @grace")
        await team.ada.click(refused, "Take over")
        await team.is_told(team.ada, "You hold the lock on acme/frontend main now")
        assert "@ada has taken over your lock" in team.grace.direct_messages[-1].visible
        await team.grace.click(standing(team, "Your reason: hotfix", "Unlock"), "Unlock")
        asked = await team.is_told(team.grace, "The lock on acme/frontend main is @ada's by now")
        await team.grace.click(asked, "Unlock")
        await team.is_told(team.grace, "acme/frontend main is unlocked.")
        await admin.click(standing(team, "You hold the lock on acme/backend main now", "Unlock"), "Unlock")
        await team.is_told(admin, "acme/backend main is unlocked.")
        assert team.posts("/pipeline") == []


async def test_a_definition_is_chosen_once_by_its_old_button(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "choosing") as team:
        waits, answered = (one for one in team.ada.sees_only if "Which one" in one.visible)
        for label in ("build", "nightly"):
            await team.ada.click(answered, label)
        told = "You have asked for this already: deploy acme/mobile try/slow is under way."
        await team.slack.wait_for(lambda: sum(told in one.visible for one in team.ada.sees_only) == 2)
        assert team.posts("/run") == []
        await team.ada.click(waits, "build")
        await team.reads("acme/mobile · main")
        await team.is_done()
        await team.ada.click(waits, "nightly")
        await team.is_told(team.ada, "You answered this already: deploy acme/mobile main is #2418.")
        project = team.circleci.world.projects["circleci/5e0c5f62/9f1c2d7a"]
        (posted,) = team.posts("/run")
        assert isinstance(posted, dict)
        assert (project.definitions[posted["definition_id"]], posted["parameters"]) == ("build", {"env": "prod"})


async def test_builds_that_had_ended_are_not_told_again(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "pressed", speed=FAST) as team:
        await finals(team, "Passed in", 2)  # one had; one was run again by grace
        await finals(team, "Failed after", 4)  # two had; two ran
        assert not said_twice(team)


async def test_what_people_did_before_is_in_the_record(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "pressed", speed=0) as team:
        for text, words in (("audit @admin", "ssh-key add"), ("audit acme/frontend @grace", "cancel_pipeline")):
            await types(team, "admin", text)
            shown = team.slack.person("admin").sees_only[-1].visible
            assert words in shown
            assert re.search(r"^2\d{3}-\d\d-\d\d \d\d:\d\d · \w+ · `", shown, re.MULTILINE)


async def test_a_value_typed_into_a_window_that_stood_open_stays_before_its_typist(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "pressed", speed=0) as team:
        await team.slack.person("admin").submit(window(team, "admin"), {"value": "hunter3"})
        assert "press “Type the value” in the message once more" in window(team, "admin").visible
        assert team.posts("/envvar") == []


async def test_a_comparison_is_taken_up_again(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "comparing", speed=0) as team:
        await team.reads("Compared with")
        assert team.count("Failed after") == 1
        assert not said_twice(team)


async def test_lost_answers_are_still_looked_for(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "lost", speed=FAST) as team:
        await finals(team, "Passed in", 1)
        await team.is_told(team.ada, "CircleCI shows no pipeline for hold/prod")
        assert len(team.deploys.roots) == 1
        assert team.posts("/pipeline") == []


async def test_posts_under_way_are_looked_for_and_said_once(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "saying", speed=FAST) as team:
        await finals(team, "Passed in", 3)
        assert len(team.deploys.roots) == 3
        assert not said_twice(team)


async def test_what_was_queued_is_done_and_what_was_cut_off_begins_anew(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "queued", speed=20) as team:
        await team.reads("grace pressed Cancel")
        team.circleci.world.clock.speed = FAST
        await finals(team, "Passed in", 2)
        await team.reads("Cancelled after")
        assert [len(team.posts(path)) for path in ("/pipeline", "/cancel")] == [2, 1]
        assert not said_twice(team)


async def test_presses_that_were_cut_off_are_carried_out_and_sent_once(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "cut-off", speed=10) as team:
        await team.reads("runs again, attempt 2")
        await team.reads("admin approved hold-prod")
        await team.is_told(team.slack.person("admin"), "I cannot tell whether it took the request")
        await team.reads("grace agreed: acme/frontend main is on its way")
        await team.reads("acme/frontend · release/v2.0")
        team.circleci.world.clock.speed = FAST
        await finals(team, "Passed in", 3)
        assert [one.body for one in team.circleci.requests if one.method == "POST"] == [{"branch": "release/v2.0"}]
        assert not said_twice(team)


def shows_no_rerun_yet(world: World) -> None:
    """Let CircleCI take its time."""
    world.pipelines[0].runs[-1].created_at += timedelta(seconds=60)


async def test_a_rerun_that_was_cut_off_is_not_sent_again_before_circleci_shows_it(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "cut-off", speed=0, meanwhile=shows_no_rerun_yet) as team:
        await team.is_told(team.grace, "I cannot tell whether it took the request")
        assert team.posts("/rerun") == []


@pytest.mark.parametrize("scene", SCENES)
async def test_every_old_button_is_alive_or_answered_in_words(scene: str, tmp_path: Path) -> None:
    async with upgraded(tmp_path, scene, speed=0, poll_interval_seconds=5) as team:
        await quiet(team)
        for message, button in [(one, button) for one in everything(team) for button in buttons(one)]:
            if button["action_id"] != "open_link":
                answer = await read_anew(team, message, button)
                assert not NO_ANSWER.search(answer), f"{button['text']['text']}: {answer}"


async def read_anew(team: Team, message: Message, button: Json) -> str:
    """Press a button, and return what anybody reads then that was not there before."""
    person = team.slack.person(message.only_for or "admin")
    before = readable(team)
    await person.click(message, button)
    await team.slack.wait_for(lambda: readable(team) - before)
    await quiet(team)
    read = readable(team) - before
    if person.modal is not None:
        await person.close(person.modal)
    return "\n".join(read)


def readable(team: Team) -> set[str]:
    windows = [view for stack in team.slack.modals.stacks.values() for view in stack]
    return {f"{one.ts} {one.visible}" for one in everything(team)} | {f"{one.id} {one.visible}" for one in windows}


SINCE = {  # buttons that came later
    "agent_form",
    "deploy_beside",
    "end_snooze",
    "end_subscription",
    "invite_me",
    "look_at",
    "remove_agent",
    "snooze",
    "take_back",
    "tell_when_free",
}


def test_the_records_hold_every_button_and_every_task_of_that_version() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (RECORDS / "0.1.0").iterdir())
    assert {one.action_id for one in ButtonAction.__subclasses__()} - SINCE <= set(
        re.findall(r'"action_id": "(\w+)', text)
    )
    assert set(re.findall(r'"function": "(\w+)"', text)) == TASKS
