"""What the page's server lets through, and what it answers to an act that has come too late."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from playground.circleci.api import CircleCI
from playground.circleci.scenarios import COURSES, SCENARIOS
from playground.circleci.world import default_world
from playground.clock import Clock
from playground.page.server import Page
from playground.page.state import SLASH_COMMAND, snapshot
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace
from tests.playground.echo import MODAL, ROW, echo, echo_bot
from tests.test_docs import MANIFEST


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with echo_bot(True, echo) as slack:
        yield slack


@pytest.fixture
async def page(slack: Slack) -> AsyncIterator[Page]:
    async with CircleCI(default_world(Clock())) as circleci, Page(slack, circleci) as page:
        yield page


async def act(page: Page, do: str, **more: Any) -> str | None:
    asked = {"as": "ada", "do": do, **more}
    async with aiohttp.ClientSession() as session, session.post(f"{page.url}act", json=asked) as answer:
        assert answer.status == 200
        error: str | None = (await answer.json())["error"]
        return error


async def test_only_this_machines_browser_is_answered(page: Page) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(page.url, headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403
        async with session.post(f"{page.url}act", data={"do": "say"}) as answer:
            assert answer.status == 415
        async with session.get(page.url) as answer:
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_acts_that_cannot_be_are_refused_in_words(slack: Slack, page: Page) -> None:
    assert await act(page, "say", channel="C0DEPLOYS", text="/nope") == "/nope is not a valid command."
    assert "not supported in threads" in str(
        await act(page, "say", channel="C0DEPLOYS", text="/ci help", thread_ts="1")
    )
    assert await act(page, "say", channel="C0NOWHERE", text="hi") == "Slack refuses: channel_not_found"
    assert await act(page, "press", channel="C0DEPLOYS", ts="1", action_id="a") == "This message is gone."
    assert await act(page, "submit", view_id="V1") == "This window is closed."
    message = slack.workspace.post(slack.workspace.channel("deploys"), "U0BOT", "x", [ROW])
    pressed = await act(page, "press", channel="C0DEPLOYS", ts=message.ts, action_id="gone", block_id="b")
    assert pressed == "This has changed in the meantime."
    assert await act(page, "submit", channel="C0DEPLOYS", ts=message.ts) == "This window is closed."


async def test_people_speak_press_and_close(slack: Slack, page: Page) -> None:
    deploys, ada = slack.workspace.channel("deploys"), slack.person("ada")
    assert await act(page, "say", channel="C0DEPLOYS", text="good morning") is None
    assert await act(page, "say", channel="C0DEPLOYS", text="@ci hello") is None
    assert await act(page, "open_messages") is None
    assert await act(page, "say", channel="D0ADA", text="hello") is None
    await slack.wait_for(lambda: len([one for one in deploys.messages if "heard" in one.visible]) == 1)
    await slack.wait_for(lambda: [one for one in ada.direct_messages if "heard" in one.visible])
    assert await act(page, "say", channel="C0DEPLOYS", text="/ci whisper") is None
    (whisper,) = ada.sees_only
    assert await act(page, "dismiss", channel="C0DEPLOYS", ts=whisper.ts) is None
    assert ada.sees_only == []
    slack.modals.open(slack.modals.trigger(ada.id), MODAL)
    assert ada.modal is not None
    assert await act(page, "close", view_id=ada.modal.id) is None
    assert ada.modal is None


async def test_the_state_streams_what_one_person_sees(slack: Slack, page: Page) -> None:
    slack.workspace.whisper(slack.workspace.channel("deploys"), "U0GRACE", "psst", user_id="U0BOT")
    for name, whispers in (("ada", []), ("grace", ["psst"])):
        async with aiohttp.ClientSession() as session, session.get(f"{page.url}events", params={"as": name}) as stream:
            line = await stream.content.readuntil(b"\n\n")
            state = json.loads(line.removeprefix(b"data: "))
            said = [one["text"] for channel in state["channels"] for one in channel["messages"]]
            assert said == whispers


async def test_a_taken_port_is_no_obstacle(slack: Slack, page: Page) -> None:
    port = int(page.url.rstrip("/").rpartition(":")[2])
    async with CircleCI(default_world(Clock())) as circleci, Page(slack, circleci, port) as second:
        assert second.url != page.url


def test_only_courses_that_a_project_plays_can_be_chosen() -> None:
    shown = snapshot(
        Slack(default_workspace(), socket_mode=True), CircleCI(default_world(Clock())), default_workspace().user("ada")
    )
    offered = {one["name"]: one["courses"] for one in shown["circleci"]["projects"]}
    assert set(offered) == {"acme/frontend", "acme/backend", "circleci/5e0c5f62/9f1c2d7a"}
    assert all(courses == list(COURSES) for courses in offered.values())
    world = default_world(Clock())
    del world.projects["gh/acme/backend"].branches["try/slow"]
    shown = snapshot(Slack(default_workspace(), socket_mode=True), CircleCI(world), default_workspace().user("ada"))
    assert "slow" not in shown["circleci"]["projects"][1]["courses"]


def test_every_course_is_described() -> None:
    assert COURSES.keys() == SCENARIOS.keys()


def test_the_page_hints_what_the_manifest_says() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]
    hinted = (SLASH_COMMAND["name"], SLASH_COMMAND["description"], SLASH_COMMAND["usage_hint"])
    assert hinted == (command["command"], command["description"], command["usage_hint"])
